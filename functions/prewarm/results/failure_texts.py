"""What happened to a failed URL, as one sentence and as fields. Pure; the only source of these texts."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from prewarm.counted import count_of
from prewarm.results.failures import ID_IN_RECORDS, UNKNOWN_STATUS, Example, Kind, by_status
from prewarm.results.outcome import IN_WORDS, Outcome
from prewarm.results.regional_causes import IN_WORDS as REGIONAL_CAUSES
from prewarm.results.server_errors import IN_WORDS as CAUSES

KINDS_SHOWN = 3


def what_happened(
    kinds: Mapping[str, int], example: Example | None, *, variants: int, everywhere: bool = False
) -> str:
    """Return a URL's failures with their numbers and an example.

    Such as "404 at 297 POPs, such as FRA56-P5 (x-amz-cf-id …)". With several variants, or where their number is
    unknown (0), targets are counted instead of POPs. `everywhere`: whether the URL failed at all of them.
    """
    ordered = sorted(kinds.items(), key=lambda item: -item[1])
    share = "all " if everywhere and len(ordered) == 1 and ordered[0][1] > 1 else ""
    parts = [_counted(Kind.of(key), share + _number(count, variants)) for key, count in ordered[:KINDS_SHOWN]]
    if len(ordered) > KINDS_SHOWN:
        rest = sum(count for _, count in ordered[KINDS_SHOWN:])
        parts.append(f"{len(ordered) - KINDS_SHOWN} other kinds at {_number(rest, variants)}")
    return "; ".join(parts) + (_such_as(example) if example else "")


def what_happened_to(entry: Mapping[str, Any], *, variants: int) -> str:
    """Return the failures of a failed URL of a summary or report; those of earlier versions lack `everywhere`."""
    example, everywhere = example_from_json(entry["example"]), entry.get("everywhere", False)
    return what_happened(entry["kinds"], example, variants=variants, everywhere=everywhere)


def _counted(kind: Kind, number: str) -> str:
    """Return a kind of failure with its number; a URL without a distribution was requested at no POP."""
    if kind.outcome == Outcome.NO_DISTRIBUTION:
        return label(kind)
    return f"{label(kind)} at {number}"


def label(kind: Kind) -> str:
    """Return a kind of failure in words: its status and name, or what happened instead of a response."""
    words = IN_WORDS[Outcome(kind.outcome)] if kind.outcome in IN_WORDS else kind.outcome
    if not kind.status:
        return f"{kind.outcome} ({words})"
    if kind.status == UNKNOWN_STATUS:
        return f"{kind.outcome}, each with one of many statuses ({words})"
    if kind.outcome == Outcome.SERVER_ERROR:
        return f"{kind.status} ({CAUSES.get(kind.cause, words)})"
    if kind.outcome == Outcome.UNPROVEN:
        words = REGIONAL_CAUSES.get(kind.cause, words)
    if kind.outcome == Outcome.TRUNCATED:
        return f"{kind.status}, but {words}"  # "200 truncated" would read like a success
    if kind.outcome == Outcome.CLIENT_ERROR:
        return f"{kind.status} {_phrase(kind.status)}".strip()
    return f"{kind.status} {kind.outcome} ({words})"


def everywhere_text(number: int) -> str:
    """Return how many URLs failed everywhere, which says nothing about single POPs."""
    return f"{count_of(number, 'URL')} failed everywhere"


def example_as_json(example: Example | None) -> dict[str, Any] | None:
    """Return an example as the fields of a status or report; without headers that the edge did not send."""
    if example is None:
        return None
    known = example.cf_id not in {"", ID_IN_RECORDS}
    return {
        "pop": example.pop,
        "outcome": example.outcome,
        "status": example.status or None,
        "cause": example.cause or None,
        "xCache": example.x_cache or None,
        "requestId": example.cf_id if known else None,
        "inRecords": example.cf_id == ID_IN_RECORDS,
    }


def example_from_json(document: dict[str, Any] | None) -> Example | None:
    """Return the example that `example_as_json` wrote; its URL's index is not kept."""
    if document is None:
        return None
    cf_id = ID_IN_RECORDS if document["inRecords"] else document["requestId"] or ""
    seen = document["status"] or 0, document["xCache"] or "", cf_id, document["cause"] or ""
    return Example(-1, document["pop"], document["outcome"], *seen)


def failure_fields(kinds: Mapping[str, int], example: Example | None) -> dict[str, Any]:
    """Return what summary and report keep of a URL's failures: counts by kind and by status, and an example."""
    return {"kinds": dict(kinds), "statuses": by_status(kinds), "example": example_as_json(example)}


def _such_as(example: Example) -> str:
    if example.cf_id == ID_IN_RECORDS:
        return f", such as {example.pop} (its request id is in the run's records)"
    seen = [f"x-amz-cf-id {example.cf_id}"] if example.cf_id else []
    if example.x_cache and example.x_cache != "Error from cloudfront":
        seen.insert(0, f"X-Cache: {example.x_cache}")
    return f", such as {example.pop}" + (f" ({', '.join(seen)})" if seen else "")


def _number(count: int, variants: int) -> str:
    return count_of(count, "POP" if variants == 1 else "target")


def _phrase(status: str) -> str:
    try:
        return HTTPStatus(int(status)).phrase
    except ValueError:
        return ""
