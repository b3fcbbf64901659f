"""Times to first byte in the report's page: percentiles and a histogram. Pure."""

from collections.abc import Iterable
from html import escape
from typing import Any

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


def _range(bar: dict[str, int]) -> str:
    return f"{bar['fromMs']:,} to {bar['toMs']:,} ms" if bar["fromMs"] else f"up to {bar['toMs']:,} ms"


def _bar(count: int, most: int) -> str:
    width = 100 * count / most if most else 0.0
    return (
        '<svg class=bar viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width:.1f}" height="8"/></svg>'
    )
