"""HLS (RFC 8216 and draft-pantos-hls-rfc8216bis): the addresses that a playlist names, tag by tag. Pure.

Lines are read to the standard where that decides which addresses exist, and leniently elsewhere: a tag that warming
does not need cannot refuse a playlist. docs/sources.md has the table of the tags.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from prewarm.request.url_sources import URLS_AT_MOST
from resolve.sources.boundary import Place, Unreadable
from resolve.sources.budget import Budget
from resolve.sources.decode import LONGEST_LINE, text_pieces

ATTRIBUTE = re.compile(r'\s*([A-Za-z0-9-]{1,64})\s*=\s*("[^"]*"|[^",]*)\s*(?:,|$)')
# The name of an address in a list that the expression above does not match as a whole.
ADDRESS_NAME = re.compile(r"\b(?:URI|X-ASSET-URI|X-ASSET-LIST|SERVER-URI)\s*=", re.IGNORECASE)
UNREADABLE_LIST = "its attribute list is damaged, so its address is not known"
OTHER_SCHEME = re.compile(r"(?i)(?!https?:)[a-z][a-z0-9+.-]*:", re.ASCII)
VARIABLE = re.compile(r"\{\$([A-Za-z0-9_-]{1,256})\}")
VARIABLES_AT_MOST = 1_000
NO_ATTRIBUTES: Mapping[str, str] = {}
# Tags whose URI is fetched by players, and what it is.
KINDS = {
    "EXT-X-MEDIA": "media",
    "EXT-X-I-FRAME-STREAM-INF": "frames",
    # Apple's draft has no thumbnails; this tag of other players works like the one above.
    "EXT-X-IMAGE-STREAM-INF": "frames",
    "EXT-X-KEY": "key",
    "EXT-X-SESSION-KEY": "key",
    "EXT-X-SESSION-DATA": "data",
    "EXT-X-MAP": "init",
    "EXT-X-PART": "part",
}
# Tags whose address is not warmed, with the attribute and the reason.
NOT_WARMED = {
    "EXT-X-PRELOAD-HINT": ("URI", "a hint of a live playlist (EXT-X-PRELOAD-HINT): it does not exist yet"),
    "EXT-X-RENDITION-REPORT": (
        "URI",
        "another playlist (EXT-X-RENDITION-REPORT): the multivariant playlist lists it",
    ),
    "EXT-X-CONTENT-STEERING": ("SERVER-URI", "a steering manifest (EXT-X-CONTENT-STEERING): it differs by viewer"),
}
INTERSTITIALS = ("X-ASSET-URI", "X-ASSET-LIST")
ADDRESSES = frozenset({"URI", "SERVER-URI", *INTERSTITIALS})
INTERSTITIAL = "an interstitial (EXT-X-DATERANGE): pass it as a separate manifest to warm it"
SKIPPED_SEGMENTS = "older segments (EXT-X-SKIP): the playlist is a delta update"
UNKNOWN = "an address of a tag that the service does not know"


@dataclass(frozen=True, slots=True)
class Reference:
    """One address in a playlist: what it is, its line, and its tag's attributes.

    `kind`: `playlist`, `frames`, `media` (in a multivariant playlist); `segment`, `part`, `init`, `key`, `data`.
    """

    kind: str
    address: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Playlist:
    """What a playlist lists, in order.

    `skipped` and `left_out`: address and reason; `variables`: for the playlists that import them; `ended`: whether it
    has EXT-X-ENDLIST.
    """

    references: list[Reference] = field(default_factory=list)
    skipped: list[tuple[str, str, int]] = field(default_factory=list)
    left_out: list[tuple[str, str, int]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    ended: bool = False

    @property
    def is_multivariant(self) -> bool:
        """Return whether it lists playlists instead of segments."""
        return any(each.kind in {"playlist", "frames", "media"} for each in self.references)

    @property
    def is_empty(self) -> bool:
        """Return whether it names no address at all."""
        return not (self.references or self.skipped or self.left_out)


def is_playlist(body: bytes | bytearray) -> bool:
    """Return whether a document is a playlist: its first line is #EXTM3U (RFC 8216, section 4.3.1.1)."""
    return "".join(text_pieces([bytes(body[:4096])])).lstrip("\ufeff \t\r\n").startswith("#EXTM3U")


def read_playlist(
    lines: Iterable[str], base: str, imported: Mapping[str, str], budget: Budget, place: Place
) -> Playlist:
    """Return what a playlist lists.

    Args:
        lines: its lines.
        base: its own URL, whose query parameters EXT-X-DEFINE may use.
        imported: the variables of the multivariant playlist that lists it.
        budget: counts the addresses.
        place: receives the line at hand.

    """
    reader = _Reader(base, imported, budget, place)
    for number, line in enumerate(lines, start=1):
        place.line = number
        if bare := line.strip():
            reader.read(bare)
    reader.end_segment()
    return reader.playlist


