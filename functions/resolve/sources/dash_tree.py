"""The elements of a DASH manifest (ISO/IEC 23009-1) that decide which addresses exist, as a small tree. Pure.

Only the attributes and elements below are kept, so that a manifest needs little more memory than its text.
docs/sources.md has the table of the elements.
"""

from dataclasses import dataclass, field

from prewarm.errors import truncate
from resolve.sources.boundary import Place, Unreadable
from resolve.sources.budget import NODES_AT_MOST, Budget
from resolve.sources.xml_reader import Text, local_name

ATTRIBUTES = {
    "MPD": frozenset({"type", "mediaPresentationDuration"}),
    "Period": frozenset({"start", "duration", "href"}),
    "AdaptationSet": frozenset({"href"}),
    "Representation": frozenset({"id", "bandwidth"}),
    "SegmentBase": frozenset({"timescale", "presentationTimeOffset"}),
    "SegmentList": frozenset({"href", "duration", "timescale", "startNumber", "endNumber", "presentationTimeOffset"}),
    "SegmentTemplate": frozenset({
        "media", "initialization", "index", "bitstreamSwitching", "startNumber", "endNumber", "duration", "timescale",
        "presentationTimeOffset",
    }),
    "SegmentTimeline": frozenset(),
    "S": frozenset({"t", "d", "r", "k", "n"}),
    "SegmentURL": frozenset({"media", "index"}),
    "Initialization": frozenset({"sourceURL"}),
    "RepresentationIndex": frozenset({"sourceURL"}),
    "BitstreamSwitching": frozenset({"sourceURL"}),
    "BaseURL": frozenset(),
}  # fmt: skip
# Where each element belongs; elsewhere it has another meaning, such as an S of another schema.
PARENTS = {
    "Period": {"MPD"},
    "AdaptationSet": {"Period"},
    "Representation": {"AdaptationSet"},
    "SegmentBase": {"Period", "AdaptationSet", "Representation"},
    "SegmentList": {"Period", "AdaptationSet", "Representation"},
    "SegmentTemplate": {"Period", "AdaptationSet", "Representation"},
    "SegmentTimeline": {"SegmentTemplate", "SegmentList"},
    "S": {"SegmentTimeline"},
    "SegmentURL": {"SegmentList"},
    "Initialization": {"SegmentBase", "SegmentList", "SegmentTemplate"},
    "RepresentationIndex": {"SegmentBase", "SegmentList", "SegmentTemplate"},
    "BitstreamSwitching": {"SegmentList", "SegmentTemplate"},
    "BaseURL": {"MPD", "Period", "AdaptationSet", "Representation"},
}
# Elements whose text is an address that is not warmed, with the reason.
TEXTS_NOT_WARMED = {
    "Location": "another address of the manifest (Location)",
    "PatchLocation": "a patch of a live manifest (PatchLocation): it differs at each moment",
    "Authzurl": "a licence server (Authzurl): its responses differ by viewer",
    "Certurl": "a certificate of a DRM system (Certurl)",
    "Laurl": "a licence server (Laurl): its responses differ by viewer",
    "ContentSteering": "a steering manifest (ContentSteering): it differs by viewer",
}
# Elements with an attribute that is an address, likewise.
ATTRIBUTES_NOT_WARMED = {
    "UTCTiming": ("value", "a clock (UTCTiming): its responses are not cached"),
    "ImportedMPD": ("uri", "another manifest (ImportedMPD): pass it as a separate manifest"),
    "InitializationSet": ("initialization", "an initialization set: each Representation has its own"),
    "ProgramInformation": ("moreInformationURL", "a page about the programme, which players do not fetch"),
    "Reporting": ("reportingUrl", "a server for reports (Reporting): it is not cached"),
}
# Elements by which players add a query string to the addresses of segments (ISO/IEC 23009-1, annex I).
QUERIES = frozenset({"UrlQueryInfo", "ExtUrlQueryInfo"})
# The attribute that marks an element of the tree with one of these.
WITH_QUERY = "urlQuery"


@dataclass(slots=True)
class Node:
    """One element: its name, attributes, the children that matter, its text (BaseURL only), and its line."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def get(self, name: str, default: str = "") -> str:
        """Return an attribute."""
        return self.attributes.get(name, default)

    def all(self, name: str) -> list["Node"]:
        """Return the children of a name."""
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> "Node | None":
        """Return the first child of a name, or None."""
        return next((child for child in self.children if child.name == name), None)


class TreeBuilder:
    """Builds the tree; `left_out`: addresses that the manifest names and that are not warmed, with the reason."""

    def __init__(self, budget: Budget, place: Place) -> None:
        self.root: Node | None = None
        self.left_out: list[tuple[str, str]] = []
        self._budget, self._place = budget, place
        self._path: list[Node | None] = []
        self._names: list[str] = []
        self._text = Text()
        self._nodes = 0

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        """Add an element to the tree if it is one that matters."""
        self._place.line = line
        parent = self._path[-1] if self._path else None
        node = None
        if self.root is None:
            if name != "MPD":
                raise Unreadable(
                    f"is neither an HLS playlist nor a DASH manifest: its root element is <{truncate(name)}>"
                )
            node = self.root = Node(name, _kept(name, attributes), line)
        elif parent is not None and parent.name in PARENTS.get(name, ()):
            self._nodes += 1
            if self._nodes > NODES_AT_MOST:
                raise Unreadable(f"has more than {NODES_AT_MOST:,} segments and representations (line {line})")
            node = Node(name, _kept(name, attributes), line)
            parent.children.append(node)
        elif name in ATTRIBUTES_NOT_WARMED:
            attribute, reason = ATTRIBUTES_NOT_WARMED[name]
            address = attributes.get(attribute, "")
            # A clock may have its time itself as the value.
            if "://" in address or (address and name != "UTCTiming"):
                self._leave_out(address, reason)
        elif name in QUERIES:
            owner = next(node for node in reversed(self._path) if node is not None)
            owner.attributes[WITH_QUERY] = name
        self._path.append(node)
        self._names.append(name)
        self._text.take()

    def text(self, data: str) -> None:
        """Keep the text of an element that has an address."""
        if self._names and (self._names[-1] == "BaseURL" or self._names[-1] in TEXTS_NOT_WARMED):
            self._text.add(data)

    def end(self, name: str) -> None:
        """Set the element's text."""
        node = self._path.pop()
        self._names.pop()
        text = self._text.take()
        if node is not None and name == "BaseURL":
            node.text = text
        elif text and name in TEXTS_NOT_WARMED:
            self._leave_out(text, TEXTS_NOT_WARMED[name])

    def _leave_out(self, address: str, reason: str) -> None:
        self._budget.add_entry()
        if len(self.left_out) < NODES_AT_MOST:
            self.left_out.append((address, reason))


def _kept(name: str, attributes: dict[str, str]) -> dict[str, str]:
    wanted = ATTRIBUTES[name]
    return {local: value for key, value in attributes.items() if (local := local_name(key)) in wanted}
