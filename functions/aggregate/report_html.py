"""A run's report as one self-contained HTML page: map, regions, slow POPs, failures, cost. Pure."""

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

from aggregate.byte_units import format_bytes
from aggregate.report_failures import URLS_SHOWN, different, everywhere, failures, judged_of, share, warm_of
from aggregate.report_tables import documents, left_out, table
from aggregate.report_times import gain_table, histogram_table, percentile_figures
from prewarm.catalogue import Catalogue, data_text
from prewarm.counted import count_of
from prewarm.execution_status import run_state
from prewarm.results.proof_texts import ELSEWHERE, IN_POP
from prewarm.results.skipped_pops import skip_lines, skip_text
from prewarm.results.target_texts import target_text

SLOWEST_SHOWN = 10
# The colours of a run's states, as everywhere: success green, failure red, cancelled grey.
STATES = {"WARM": "good", "NOT WARM": "bad", "CANCELLED": "cancelled"}
# How the heading of a run that was stopped begins: its URLs that are not warm have not failed.
STOPPED = {"CANCELLED": "Cancelled", "TIMEOUT": "Timed out"}
# The part of the world map that is shown, in tenths of a degree, without the poles.
MAP_TOP, MAP_HEIGHT, MAP_WIDTH = 60, 1_440, 3_600


