"""Times to first byte in the report's page: percentiles, a histogram, and what viewers were spared. Pure."""

from collections.abc import Iterable
from html import escape
from typing import Any

from aggregate.report_tables import table
from prewarm.results.gain import share_text

PERCENTILES = {"p50": "First byte, median", "p90": "First byte, 90 % within", "p99": "First byte, 99 % within"}


def percentile_figures(report: dict[str, Any]) -> dict[str, str]:
    """Return the percentiles as figures by name; a dash where nothing was timed."""
    times = report["timeToFirstByteMs"] or {}
    return {text: f"{times[name]:,.0f} ms" if name in times else "-" for name, text in PERCENTILES.items()}


def histogram_table(report: dict[str, Any]) -> Iterable[str]:
    """Yield the histogram as a table with a bar in each row; reports of earlier versions have none."""
    bars = report.get("timesToFirstByte", [])
    if not bars:
        return
    most = max(bar["count"] for bar in bars)
    rows = "".join(
        f"<tr><td>{_range(bar)}</td><td class=n>{bar['count']:,}</td><td>{_bar(bar['count'], most)}</td></tr>"
        for bar in bars
    )
    head = "<tr><th scope=col>Time</th><th scope=col class=n>Fetches</th><th scope=col>Share</th></tr>"
    name = escape("Time to first byte")
    yield (
        f'<h2>{name}</h2><div class=scroll tabindex=0 role=region aria-label="{name}"><table class=bars>'
        f"<thead>{head}</thead><tbody>{rows}</tbody></table></div>"
    )


def gain_table(report: dict[str, Any]) -> Iterable[str]:
    """Yield what first viewers were spared, with a row per region; reports of earlier versions have none."""
    gain = report.get("gain")
    if not gain:
        return
    name = "What the first viewers were spared"
    heads = ("Region", "Measured at", "Median", "95 % within", "99 % within", "Fetched", "Warm before")
    rows = [
        (
            entry["region"],
            f"{entry['pairs']:,}",
            *(_spared(entry, percentile) for percentile in ("p50", "p95", "p99")),
            f"{entry['fetched']:,}",
            share_text(entry["warmBefore"], entry["fetched"]),
        )
        for entry in gain["regions"]
    ]
    yield (
        f"<h2>{name}</h2><p>{escape(gain['text'])}</p><p class=soft>Time to first byte of the Miss less that of the "
        "Hit that proved the copy, as the service measured both: a difference, not a viewer's time.</p>"
    )
    yield table(name, heads, rows)


def _spared(entry: dict[str, Any], percentile: str) -> str:
    return f"{entry['sparedMs'][percentile]:,.0f} ms" if entry["sparedMs"] else "-"


def _range(bar: dict[str, int]) -> str:
    return f"{bar['fromMs']:,} to {bar['toMs']:,} ms" if bar["fromMs"] else f"up to {bar['toMs']:,} ms"


def _bar(count: int, most: int) -> str:
    width = 100 * count / most if most else 0.0
    return (
        '<svg class=bar viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width:.1f}" height="8"/></svg>'
    )
