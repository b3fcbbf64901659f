"""A dry run as text: what a run would do and cost. A run's status uses some of its lines too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prewarm.counted import count_of
from prewarm.results.target_texts import target_text
from prewarm_cli.options.user_request import with_options
from prewarm_cli.output.skipped import skipped_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTE = 1_000_000
# Dollars: the least that four decimals do not round to zero.
LEAST_SHOWN = 0.000_05
# Documents of each source shown; the status has more.
DOCUMENTS_SHOWN = 20


def left_out_lines(sources: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what a run left out of its sources by choice; what it skipped is among its warnings."""
    for source in sources:
        for each in source["leftOut"]:
            if not each["skipped"]:
                examples = f" (such as {', '.join(each['examples'])})" if each["examples"] else ""
                count = count_of(each["count"], "entry", "entries")
                yield f"left out {source['source']}: {count}: {each['reason']}{examples}"


def duplicates_text(count: int, *, of_pairs: bool = False) -> str:
    """Return how many entries were left out; `of_pairs`: they are pairs of a list of targets."""
    if of_pairs:
        return f"{count_of(count, 'pair')} left out: listed again; the requests are added"
    return f"{count_of(count, 'duplicate')} left out: another spelling of a URL of the run"


def price(cost: dict[str, Any]) -> str:
    """Return an estimate; without known sizes it lacks the transfer, usually its largest part."""
    missing = " without transfer: size unknown" if cost.get("withoutTransfer") else ""
    return f"{dollars_text(cost['dollars'])}{missing}"


def dollars_text(amount: float) -> str:
    """Return an amount with four decimals, or six where four would show a small one as free."""
    return f"${amount:,.6f}" if 0 < amount < LEAST_SHOWN else f"${amount:,.4f}"


def _invalidation(figures: dict[str, Any]) -> str:
    """Return what a run would invalidate; a service of an earlier release returns paths and rounds only."""
    what = ", ".join(figures.get("patterns", [])) or count_of(figures["paths"], "path")
    line = f"invalidation: {what} in {count_of(figures['rounds'], 'round')}"
    if "minutes" in figures:
        line += f", {count_of(figures['minutes'], 'minute')} or more, ${figures['dollars']:,.3f}"
    return line


def _demand(demand: dict[str, Any]) -> str:
    """Return how many pairs the targets have, and their share of all requests where that is known."""
    pairs = f"{count_of(demand['pairs'], 'pair')} of URL and POP with {count_of(demand['requests'], 'request')}"
    if demand["share"] is None:
        why = "no #traffic line" if demand["allRequests"] is None else "the #traffic line counts fewer"
        return f"{pairs}; their share of all requests is unknown ({why})"
    period = f" from {demand['from']} to {demand['to']}" if demand["from"] and demand["to"] else ""
    return f"{pairs}, {demand['share']:g} % of all{period}"


def dry_run_price(dry_run: dict[str, Any]) -> str:
    """Return what a dry run estimates, with a note where no size, or few sizes, are known."""
    unknown = dry_run.get("estimatedBytes") is None and bool(dry_run["fetches"])
    text = price(dry_run["cost"] | {"withoutTransfer": unknown})
    sizes = dry_run.get("sizes") or {}
    if not unknown and sizes.get("known", 0) < sizes.get("asked", 0):
        text += f", with sizes known of {sizes['known']:,} of {count_of(sizes['asked'], 'URL')} that were asked for"
    return text


