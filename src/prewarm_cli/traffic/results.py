"""The result of `prewarm traffic` as JSON, as text for people, and as the CSV of targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from prewarm.catalogue import catalogue
from prewarm.counted import count_of
from prewarm.targets_csv import PAIRS_AT_MOST, Traffic, write_end, write_head
from prewarm.urls import redacted
from prewarm_cli.output.terminal import table
from prewarm_cli.traffic.demand import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import TextIO

    from prewarm_cli.traffic.damage import Damage
    from prewarm_cli.traffic.demand import Demand
    from prewarm_cli.traffic.ranking import Coverage, Ranking

TOP = 5
# Lines that are not demand, in words.
CATEGORIES = {
    "own": "requests by this service or an agent in --exclude-agent",
    "method": "requests other than GET",
    "status": "responses other than 200, 206, 304 and 404",
    "host": "requests for hosts other than --host",
    "period": "requests outside --since and --until",
    "url": "requests whose path does not begin with /",
    "pop": "requests at edges without a POP name such as NRT57-P3",
}


@dataclass
class Result:
    """All that the outputs need: `cover` is the selected part of the ranking, `all` the whole of it."""

    demand: Demand
    damage: Damage
    ranking: Ranking
    cover: Coverage
    all: Coverage
    curve: list[Coverage]
    files: int
    pruned: int = 0
    percent: float = 95.0
    sampling_rate: float | None = None
    missing: dict[str, int] = field(default_factory=dict)
    projected: dict[str, int] = field(default_factory=dict)
    pops: list[tuple[str, int]] = field(default_factory=list)
    rate_unused: bool = False

    def unknown_pops(self) -> list[str]:
        """Return the POPs in demand that the catalogue lacks; they are warmed as any other, the probe decides."""
        known = catalogue().pops
        return sorted(pop for pop, _ in self.pops if pop not in known)


def iso(time: datetime | None) -> str:
    """Return a time as ISO 8601 in UTC, "" if it is unknown."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else ""


def write_csv(result: Result, file: TextIO) -> None:
    """Write the selected pairs with the first and the last line."""
    curve = {each.percent: each.pairs for each in result.curve if each.percent is not None}
    traffic = Traffic(result.ranking.requests, iso(result.demand.since), iso(result.demand.until), curve)
    write_head(file, traffic)
    file.writelines(result.ranking.lines(result.cover.pairs))
    write_end(file, result.cover.pairs, result.cover.requests)


def covering_pops(result: Result) -> list[str]:
    """Return the smallest set of POPs that carries the percentage of the requests, the busiest first."""
    needed, carried, found = result.ranking.requests * result.percent / 100, 0, []
    for pop, requests in result.pops:
        if carried >= needed - 1e-6:
            break
        found.append(pop)
        carried += requests
    return found


def as_json(result: Result, *, pops: bool) -> dict[str, Any]:
    """Return the result as JSON; URLs are redacted, the CSV has them whole."""
    demand, damage = result.demand, result.damage
    targets, dollars = result.ranking.rectangle(result.cover)
    document: dict[str, Any] = {
        "files": result.files,
        "filesOutsideOfPeriod": result.pruned,
        "lines": demand.lines + damage.lines,
        "requests": result.ranking.requests,
        "from": iso(demand.since),
        "to": iso(demand.until),
        "urls": result.all.urls,
        "pops": result.all.pops,
        "pairs": result.all.pairs,
        "cover": _coverage(result.cover) | {"percent": result.percent},
        "curve": [_coverage(each) for each in result.curve],
        "rectangle": {"targets": targets, "estimatedDollars": round(dollars, 4)},
        "unknownPops": result.unknown_pops(),
        "ownRequests": demand.categories.get("own", 0),
        "estimatedDollars": round(result.cover.dollars, 4),
        "notDemand": demand.not_kept,
        "leftOut": {
            reason: {
                "urls": each.urls,
                "requests": each.requests,
                "examples": [redacted(url) for url in each.examples],
            }
            for reason, each in sorted(demand.left_out.items())
        },
        "damaged": {"lines": damage.lines, "examples": damage.examples, "files": damage.files},
        "missingFields": sorted(result.missing),
        "topPops": [{"pop": pop, "requests": requests} for pop, requests in result.pops[:TOP]],
        "topUrls": [{"url": redacted(url), "requests": count} for url, count in result.ranking.top("url", TOP)],
    }
    if result.sampling_rate is not None:
        document["samplingRate"] = result.sampling_rate
    if result.projected:
        document["projectedFrom"] = result.projected
    if pops:
        document["coveringPops"] = covering_pops(result)
    return document


