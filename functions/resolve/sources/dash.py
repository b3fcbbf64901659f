"""DASH (ISO/IEC 23009-1): the segments that a media presentation description lists."""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

from prewarm.request.url_sources import URLS_AT_MOST, ManifestSource

DURATION = re.compile(r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d*)?)S)?)?", re.ASCII)
IDENTIFIER = re.compile(r"\$(?:(RepresentationID)|(Number|Time|Bandwidth)(?:%0(\d{1,2})d)?|)\$")


@dataclass(frozen=True)
class _Segments:
    """A Representation's segments: base address, its period's seconds (None: unknown), and their description."""

    base: str
    seconds: float | None
    template: dict[str, str]
    timeline: list[ET.Element] | None
    listed: list[ET.Element]
    initialization: str
    media_base: bool


def is_live(root: ET.Element) -> bool:
    """Return whether a presentation is live: it keeps growing."""
    return root.get("type") == "dynamic"


def segments(root: ET.Element, base: str, source: ManifestSource) -> Iterator[str]:
    """Yield the addresses of a presentation's init segments and media segments, Representation by Representation.

    Raises:
        ValueError: the presentation is invalid, or lists more segments than a run accepts.

    """
    base = _base(root, base)
    periods = root.findall("Period")
    total = duration(root.get("mediaPresentationDuration", ""))
    for number, period in enumerate(periods):
        seconds = duration(period.get("duration", ""))
        if seconds is None and number + 1 < len(periods):
            start, end = duration(period.get("start", "PT0S")), duration(periods[number + 1].get("start", ""))
            seconds = end - start if start is not None and end is not None else None
        elif seconds is None and total is not None:
            seconds = total - (duration(period.get("start", "PT0S")) or 0)
        for group in period.findall("AdaptationSet"):
            yield from _of_set(group, [period, group], _base(period, base), seconds, source)


def _of_set(
    group: ET.Element, above: list[ET.Element], base: str, seconds: float | None, source: ManifestSource
) -> Iterator[str]:
    base = _base(group, base)
    selected = group.findall("Representation")
    if source.renditions == "lowest":
        selected = sorted(selected, key=lambda each: _number(each.get("bandwidth", "0"), "bandwidth"))[:1]
    for representation in selected:
        yield from _of_representation(representation, _segments_of(representation, above, base, seconds), source)


def _segments_of(representation: ET.Element, above: list[ET.Element], base: str, seconds: float | None) -> _Segments:
    """Return a Representation's segments, with all that it inherits from its period and adaptation set."""
    template: dict[str, str] = {}
    timeline: list[ET.Element] | None = None
    listed: list[ET.Element] = []
    initialization = ""
    for level in [*above, representation]:
        for kind in ("SegmentBase", "SegmentList", "SegmentTemplate"):
            node = level.find(kind)
            if node is None:
                continue
            if kind != "SegmentBase":
                template |= node.attrib
            if (line := node.find("SegmentTimeline")) is not None:
                timeline = line.findall("S")
            if (first := node.find("Initialization")) is not None:
                initialization = first.get("sourceURL", "")
            listed = node.findall("SegmentURL") or listed
    has_base = representation.find("BaseURL") is not None
    return _Segments(_base(representation, base), seconds, template, timeline, listed, initialization, has_base)


def _of_representation(representation: ET.Element, described: _Segments, source: ManifestSource) -> Iterator[str]:
    values = {"RepresentationID": representation.get("id", ""), "Bandwidth": representation.get("bandwidth", "0")}
    if described.initialization:
        yield urljoin(described.base, described.initialization)
    if "initialization" in described.template:
        yield urljoin(described.base, filled(described.template["initialization"], values))
    if "media" in described.template:
        for number, time in _numbered(described, source.max_segments):
            media = filled(described.template["media"], values | {"Number": str(number), "Time": str(time)})
            yield urljoin(described.base, media)
    elif described.listed:
        for node in described.listed[: source.max_segments]:
            yield urljoin(described.base, node.get("media", ""))
    elif described.media_base:
        # A single file, which players read by ranges.
        yield described.base


def _numbered(described: _Segments, most: int | None) -> Iterator[tuple[int, int]]:
    """Yield each segment's number and start time, from its timeline or from its duration."""
    first = _number(described.template.get("startNumber", "1"), "startNumber")
    scale = max(1, _number(described.template.get("timescale", "1"), "timescale"))
    for count, time in enumerate(_times(described, scale)):
        if most is not None and count >= most:
            return
        if count >= URLS_AT_MOST:
            raise ValueError(f"lists more than {URLS_AT_MOST:,} segments; set max_segments")
        yield first + count, time


def _times(described: _Segments, scale: int) -> Iterator[int]:
    if described.timeline is None:
        each = _number(described.template.get("duration", "0"), "duration")
        if described.seconds is None or each <= 0:
            raise ValueError("has a SegmentTemplate with neither a SegmentTimeline nor a finite duration")
        for number in range(math.ceil(round(described.seconds * scale / each, 6))):
            yield number * each
        return
    now = 0
    for position, node in enumerate(described.timeline):
        now = _number(node.get("t", str(now)), "t")
        length = _number(node.get("d", "0"), "d")
        if length <= 0:
            raise ValueError("has a SegmentTimeline with a segment of zero length")
        repeats = int(node.get("r", "0")) if re.fullmatch(r"-?\d{1,18}", node.get("r", "0")) else 0
        if repeats < 0:
            # Until the next entry's time, or the period's end.
            following = described.timeline[position + 1].get("t") if position + 1 < len(described.timeline) else None
            if following is None and described.seconds is None:
                raise ValueError("has a SegmentTimeline that repeats until an unknown end")
            offset = _number(described.template.get("presentationTimeOffset", "0"), "presentationTimeOffset")
            end = _number(following, "t") if following is not None else (described.seconds or 0) * scale + offset
            repeats = max(0, math.ceil(round((end - now) / length, 6)) - 1)
        for _ in range(repeats + 1):
            yield now
            now += length


def filled(template: str, values: dict[str, str]) -> str:
    """Return a template with its identifiers filled in: `$Number%05d$` and the like; `$$` is a dollar sign."""

    def value(identifier: re.Match[str]) -> str:
        name = identifier[1] or identifier[2]
        if name is None:
            return "$"
        text = values.get(name, "")
        return text.zfill(int(identifier[3])) if identifier[3] else text

    return IDENTIFIER.sub(value, template)


def duration(text: str) -> float | None:
    """Return an ISO 8601 duration of days and less in seconds, or None for any other text."""
    matched = DURATION.fullmatch(text)
    if not text or matched is None:
        return None
    return sum(float(matched[unit] or 0) * size for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)))


def _base(node: ET.Element, base: str) -> str:
    return urljoin(base, (node.findtext("BaseURL") or "").strip())


def _number(text: str, name: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise ValueError(f"has {name}={text[:40]!r}, which is not a whole number")
    return int(text)