def document_lines(sources: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the documents that a run read, with X-Cache and Age; a service of an earlier release returns none."""
    for source in sources:
        documents = source.get("documents", [])
        for each in documents[:DOCUMENTS_SHOWN]:
            age = "" if each["age"] is None else f", Age: {each['age']} s"
            x_cache = f"X-Cache: {each['xCache'] or 'absent'}" if each["origin"] != "s3" else "from S3"
            again = ", invalidated before" if each["origin"] == "invalidated" else ""
            yield f"read     {source['source']}: {each['url']} ({x_cache}{age}{again})"
        if (more := source.get("documentsRead", 0) - len(documents[:DOCUMENTS_SHOWN])) > 0:
            cached = count_of(source["documentsFromCache"], "document")
            yield f"read     {source['source']}: {more:,} more; {cached} in all came from a cache"


def _origin_fetches(estimate: dict[str, Any]) -> str:
    """Return how often the origins would be asked, and how often of these past the regional edge caches."""
    line = f"about {count_of(estimate['fetches'], 'fetch', 'fetches')} at an origin"
    return f"{line}, {estimate['direct']:,} of them past the regional edge caches" if estimate["direct"] else line


def _tiers(dry_run: dict[str, Any]) -> Iterator[str]:
    """Yield what each tier would do and cost; a service of an earlier release, or a run of pairs, has one."""
    for each in dry_run.get("tiers") or []:
        this = " (this run)" if each["tier"] == dry_run["tier"] else ""
        places = count_of(each["pops"], "POP" if each["tier"] == "edge" else "regional edge cache")
        unknown = each["estimatedBytes"] is None and bool(each["fetches"])
        yield (
            f"tier {each['tier']}{this}: {count_of(each['targets'], 'target')} in {places}, "
            f"{count_of(each['fetches'], 'fetch', 'fetches')}, {each['originFetches']:,} at an origin, "
            f"about {price({'dollars': each['dollars'], 'withoutTransfer': unknown})}"
        )


def _target_text(dry_run: dict[str, Any]) -> str:
    """Return what the targets are: a product only where all distributions have the same number of POPs."""
    groups = dry_run["distributions"]
    pops, urls = {len(each["pops"]) for each in groups}, sum(each["urls"] for each in groups)
    variants = len(dry_run.get("variants", []))
    whole = len(pops) == 1 and dry_run["targets"] == urls * max(pops) * variants
    return target_text(dry_run["targets"], max(pops) if whole else None, variants)


def dry_run_lines(dry_run: dict[str, Any]) -> Iterator[str]:
    """Yield what a run would do and cost."""
    if first := dry_run.get("mostlySkipped"):
        yield str(first)
    yield "Dry run: nothing was warmed. A run would warm:"
    yield f"{count_of(dry_run['urls'], 'URL')} of {count_of(dry_run['hosts'], 'host')}"
    if duplicates := dry_run.get("duplicates"):
        yield duplicates_text(duplicates, of_pairs=bool(dry_run.get("demand")))
    yield (
        f"{count_of(dry_run['targets'], 'target')} ({_target_text(dry_run)}) in "
        f"{count_of(dry_run['batches'], 'batch', 'batches')} and {count_of(dry_run['stages'], 'stage')}; "
        f"{count_of(dry_run['fetches'], 'fetch', 'fetches')} including verification"
    )
    if origin := dry_run.get("originFetches"):
        yield _origin_fetches(origin)
    for each in dry_run["distributions"]:
        yield (f"{each['domain']}: {count_of(each['urls'], 'URL')} through {count_of(len(each['pops']), 'POP')}")
        yield from skipped_lines(each, "repeat with --json")
    if demand := dry_run.get("demand"):
        yield _demand(demand)
    if (unserved := dry_run["noDistribution"])["urls"]:
        yield f"no distribution serves {count_of(unserved['urls'], 'URL')} of {', '.join(unserved['hosts'])}"
    if dry_run["invalidation"]["paths"]:
        yield _invalidation(dry_run["invalidation"])
    if (size := dry_run.get("estimatedBytes")) is not None:
        yield f"about {size / MEGABYTE:,.1f} MB"
    yield f"about {dry_run_price(dry_run)}"
    yield from _tiers(dry_run)
    yield from document_lines(dry_run.get("sources", []))
    yield from left_out_lines(dry_run.get("sources", []))
    for warning in dry_run["warnings"]:
        yield f"warning  {with_options(warning)}"
