"""When a DASH Representation's segments begin: from a SegmentTimeline, or from a duration. Pure.

Source: ISO/IEC 23009-1, 5.3.9 ("Segments and segment information"); durations: XML Schema Part 2, 3.2.6.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from prewarm.request.url_sources import URLS_AT_MOST
from resolve.sources.boundary import Unreadable
from resolve.sources.dash_tree import Node

NUMBER = r"(\d{1,12}(?:\.\d{0,12})?)"
DURATION = re.compile(
    rf"P(?:{NUMBER}Y)?(?:{NUMBER}M)?(?:{NUMBER}D)?(?:T(?:{NUMBER}H)?(?:{NUMBER}M)?(?:{NUMBER}S)?)?", re.ASCII
)
# Years and months have no fixed length; players count 365 and 30 days (dash.js, DurationMatcher).
SECONDS_OF = (365 * 86_400, 30 * 86_400, 86_400, 3_600, 60, 1)


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment's number and its start time, in units of the timescale."""

    number: int
    time: int


def duration(text: str) -> float | None:
    """Return an ISO 8601 duration in seconds, or None for any other text."""
    matched = DURATION.fullmatch(text.strip()[:200])
    if matched is None or not any(matched.groups()):
        return None
    return sum(float(value or 0) * size for value, size in zip(matched.groups(), SECONDS_OF, strict=True))


def segment_times(described: Node, seconds: float | None, most: int | None = None) -> Iterator[Segment]:
    """Yield the segments of a SegmentTemplate, up to its last one (`endNumber`, the timeline's end, or the period's).

    They are counted before the first is yielded. `most`: how many the caller takes, None for all; what follows one
    more than that is not read.

    Raises:
        Unreadable: the description is invalid, has no end, or more segments than a run has URLs.

    """
    first = whole_number(described.get("startNumber", "1"), "startNumber")
    last = whole_number(described.get("endNumber"), "endNumber") if "endNumber" in described.attributes else None
    scale = max(1, whole_number(described.get("timescale", "1"), "timescale"))
    timeline = described.first("SegmentTimeline")
    if timeline is not None:
        source = _of_timeline(timeline.children, described, seconds, scale, first)
    else:
        source = iter([_of_duration(described, seconds, scale, first, last)])
    runs: list[_Run] = []
    count = 0
    for run in source:
        ends = last is not None and run.number + run.count > last
        runs.append(replace(run, count=max(0, last + 1 - run.number)) if ends and last is not None else run)
        count += runs[-1].count
        # The manifest itself is one of the run's URLs.
        if min(count, most or count) >= URLS_AT_MOST:
            raise Unreadable(f"it lists {URLS_AT_MOST:,} segments or more; set max_segments")
        if ends or (most is not None and count > most):
            break
    for run in runs:
        for position in range(run.count):
            yield Segment(run.number + position, run.time + position * run.length)


@dataclass(frozen=True, slots=True)
class _Run:
    """Segments of one length in a row: number and time of the first, their length, and how many there are."""

    number: int
    time: int
    length: int
    count: int


def _of_duration(described: Node, seconds: float | None, scale: int, first: int, last: int | None) -> _Run:
    length = whole_number(described.get("duration", "0"), "duration")
    if length <= 0 or (seconds is None and last is None):
        raise Unreadable("it has a SegmentTemplate with neither a SegmentTimeline nor a finite duration")
    counts = [] if last is None else [last - first + 1]
    if seconds is not None:
        counts.append(math.ceil(round(seconds * scale / length, 6)))
    return _Run(first, 0, length, max(0, min(counts)))


def _of_timeline(
    entries: list[Node], described: Node, seconds: float | None, scale: int, first: int
) -> Iterator[_Run]:
    if not entries:
        raise Unreadable("it has an empty SegmentTimeline")
    now, number = 0, first
    offset = whole_number(described.get("presentationTimeOffset", "0"), "presentationTimeOffset")
    for position, node in enumerate(entries):
        now = whole_number(node.get("t"), "t") if node.get("t") else now
        number = whole_number(node.get("n"), "n") if node.get("n") else number
        if whole_number(node.get("k", "1"), "k") > 1:
            raise Unreadable("it has segment sequences (S@k), which the service does not know")
        length = whole_number(node.get("d", "0"), "d")
        if length <= 0:
            raise Unreadable("it has a SegmentTimeline with a segment of zero length")
        repeats = _repeats(node.get("r", "0"))
        if repeats < 0:
            # Until the next entry's time, or the period's end.
            following = entries[position + 1].get("t") if position + 1 < len(entries) else ""
            if not following and seconds is None:
                raise Unreadable("it has a SegmentTimeline that repeats until an unknown end")
            end = whole_number(following, "t") if following else (seconds or 0) * scale + offset
            repeats = max(0, math.ceil(round((end - now) / length, 6)) - 1)
        yield _Run(number, now, length, repeats + 1)
        number, now = number + repeats + 1, now + (repeats + 1) * length


def _repeats(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text.strip(), re.ASCII):
        raise Unreadable(f"it has r={text[:40]!r}, which is not a whole number")
    return int(text)


def whole_number(text: str, name: str) -> int:
    """Return a number of a manifest; `4.0` is 4.

    Raises:
        Unreadable: it is not a whole number of at most 18 digits.

    """
    if not re.fullmatch(r"\d{1,18}(?:\.0{0,9})?", text.strip(), re.ASCII):
        raise Unreadable(f"it has {name}={text[:40]!r}, which is not a whole number")
    return int(text.strip().partition(".")[0])