def _coverage(each: Coverage) -> dict[str, Any]:
    return {
        "percent": each.percent,
        "share": round(each.share, 3),
        "pairs": each.pairs,
        "urls": each.urls,
        "pops": each.pops,
        "requests": each.requests,
        "estimatedDollars": round(each.dollars, 4),
    }


def text_lines(result: Result) -> Iterator[str]:
    """Yield the result for people."""
    demand, cover = result.demand, result.cover
    period = f", {iso(demand.since)} to {iso(demand.until)}" if demand.since else ""
    yield f"{count_of(demand.lines + result.damage.lines, 'line')} in {count_of(result.files, 'file')}{period}"
    yield (
        f"demand: {count_of(result.ranking.requests, 'request')} for {count_of(result.all.urls, 'URL')} at "
        f"{count_of(result.all.pops, 'POP')}, {count_of(result.all.pairs, 'pair')} of URL and POP"
    )
    if result.sampling_rate is not None:
        yield f"  estimated from a sample of {result.sampling_rate:g} % of the requests"
    yield ""
    rows = [
        (f"{each.share:.4g} %", f"{each.pairs:,}", f"{each.urls:,}", f"{each.pops:,}", f"${each.dollars:,.2f}")
        for each in [*result.curve, result.all]
    ]
    yield from table(("REQUESTS", "PAIRS", "URLS", "POPS", "WARMING COSTS ABOUT"), rows)
    targets, dollars = result.ranking.rectangle(cover)
    yield ""
    yield (
        f"selected: {count_of(cover.pairs, 'pair')} account for {cover.share:.4g} % of the requests, about "
        f"${cover.dollars:,.2f}; all of these URLs at all of these POPs are {targets:,} targets, about "
        f"${dollars:,.2f}"
    )
    yield ""
    yield from table(("TOP POPS", "REQUESTS"), [(pop, f"{count:,}") for pop, count in result.pops[:TOP]])
    yield ""
    top = [(redacted(url), f"{count:,}") for url, count in result.ranking.top("url", TOP)]
    yield from table(("REQUESTS", "TOP URLS"), [(count, url) for url, count in top])
    yield from _left_out_lines(result)
    yield from _note_lines(result)


def _left_out_lines(result: Result) -> Iterator[str]:
    """Yield what was left out, and why."""
    demand, damage = result.demand, result.damage
    lines = [
        f"{demand.not_kept[name]:,} {text}" + (f" ({', '.join(demand.odd_pops[:TOP])})" if name == "pop" else "")
        for name, text in CATEGORIES.items()
        if demand.not_kept.get(name)
    ]
    for reason, text in REASONS.items():
        if each := demand.left_out.get(reason):
            examples = ", ".join(redacted(url) for url in each.examples)
            lines.append(
                f"{count_of(each.urls, 'URL')} with demand of {count_of(each.requests, 'request')}: {text} "
                f"(such as {examples})"
            )
    if result.pruned:
        lines.append(f"{count_of(result.pruned, 'file')} skipped, because their names are of other hours")
    if damage.lines:
        # Athena's result has no places.
        more = ["…"] if damage.lines > len(damage.examples) > 0 else []
        named = f": {', '.join([*damage.examples, *more])}" if damage.examples else ""
        lines.append(f"{count_of(damage.lines, 'damaged line')}{named}")
    lines += [f"{name}: {reason}" for name, reason in damage.files.items()]
    if lines:
        yield ""
        yield "left out:"
        yield from (f"  {line}" for line in lines)


def _note_lines(result: Result) -> Iterator[str]:
    """Yield what the logs lack, and where the demand of new URLs comes from."""
    notes = [f"the logs of {count_of(files, 'file')} lack {text}" for text, files in sorted(result.missing.items())]
    if result.cover.pairs > PAIRS_AT_MOST:
        notes.append(
            f"a run takes at most {count_of(PAIRS_AT_MOST, 'pair')}, so it will refuse this list: pass a smaller "
            "--cover, or --most-pairs"
        )
    if result.rate_unused:
        notes.append("--sampling-rate has no effect: it applies to real-time logs, which have no header")
    for source, count in result.projected.items():
        if source == "nothing":
            notes.append(f"{count_of(count, 'URL')} in --urls: nothing in the logs resembles them")
        else:
            notes.append(f"{count_of(count, 'URL')} in --urls: demand by {source}")
    if unknown := result.unknown_pops():
        shown = ", ".join(unknown[:TOP]) + (", …" if len(unknown) > TOP else "")
        notes.append(f"{count_of(len(unknown), 'POP')} not in the catalogue, probed like any other: {shown}")
    if notes:
        yield ""
        yield "notes:"
        yield from (f"  {note}" for note in notes)


def printable(line: str) -> str:
    """Return a line without characters that a terminal would act on; logs contain what anyone sent."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
