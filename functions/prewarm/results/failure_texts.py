"""What happened to a failed URL, as one sentence and as fields. Pure; the only source of these texts."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from prewarm.counted import count_of
from prewarm.results.failures import ID_IN_RECORDS, UNKNOWN_STATUS, Example, Kind, by_status
from prewarm.results.outcome import IN_WORDS, Outcome
from prewarm.results.regional_causes import IN_WORDS as REGIONAL_CAUSES
from prewarm.results.server_errors import IN_WORDS as CAUSES

KINDS_SHOWN = 3
# Outcomes of URLs that were requested at no POP, so that the text has no number of POPs.
WITHOUT_POPS = frozenset({Outcome.NO_DISTRIBUTION, Outcome.UNREACHABLE, Outcome.REJECTED})
# Outcomes of URLs that a stopped run did not finish: as far as is known, they did not fail.
UNFINISHED = frozenset({Outcome.CANCELLED, Outcome.DEADLINE})
# AWS WAF's responses by status (AWS WAF Developer Guide, "CAPTCHA and Challenge actions").
BLOCKED_BY_STATUS = {
    "": IN_WORDS[Outcome.BLOCKED],
    UNKNOWN_STATUS: IN_WORDS[Outcome.BLOCKED],
    "202": "an AWS WAF challenge",
    "403": "the edge or the origin refused it",
    "405": "an AWS WAF CAPTCHA",
}


def what_happened(
    kinds: Mapping[str, int], example: Example | None, *, variants: int, everywhere: bool = False
) -> str:
    """Return a URL's failures with their numbers and an example.

    Such as "404 at 297 POPs, such as FRA56-P5 (x-amz-cf-id …)". With several variants, or where their number is
    unknown (0), targets are counted instead of POPs. `everywhere`: whether the URL failed at all of them.
    """
    ordered = sorted(kinds.items(), key=lambda item: -item[1])
    share = "all " if everywhere and len(ordered) == 1 and ordered[0][1] > 1 else ""
    parts = [_counted(Kind.of(key), count, share, variants) for key, count in ordered[:KINDS_SHOWN]]
    if len(ordered) > KINDS_SHOWN:
        rest = sum(count for _, count in ordered[KINDS_SHOWN:])
        others = count_of(len(ordered) - KINDS_SHOWN, "other kind")
        parts.append(f"{others} of failure at {_number(rest, variants)}")
    return "; ".join(parts) + (_such_as(example) if example else "")


def what_happened_to(entry: Mapping[str, Any], *, variants: int) -> str:
    """Return the failures of a failed URL of a summary or report; those of earlier versions lack `everywhere`."""
    example, everywhere = example_from_json(entry["example"]), entry.get("everywhere", False)
    return what_happened(entry["kinds"], example, variants=variants, everywhere=everywhere)


def _counted(kind: Kind, number: int, share: str, variants: int) -> str:
    """Return a kind of failure with its number, unless its URL was requested at no POP or the number is unknown."""
    before_the_plan = kind.outcome in {*UNFINISHED, Outcome.LOST} and not variants and number == 1
    if kind.outcome in WITHOUT_POPS or before_the_plan:
        return label(kind)
    return f"{label(kind)} at {share}{_number(number, variants)}"


def label(kind: Kind) -> str:
    """Return the text for a kind of failure: a 4xx or 5xx begins with its status, others name the one received."""
    outcome, status = kind.outcome, kind.status
    words = _words(kind)
    if not status:
        return words
    if status == UNKNOWN_STATUS:
        return _with_note(words, "with several HTTP statuses")
    if outcome == Outcome.CLIENT_ERROR:
        return f"{status} {phrase}" if (phrase := _phrase(status)) else f"status {status}"
    if outcome == Outcome.SERVER_ERROR:
        return f"{status} ({words})"
    if outcome in {Outcome.BLOCKED, Outcome.REDIRECT, Outcome.LIMITED}:
        return f"{status} {_phrase(status)}".strip() + f" ({words})"
    # A status such as 200 in front would read like a success.
    return _with_note(words, f"status {status} received")


def _words(kind: Kind) -> str:
    """Return what happened; outcomes of a newer service as they are named."""
    if kind.outcome not in IN_WORDS:
        return kind.outcome.replace("_", " ")
    words = IN_WORDS[Outcome(kind.outcome)]
    if kind.outcome == Outcome.SERVER_ERROR:
        return CAUSES.get(kind.cause, words)
    if kind.outcome == Outcome.UNPROVEN:
        return REGIONAL_CAUSES.get(kind.cause, words)
    if kind.outcome == Outcome.BLOCKED:
        return BLOCKED_BY_STATUS.get(kind.status, "AWS WAF refused it")
    return words


def _with_note(words: str, note: str) -> str:
    """Return words with a note in parentheses, in those that they end with."""
    return f"{words[:-1]}; {note})" if words.endswith(")") else f"{words} ({note})"


def heading(number: int, kinds: Iterable[Kind]) -> str:
    """Return how many URLs failed, or were left when the run ended, as the heading of a group with these kinds."""
    left = all(kind.outcome in UNFINISHED for kind in kinds)
    return f"{count_of(number, 'URL')} {'not warm' if left else 'failed'}"


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
    # The X-Cache of a body that ended early says nothing: it was sent before the body, which the edge does not keep.
    if example.x_cache not in {"", "Error from cloudfront"} and example.outcome != Outcome.TRUNCATED:
        seen.insert(0, f"X-Cache: {example.x_cache}")
    return f", such as {example.pop}" + (f" ({', '.join(seen)})" if seen else "")


def _number(count: int, variants: int) -> str:
    return count_of(count, "POP" if variants == 1 else "target")


def _phrase(status: str) -> str:
    try:
        return HTTPStatus(int(status)).phrase
    except ValueError:
        return ""
