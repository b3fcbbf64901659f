"""Read XML as a stream of elements, leniently where warming does not need the rest.

What documents often have, and expat refuses, is repaired in the text: blank lines before the
declaration, HTML's entities, a bare `&`. Comments, processing instructions and prefixes have no meaning here. Nothing
is expanded, and nothing outside of the document is read: declared entities and attributes are refused.
"""

import html
import html.entities
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Protocol
from xml.parsers import expat

from resolve.sources.boundary import Unreadable
from resolve.sources.budget import Budget
from resolve.sources.intake import REPLACEMENT

# A sitemap nests 4 levels, a DASH manifest about 10.
DEPTH_AT_MOST = 64
# A tag has the length of its attributes; expat keeps it whole in memory.
TAG_CHARACTERS_AT_MOST = 1_000_000
# The longest text that can be split at a piece's end: an entity's name, or a sign such as `<![CDATA[`.
HELD_BACK = 40
MARKUP = re.compile(r"<!--|<!\[CDATA\[|<\?|&(?:([A-Za-z][A-Za-z0-9]{0,30});|(#[0-9]{1,8};|#x[0-9A-Fa-f]{1,7};))?")
ENDS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
# Characters that XML 1.0 excludes, even as references.
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
OWN_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
# A text of which a document's meaning is needed has at most this length; an address may have 8,192 bytes.
TEXT_CHARACTERS_AT_MOST = 20_000


class Handler(Protocol):
    """Receives a document's elements, named without their prefixes."""

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        """Receive the begin of an element."""

    def end(self, name: str) -> None:
        """Receive the end of an element."""

    def text(self, data: str) -> None:
        """Receive a part of an element's text."""


def read_xml(texts: Iterable[str], handler: Handler, budget: Budget) -> None:
    """Pass an XML document's elements to a handler.

    Raises:
        Unreadable: the document is not XML (the message has line and column), nests too deeply, or has a document
            type that declares something; or the handler refuses an element, or the budget is spent.

    """
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    parser.specified_attributes = True
    depth, ended = 0, False

    def refuse(*_: Any) -> None:  # noqa: ANN401 - expat's own
        raise Unreadable("has a document type with declarations (<!DOCTYPE … [), which is not allowed; remove it")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH_AT_MOST:
            raise Unreadable(f"is nested deeper than {DEPTH_AT_MOST} elements at line {parser.CurrentLineNumber}")
        budget.add_element()
        handler.start(local_name(name), attributes, parser.CurrentLineNumber)

    def end(name: str) -> None:
        nonlocal depth, ended
        depth -= 1
        ended = depth == 0
        handler.end(local_name(name))

    parser.EntityDeclHandler = parser.AttlistDeclHandler = parser.ElementDeclHandler = refuse
    parser.NotationDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = handler.text
    fed = 0
    try:
        for text in repaired(texts):
            if ended:
                # What a server appends to its pages, such as a warning, is not a part of the document.
                return
            parser.Parse(text, False)
            fed += len(text.encode())
            if fed - max(parser.CurrentByteIndex, 0) > TAG_CHARACTERS_AT_MOST:
                raise Unreadable(f"has a tag longer than 1 MB at line {parser.CurrentLineNumber}")
        parser.Parse("", True)
    except expat.ExpatError as error:
        if ended:
            return
        raise Unreadable(f"is not XML: {error}") from error


def repaired(texts: Iterable[str]) -> Iterator[str]:
    """Yield a document's text without blank begin, comments and instructions, its entities as characters.

    A comment's line breaks stay, so that line numbers are right. An undeclared entity becomes U+FFFD: the
    entry that contains it is skipped, the others are read.
    """
    held, inside, begun = "", "", False
    for text, final in _with_last(texts):
        buffer, held = held + NOT_IN_XML.sub(REPLACEMENT, text), ""
        if not begun:
            buffer = buffer.lstrip("\ufeff \t\r\n")
            begun = bool(buffer)
        position, written = 0, []
        # What lies behind this position may continue in the next piece.
        safe = len(buffer) if final else len(buffer) - HELD_BACK
        while True:
            if inside:
                end = buffer.find(ENDS[inside], position)
                stop = end + len(ENDS[inside]) if end >= 0 else max(position, safe)
                part = buffer[position:stop]
                written.append(part if inside == "<![CDATA[" else "\n" * part.count("\n"))
                position = stop
                if end < 0:
                    break
                inside = ""
            found = MARKUP.search(buffer, position)
            if found is None or found.start() >= safe:
                stop = max(position, safe)
                written.append(buffer[position:stop])
                position = stop
                break
            written.append(buffer[position : found.start()])
            position = found.end()
            if found[0] in ENDS:
                inside = found[0]
                written.append(found[0] if inside == "<![CDATA[" else "")
            else:
                written.append(_entity(found))
        held = buffer[position:]
        yield "".join(written)


def _entity(found: re.Match[str]) -> str:
    """Return an entity as XML has it: HTML's as characters, an unknown one as U+FFFD, a bare ampersand escaped."""
    if found[2]:
        digits = found[2][1:-1]
        code = int(digits[1:], 16) if digits[0] == "x" else int(digits)
        return found[0] if code <= sys.maxunicode and not NOT_IN_XML.match(chr(code)) else REPLACEMENT
    if found[1] in OWN_ENTITIES:
        return found[0]
    if found[1] is None:
        return "&amp;"
    return html.escape(html.entities.html5.get(f"{found[1]};", REPLACEMENT))


def _with_last(texts: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield each text, and whether it is the last."""
    before = None
    for text in texts:
        if before is not None:
            yield before, False
        before = text
    yield before or "", True


def local_name(name: str) -> str:
    """Return a name without its prefix."""
    return name.rpartition(":")[2]


class Text:
    """The text of the element at hand, up to the length that can matter."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0

    def add(self, data: str) -> None:
        """Append a part; what exceeds the limit is dropped, which makes an address too long to be accepted."""
        if self._length < TEXT_CHARACTERS_AT_MOST:
            self._parts.append(data[: TEXT_CHARACTERS_AT_MOST - self._length])
            self._length += len(data)

    def take(self) -> str:
        """Return the text and begin a new one."""
        text = "".join(self._parts).strip()
        self._parts, self._length = [], 0
        return text