def page(report: dict[str, Any], catalogue: Catalogue) -> bytes:
    """Return the page for a report made by `report.report_of`."""
    warm = report["warm"]
    counts = f"{report['success']:,} of {report['total']:,} URLs are warm"
    ended_as = run_state(report.get("executionStatus", ""), report.get("error") or "")
    heading = counts if warm else f"Not warm: {report['failed']:,} of {report['total']:,} URLs failed"
    if ended_as in STOPPED:
        heading = f"{STOPPED[ended_as]}: {counts}"
    state = "CANCELLED" if ended_as == "CANCELLED" else "WARM" if warm else "NOT WARM"
    if report.get("mostlySkipped"):
        heading = report["mostlySkipped"] if warm or not report["failed"] else f"{report['mostlySkipped']}. {heading}"
    template = Template(resources.files("aggregate").joinpath("data/report.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(f"{heading} - {report['run']}"),
        heading=f'<span class="{STATES[state]}">{escape(heading)}</span>',
        run=escape(report["run"]),
        link=f' · <a href="{escape(report["page"])}">The run\'s page</a>' if report.get("page") else "",
        when=f"{_moment(report['startedAt'])} to {_moment(report['endedAt'])} UTC",
        body="\n".join(part for part in _parts(report, catalogue) if part),
    ).encode()


def _parts(report: dict[str, Any], catalogue: Catalogue) -> Iterable[str]:
    yield _figures(
        {
            f"Targets warm ({_what_targets(report)})": f"{_warm_targets(report):,} of {report['targets']:,}",
            "Verified by a second fetch": f"{report['verified']:,}",
            IN_POP[0].upper() + IN_POP[1:]: f"{report.get('verifiedInPop', 0):,}",
            ELSEWHERE[0].upper() + ELSEWHERE[1:]: f"{report.get('verifiedElsewhere', 0):,}",
            "Addresses with a proof": f"{report.get('addressesProven', 0):,} of {report.get('addresses', 0):,}",
            "Duration": _duration(report["endedAt"] - report["startedAt"]),
            "Fetches": f"{report['fetches']:,}",
            "Downloaded": format_bytes(report["bytes"]),
            **percentile_figures(report),
            "Estimated cost": f"${report['cost']['dollars']:,.4f}",
        }
    )
    yield "".join(f'<p class="soft">⚠ {escape(text)}</p>' for text in report["warnings"])
    if duplicates := report.get("duplicates"):
        yield f'<p class="soft">{duplicates:,} entries were left out: another spelling of a URL.</p>'
    yield failures(report)
    if not any(pop["done"] for pop in report["pops"]):
        yield "<h2>Warm locations</h2><p>No POP was reached.</p>"
    else:
        yield from _locations(report, catalogue)
    yield from histogram_table(report)
    yield from gain_table(report)
    yield _uncompressed(report)
    yield from left_out(report.get("sources", []))
    yield from documents(report.get("sources", []))
    yield _other_forms(report.get("urls", []))
    if report["skippedPops"]:
        # Reports of earlier versions lack the text.
        text = f"<p>{escape(report['skippedText'])}.</p>" if report.get("skippedText") else ""
        counts = "".join(f"<li>{escape(text)}</li>" for text in skip_lines(report["skippedPops"]))
        yield f"<h2>Skipped POPs</h2>{text}<ul>{counts}</ul>" + table(
            "Skipped POPs",
            ("POP", "Reason", "Detail"),
            [(pop["pop"], skip_text(pop["reason"]), pop["detail"]) for pop in report["skippedPops"]],
        )
    prices, not_included = report["cost"]["pricesOf"], ", ".join(report["cost"]["notIncluded"])
    yield (
        f"<h2>Cost</h2><p class=soft>Estimated with prices of {escape(prices)}; "
        f"not included: {escape(not_included)}.</p>"
    )
    yield table(
        "Cost",
        ("Item", "Quantity", "Unit", "USD"),
        [
            (part["name"], f"{part['quantity']:,.3f}".rstrip("0").rstrip("."), part["unit"], f"{part['dollars']:.6f}")
            for part in report["cost"]["parts"]
        ],
    )


def _locations(report: dict[str, Any], catalogue: Catalogue) -> Iterable[str]:
    """Yield the map, the regions and the slowest POPs."""
    yield "<h2>Warm locations</h2>" + everywhere(report) + _map(report["pops"], catalogue)
    yield different(report["pops"])
    yield "<h2>By region</h2>" + table(
        "By region",
        ("Region", "POPs", "Targets warm", "Share", "First byte, mean"),
        [
            (entry["region"], f"{entry['pops']:,}", warm_of(entry), share(entry), _ms(entry["meanMs"]))
            for entry in report["regions"]
        ],
    )
    slowest = sorted((pop for pop in report["pops"] if pop["meanMs"]), key=lambda pop: -pop["meanMs"])
    yield "<h2>Slowest POPs</h2>" + table(
        "Slowest POPs",
        ("POP", "City", "Targets warm", "Share", "First byte, mean"),
        [
            (pop["pop"], _city(pop["pop"], catalogue), warm_of(pop), share(pop), _ms(pop["meanMs"]))
            for pop in slowest[:SLOWEST_SHOWN]
        ],
    )


def _uncompressed(report: dict[str, Any]) -> str:
    """Return the first URLs that POPs served uncompressed."""
    entries = report.get("uncompressed", [])
    rows = [(each["url"], f"{each['pops']:,}", ", ".join(each["examples"])) for each in entries[:URLS_SHOWN]]
    if not rows:
        return ""
    heading = f"{report['uncompressedUrls']:,} served uncompressed"
    return f"<h2>{heading}</h2>" + table("Served uncompressed", ("URL", "POPs", "Such as"), rows)


def _other_forms(urls: Sequence[dict[str, Any]]) -> str:
    """Return the first URLs that are fetched in another form than they were given in."""
    other = [(entry["url"], entry["fetched"]) for entry in urls if "fetched" in entry]
    if not other:
        return ""
    html = "<h2>Fetched in the form that browsers send</h2>"
    html += table("Fetched in the form that browsers send", ("Given", "Fetched"), other[:URLS_SHOWN])
    if len(other) > URLS_SHOWN:
        html += f'<p class="soft">{len(other) - URLS_SHOWN:,} more are in the CSV and the JSON report.</p>'
    return html


def _figures(figures: dict[str, str]) -> str:
    return f"<dl>{''.join(f'<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>' for k, v in figures.items())}</dl>"


def _map(pops: Sequence[dict[str, Any]], catalogue: Catalogue) -> str:
    """Return a map with a circle per city, sized by its number of POPs; each circle's title has the counts."""
    cities: dict[str, Counter[str]] = {}
    for pop in pops:
        cities.setdefault(pop["pop"][:3], Counter()).update(
            {"pops": 1, "warm": pop["warm"], "targets": judged_of(pop)}
        )
    circles = ""
    for code, sums in sorted(cities.items(), key=lambda item: -item[1]["pops"]):
        location = catalogue.locations.get(code)
        if location is None:
            continue
        portion = sums["warm"] / sums["targets"] if sums["targets"] else 0.0
        kind = "unjudged" if not sums["targets"] else "warm" if portion == 1 else "partly" if portion else "failed"
        counts = f"{count_of(sums['pops'], 'POP')}, {100 * portion:.0f} % of {sums['targets']:,} targets warm"
        if not sums["targets"]:
            counts = f"{count_of(sums['pops'], 'POP')}, not judged: every URL failed everywhere"
        x, y = 10 * (location.longitude + 180), 10 * (90 - location.latitude)
        title = escape(f"{location.city} ({code}): {counts}")
        circles += (
            f'<circle class="{kind}" cx="{x:.0f}" cy="{y:.0f}" '
            f'r="{12 + 6 * math.sqrt(sums["pops"]):.0f}"><title>{title}</title></circle>'
        )
    legend = {"warm": "warm", "partly": "partly warm", "failed": "failed", "unjudged": "not judged"}
    dots = "".join(
        f'<span><svg viewBox="0 0 20 20" aria-hidden="true"><circle class="{kind}" cx="10" cy="10" r="9"/></svg> '
        f"{text}</span>"
        for kind, text in legend.items()
    )
    box = f"0 {MAP_TOP} {MAP_WIDTH} {MAP_HEIGHT}"
    return (
        f'<svg viewBox="{box}" role="img" aria-label="World map of the POPs; the tables below contain the same data">'
        f'<path class="land" d="{data_text("land.svgpath").strip()}"/>{circles}</svg><div class="key">{dots}</div>'
    )


def _warm_targets(report: dict[str, Any]) -> int:
    return sum(pop["warm"] for pop in report["pops"])


def _what_targets(report: dict[str, Any]) -> str:
    """Return what the targets are; reports of earlier versions do not say at how many POPs each URL is warmed."""
    return target_text(report["targets"], report.get("popsPerUrl"), report.get("variants", 0))


def _ms(mean: float | None) -> str:
    return "-" if mean is None else f"{mean:,.0f} ms"


def _city(pop: str, catalogue: Catalogue) -> str:
    location = catalogue.locations.get(pop[:3])
    return "" if location is None else location.city


def _moment(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s" if minutes else f"{seconds:.1f} s"
