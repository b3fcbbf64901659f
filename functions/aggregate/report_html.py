"""A run's report as one page that needs nothing else: map, regions, proof, slow POPs, failures, cost. Pure."""

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

from prewarm.catalogue import Catalogue, data_text
from prewarm.results.outcome import IN_WORDS, Outcome

SLOWEST_SHOWN = 10
# Failed URLs shown for each cause; all of them are in the CSV and JSON.
URLS_SHOWN = 20
# The part of the world's map that is shown, in tenths of a degree: without the poles.
MAP_TOP, MAP_HEIGHT, MAP_WIDTH = 60, 1_440, 3_600
STEPS = ("kB", "MB", "GB", "TB", "PB")


def page(report: dict[str, Any], known: Catalogue) -> bytes:
    """Return the page; `report`: report.report_of's."""
    warm = report["warm"]
    counts = f"{report['success']:,} of {report['total']:,} URLs are warm"
    heading = counts if warm else f"Not warm: {report['failed']:,} of {report['total']:,} URLs failed"
    template = Template(resources.files("aggregate").joinpath("data/report.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(f"{heading} - {report['run']}"),
        heading=f'<span class="{"good" if warm else "bad"}">{escape(heading)}</span>',
        run=escape(report["run"]),
        when=f"{_moment(report['startedAt'])} to {_moment(report['endedAt'])} UTC",
        body="\n".join(part for part in _parts(report, known) if part),
    ).encode()


def _parts(report: dict[str, Any], known: Catalogue) -> Iterable[str]:
    times = report["timeToFirstByteMs"]
    yield _figures(
        {
            "Targets warm": f"{_warm_targets(report):,} of {report['targets']:,}",
            "Proven by a Hit": f"{report['verified']:,}",
            "Duration": _duration(report["endedAt"] - report["startedAt"]),
            "Fetches": f"{report['fetches']:,}",
            "Bytes": bytes_in_words(report["bytes"]),
            "First byte, median": f"{times['p50']:,.0f} ms" if times else "-",
            "Estimated cost": f"${report['cost']['dollars']:,.4f}",
        }
    )
    yield "".join(f'<p class="soft">⚠ {escape(text)}</p>' for text in report["warnings"])
    if not any(pop["done"] for pop in report["pops"]):
        yield "<h2>Where it is warm</h2><p>No POP was reached.</p>"
    else:
        yield from _places(report, known)
    yield _failures(report)
    if report["skippedPops"]:
        yield "<h2>POPs left out</h2>" + _table(
            "POPs left out",
            ("POP", "Reason", "Seen"),
            [(pop["pop"], pop["reason"], pop["detail"]) for pop in report["skippedPops"]],
        )
    yield f"<h2>Cost</h2><p class=soft>Estimated with prices of {escape(report['cost']['pricesOf'])}; without " + (
        escape(", ".join(report["cost"]["notIncluded"])) + ".</p>"
    )
    yield _table(
        "Cost",
        ("Part", "Quantity", "Unit", "Dollars"),
        [
            (part["name"], f"{part['quantity']:,.3f}".rstrip("0").rstrip("."), part["unit"], f"{part['dollars']:.6f}")
            for part in report["cost"]["parts"]
        ],
    )


def _places(report: dict[str, Any], known: Catalogue) -> Iterable[str]:
    """Yield where it is warm: the map, the regions, the slowest POPs."""
    yield "<h2>Where it is warm</h2>" + _map(report["pops"], known)
    yield "<h2>By region</h2>" + _table(
        "By region",
        ("Region", "POPs", "Targets", "Warm", "First byte, mean"),
        [
            (entry["region"], f"{entry['pops']:,}", f"{entry['targets']:,}", _share(entry), _ms(entry["meanMs"]))
            for entry in report["regions"]
        ],
    )
    slowest = sorted((pop for pop in report["pops"] if pop["meanMs"]), key=lambda pop: -pop["meanMs"])
    yield "<h2>Slowest POPs</h2>" + _table(
        "Slowest POPs",
        ("POP", "City", "Targets", "Warm", "First byte, mean"),
        [
            (pop["pop"], _city(pop["pop"], known), f"{pop['targets']:,}", _share(pop), _ms(pop["meanMs"]))
            for pop in slowest[:SLOWEST_SHOWN]
        ],
    )


def _failures(report: dict[str, Any]) -> str:
    """Group the failed URLs by their most frequent cause."""
    causes: dict[str, list[dict[str, Any]]] = {}
    for entry in report["failures"]:
        main = max(entry["reasons"], key=entry["reasons"].__getitem__, default="lost")
        causes.setdefault(main, []).append(entry)
    found = ""
    for cause, entries in sorted(causes.items(), key=lambda item: -len(item[1])):
        words = IN_WORDS.get(Outcome(cause), cause)
        found += f"<h2>{len(entries):,} failed: {escape(words)} ({escape(cause)})</h2>" + _table(
            f"Failed by {cause}",
            ("URL", "Warm", "Reasons"),
            [
                (entry["url"], f"{entry['warm']:,} of {entry['reachable']:,}", _counts(entry["reasons"]))
                for entry in entries[:URLS_SHOWN]
            ],
        )
        if len(entries) > URLS_SHOWN:
            found += f'<p class="soft">and {len(entries) - URLS_SHOWN:,} more, in the CSV and the JSON.</p>'
    return found


def _figures(figures: dict[str, str]) -> str:
    return f"<dl>{''.join(f'<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>' for k, v in figures.items())}</dl>"


def _table(name: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table that a keyboard can scroll; columns of numbers stand to the right, the first one never."""

    def cell(index: int, text: str) -> str:
        kind = "n" if index and text[:1].isdigit() else "url" if "://" in text else ""
        return f'<td class="{kind}">{escape(text)}</td>'

    listed = list(rows)
    right = [index > 0 and all(row[index][:1].isdigit() for row in listed) for index in range(len(heads))]
    head = "".join(
        f'<th scope=col class="{"n" if right[index] else ""}">{escape(text)}</th>' for index, text in enumerate(heads)
    )
    body = "".join(f"<tr>{''.join(cell(i, text) for i, text in enumerate(row))}</tr>" for row in listed)
    region = f'<div class=scroll tabindex=0 role=region aria-label="{escape(name)}">'
    return f"{region}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _map(pops: Sequence[dict[str, Any]], known: Catalogue) -> str:
    """Draw a circle per city, as large as its POPs are many; the words are in each circle's title."""
    cities: dict[str, Counter[str]] = {}
    for pop in pops:
        cities.setdefault(pop["pop"][:3], Counter()).update(
            {"pops": 1, "warm": pop["warm"], "targets": pop["targets"]}
        )
    circles = ""
    for code, sums in sorted(cities.items(), key=lambda item: -item[1]["pops"]):
        place = known.locations.get(code)
        if place is None:
            continue
        share = sums["warm"] / sums["targets"] if sums["targets"] else 0.0
        kind = "warm" if share == 1 else "partly" if share else "cold"
        title = f"{place.city} ({code}): {sums['pops']} POPs, {100 * share:.0f} % of {sums['targets']:,} targets warm"
        circles += (
            f'<circle class="{kind}" cx="{10 * (place.longitude + 180):.0f}" cy="{10 * (90 - place.latitude):.0f}" '
            f'r="{12 + 6 * math.sqrt(sums["pops"]):.0f}"><title>{escape(title)}</title></circle>'
        )
    keys = {"warm": "all targets warm", "partly": "some warm", "cold": "none warm"}
    dots = "".join(
        f'<span><svg viewBox="0 0 20 20" aria-hidden="true"><circle class="{kind}" cx="10" cy="10" r="9"/></svg> '
        f"{words}</span>"
        for kind, words in keys.items()
    )
    box = f"0 {MAP_TOP} {MAP_WIDTH} {MAP_HEIGHT}"
    return (
        f'<svg viewBox="{box}" role="img" aria-label="World map of the POPs; the tables below say the same">'
        f'<path class="land" d="{data_text("land.svgpath").strip()}"/>{circles}</svg><div class="key">{dots}</div>'
    )


def _warm_targets(report: dict[str, Any]) -> int:
    return sum(pop["warm"] for pop in report["pops"])


def _share(entry: dict[str, Any]) -> str:
    return f"{100 * entry['warm'] / entry['targets']:.1f} %" if entry["targets"] else "-"


def _ms(mean: float | None) -> str:
    return "-" if mean is None else f"{mean:,.0f} ms"


def _counts(reasons: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(reasons.items(), key=lambda item: -item[1]))


def _city(pop: str, known: Catalogue) -> str:
    place = known.locations.get(pop[:3])
    return "" if place is None else place.city


def _moment(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s" if minutes else f"{seconds:.1f} s"


def bytes_in_words(count: float) -> str:
    """Return a number of bytes for people: `1.5 MB`, by thousands."""
    unit = "B"
    for step in STEPS:
        if count < 1000:  # noqa: PLR2004 - the next unit
            break
        count, unit = count / 1000, step
    return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
