"""DASH (ISO/IEC 23009-1): the addresses of the segments that a media presentation description lists. Pure."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from prewarm.request.url_sources import ManifestSource
from resolve.sources.boundary import Place, Unreadable
from resolve.sources.dash_timing import Segment, duration, segment_times
from resolve.sources.dash_tree import WITH_QUERY, Node

IDENTIFIER = re.compile(r"\$(?:(RepresentationID)|(Number|Time|Bandwidth)(?:%0(\d{1,2})d)?|)\$")
UNKNOWN_IDENTIFIER = re.compile(r"\$(?:[A-Za-z]+)(?:%[^$]{0,8})?\$")
KINDS = ("SegmentBase", "SegmentList", "SegmentTemplate")
XLINK = "xlink:href, a part of the manifest in another document: pass it as a separate manifest to warm it"
MORE_SEGMENTS = "segments after the first max_segments of a rendition"
TO_ZERO = "urn:mpeg:dash:resolve-to-zero:2013"


@dataclass(frozen=True)
class Presentation:
    """What a manifest's expansion needs of its surroundings.

    `bases`: turns the BaseURLs of an element, each resolved against every base above it, into those to use; `skip`
    and `leave_out`: take an address and the reason why it is not warmed; `count_part`: counts a whole Representation.
    """

    source: ManifestSource
    bases: Callable[[list[str], list[str]], list[str]]
    skip: Callable[[str, str], None]
    count_part: Callable[[], None]
    leave_out: Callable[[str, str, int], None]
    place: Place


@dataclass
class _Level:
    """What a Representation inherits: base addresses, its period's seconds, and its segments' description by kind."""

    bases: list[str]
    seconds: float | None
    described: dict[str, Node] = field(default_factory=dict)
    nearest: str = ""
    query: str = ""

    def below(self, node: Node, presentation: Presentation) -> "_Level":
        """Return the level of a child element."""
        own = [each.text for each in node.all("BaseURL") if each.text]
        bases = presentation.bases(self.bases, own) if own else self.bases
        described, nearest = dict(self.described), self.nearest
        for kind in KINDS:
            if (found := node.first(kind)) is None:
                continue
            if href := found.get("href"):
                presentation.skip(href, XLINK)
            described[kind] = _inherited(described.get(kind), found)
            nearest = kind
        return _Level(bases, self.seconds, described, nearest, node.get(WITH_QUERY) or self.query)


def _inherited(above: Node | None, own: Node) -> Node:
    """Return a description with the attributes and the elements that it inherits from the same kind above."""
    if above is None:
        return own
    names = {child.name for child in own.children}
    children = own.children + [child for child in above.children if child.name not in names]
    return Node(own.name, above.attributes | own.attributes, own.line, children)


def is_live(root: Node) -> bool:
    """Return whether a presentation is live: it keeps growing."""
    return root.get("type") == "dynamic"


def segments(root: Node, base: str, presentation: Presentation) -> Iterator[tuple[str, list[str]]]:
    """Yield the addresses of a presentation's init segments and media segments, each with its base addresses."""
    top = _Level([base], None).below(root, presentation)
    for period, seconds in _periods(root, presentation):
        level = _Level(top.bases, seconds, query=top.query).below(period, presentation)
        for group in period.all("AdaptationSet"):
            if href := group.get("href"):
                if href != TO_ZERO:
                    presentation.skip(href, XLINK)
                if not group.children:
                    continue
            yield from _of_set(group, level.below(group, presentation), presentation)


def _periods(root: Node, presentation: Presentation) -> Iterator[tuple[Node, float | None]]:
    """Yield the periods with their seconds (None: unknown); a period ends where the next one begins."""
    periods = [each for each in root.all("Period") if each.get("href") != TO_ZERO]
    total = duration(root.get("mediaPresentationDuration"))
    start: float | None = 0.0
    for number, period in enumerate(periods):
        if href := period.get("href"):
            presentation.skip(href, XLINK)
            if not period.children:
                start = None
                continue
        given = duration(period.get("start"))
        start = given if given is not None else start
        seconds = duration(period.get("duration"))
        following = duration(periods[number + 1].get("start")) if number + 1 < len(periods) else total
        if seconds is None and start is not None and following is not None:
            seconds = max(0.0, following - start)
        yield period, seconds
        start = start + seconds if start is not None and seconds is not None else None