class _Reader:
    """Reads a playlist line by line."""

    def __init__(self, base: str, imported: Mapping[str, str], budget: Budget, place: Place) -> None:
        self.playlist = Playlist()
        self._base, self._imported, self._budget, self._place = base, imported, budget, place
        self._variant: Mapping[str, str] | None = None
        self._gap = False

    def read(self, line: str) -> None:
        """Read a line that is not blank: a tag, a comment, or an address."""
        if not line.startswith("#"):
            self._address(line)
        elif line.startswith("#EXT"):
            tag, _, value = line[1:].partition(":")
            self._tag(tag.strip(), value.strip())

    def end_segment(self) -> None:
        """Forget the tags that apply to the next segment only."""
        self._variant, self._gap = None, False

    def _address(self, line: str) -> None:
        if len(line) >= LONGEST_LINE:
            self._skip(line[:200], "its line is too long")
        elif self._gap:
            self._leave_out(line, "a gap (EXT-X-GAP): the segment does not exist")
        elif self._variant is not None:
            self._add("playlist", line, self._variant)
        else:
            self._add("segment", line, NO_ATTRIBUTES)
        self.end_segment()

    def _tag(self, tag: str, value: str) -> None:
        if tag == "EXT-X-ENDLIST":
            self.playlist.ended = True
        elif tag == "EXT-X-GAP":
            self._gap = True
        elif value and tag not in {"EXTINF", "EXT-X-BYTERANGE", "EXT-X-PROGRAM-DATE-TIME"}:
            attributes = attributes_of(value[:LONGEST_LINE])
            if not attributes.keys() & ADDRESSES and ADDRESS_NAME.search(value):
                self._skip(f"#{tag}:{value}"[:200], UNREADABLE_LIST)
            self._with_attributes(tag, attributes)

    def _with_attributes(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "EXT-X-STREAM-INF":
            self._variant = attributes
        elif tag == "EXT-X-DEFINE":
            self._define(attributes)
        elif tag == "EXT-X-SKIP":
            self._leave_out(f"{attributes.get('SKIPPED-SEGMENTS', '')[:20]} segments", SKIPPED_SEGMENTS)
        elif tag == "EXT-X-DATERANGE":
            for name in INTERSTITIALS:
                if name in attributes:
                    self._leave_out(attributes[name], INTERSTITIAL)
        elif tag in NOT_WARMED:
            name, reason = NOT_WARMED[tag]
            if name in attributes:
                self._leave_out(attributes[name], reason)
        elif address := attributes.get("URI"):
            self._with_uri(tag, address, attributes)

    def _with_uri(self, tag: str, address: str, attributes: dict[str, str]) -> None:
        if tag not in KINDS:
            self._leave_out(address, f"{UNKNOWN} ({tag[:40]})")
        elif tag == "EXT-X-PART" and attributes.get("GAP") == "YES":
            self._leave_out(address, "a gap (EXT-X-PART with GAP=YES): the part does not exist")
        else:
            self._add(KINDS[tag], address, attributes)

    def _define(self, attributes: dict[str, str]) -> None:
        variables = self.playlist.variables
        if len(variables) >= VARIABLES_AT_MOST:
            raise Unreadable(f"defines more than {VARIABLES_AT_MOST:,} variables at line {self._place.line}")
        if "NAME" in attributes:
            variables[attributes["NAME"]] = self._replaced(attributes.get("VALUE", ""))[0]
        elif (name := attributes.get("IMPORT")) is not None and name in self._imported:
            variables[name] = self._imported[name]
        elif (name := attributes.get("QUERYPARAM")) is not None:
            query = dict(parse_qsl(urlsplit(self._base).query, keep_blank_values=True))
            if name in query:
                variables[name] = query[name]

    def _replaced(self, text: str) -> tuple[str, str]:
        """Return a text with its variables replaced, and the first variable that is not defined."""
        missing, room = "", LONGEST_LINE

        def value(found: re.Match[str]) -> str:
            nonlocal missing, room
            if found[1] not in self.playlist.variables:
                missing = missing or found[1]
                return found[0]
            # A variable may contain others; an address that grows beyond all limits is cut, and refused as too long.
            room -= len(self.playlist.variables[found[1]])
            return self.playlist.variables[found[1]] if room > 0 else ""

        return VARIABLE.sub(value, text) if "{$" in text else text, missing

    def _add(self, kind: str, address: str, attributes: Mapping[str, str]) -> None:
        self._count()
        replaced, missing = self._replaced(address)
        if missing:
            self._skip(address, f"it uses the variable {missing!r}, which EXT-X-DEFINE does not define")
            return
        if "{$" in address and any("{$" in value for value in attributes.values()):
            attributes = {name: self._replaced(value)[0] for name, value in attributes.items()}
        self.playlist.references.append(Reference(kind, replaced, self._place.line, attributes))

    def _count(self) -> None:
        self._budget.add_entry()
        if len(self.playlist.references) + len(self.playlist.left_out) >= URLS_AT_MOST:
            raise Unreadable(f"lists more than {URLS_AT_MOST:,} addresses; set max_segments or renditions")

    def _skip(self, address: str, reason: str) -> None:
        self.playlist.skipped.append((address, reason, self._place.line))

    def _leave_out(self, address: str, reason: str) -> None:
        self._count()
        self.playlist.left_out.append((self._replaced(address)[0], reason, self._place.line))


def attributes_of(text: str) -> dict[str, str]:
    """Return an attribute list (RFC 8216, section 4.2), its quoted values without the quotes.

    A part that is not an attribute is passed over.
    """
    attributes: dict[str, str] = {}
    position = 0
    while position < len(text):
        if found := ATTRIBUTE.match(text, position):
            attributes.setdefault(found[1].upper(), found[2].strip().strip('"'))
            position = found.end()
        else:
            comma = text.find(",", position)
            position = comma + 1 if comma >= 0 else len(text)
    return attributes