def _of_set(group: Node, level: _Level, presentation: Presentation) -> Iterator[tuple[str, list[str]]]:
    selected = group.all("Representation")
    if presentation.source.renditions == "lowest" and len(selected) > 1:
        selected = sorted(selected, key=_bandwidth)
        presentation.leave_out(
            selected[1].get("id"),
            "a Representation that is not the lowest of its set (renditions)",
            len(selected) - 1,
        )
        selected = selected[:1]
    for representation in selected:
        presentation.place.line = representation.line
        try:
            yield from _of_representation(representation, level.below(representation, presentation), presentation)
            presentation.count_part()
        except Unreadable as error:
            presentation.skip(
                f"Representation {representation.get('id')[:100]!r} (line {representation.line})", str(error)
            )


def _bandwidth(representation: Node) -> float:
    text = representation.get("bandwidth")
    return int(text) if re.fullmatch(r"\d{1,18}", text, re.ASCII) else float("inf")


def _of_representation(
    representation: Node, level: _Level, presentation: Presentation
) -> Iterator[tuple[str, list[str]]]:
    if level.query:
        raise Unreadable(f"its addresses get a query string from {level.query}, which the service does not know")
    values = {"RepresentationID": representation.get("id"), "Bandwidth": representation.get("bandwidth", "0")}
    described = level.described.get(level.nearest, Node("", {}, representation.line))
    for name in ("BitstreamSwitching", "Initialization", "RepresentationIndex"):
        if (node := described.first(name)) is not None:
            # Without an address it is a range of the Representation's own file.
            yield node.get("sourceURL"), level.bases
    if level.nearest == "SegmentTemplate":
        yield from _of_template(described, values, level, presentation)
    elif level.nearest == "SegmentList" and described.first("SegmentURL") is not None:
        listed = described.all("SegmentURL")
        most = presentation.source.max_segments or len(listed)
        presentation.leave_out("", MORE_SEGMENTS, len(listed) - most)
        for node in listed[:most]:
            # Without an address it is a range of the Representation's own file.
            yield node.get("media"), level.bases
            if node.get("index"):
                yield node.get("index"), level.bases
    elif not (level.nearest == "SegmentList" and described.get("href")) and representation.first("BaseURL"):
        # A single file, which players read by ranges.
        yield "", level.bases
    elif level.nearest != "SegmentList" or not described.get("href"):
        raise Unreadable("it has neither segments nor a BaseURL")


def _of_template(
    described: Node, values: dict[str, str], level: _Level, presentation: Presentation
) -> Iterator[tuple[str, list[str]]]:
    for name in ("bitstreamSwitching", "initialization"):
        if name in described.attributes:
            yield _known(filled(described.get(name), values)), level.bases
    templates = [described.get(name) for name in ("media", "index") if name in described.attributes]
    if not templates:
        return
    if "$SubNumber" in templates[0]:
        raise Unreadable("it has partial segments ($SubNumber$), which the service does not know")
    most = presentation.source.max_segments
    for count, each in enumerate(segment_times(described, level.seconds, most)):
        if most is not None and count >= most:
            presentation.leave_out("", MORE_SEGMENTS, 1)
            return
        for template in templates:
            yield _known(filled(template, values | _values_of(each))), level.bases


def _values_of(segment: Segment) -> dict[str, str]:
    return {"Number": str(segment.number), "Time": str(segment.time)}


def _known(address: str) -> str:
    if unknown := UNKNOWN_IDENTIFIER.search(address):
        raise Unreadable(f"its template has the identifier {unknown[0]!r}, which the service does not know")
    return address


def filled(template: str, values: dict[str, str]) -> str:
    """Return a template with its identifiers filled in: `$Number%05d$` and the like; `$$` is a dollar sign."""

    def value(identifier: re.Match[str]) -> str:
        name = identifier[1] or identifier[2]
        if name is None:
            return "$"
        text = values.get(name, "")
        return text.zfill(int(identifier[3])) if identifier[3] else text

    return IDENTIFIER.sub(value, template)
