"""The entries of one sitemap file: XML (sitemaps.org, protocol 0.9), RSS, Atom, or text with one URL per line.

Sources: sitemaps.org/protocol.html; the image, video, news and hreflang extensions (Google Search Central,
"Build and submit a sitemap"); RSS 2.0 and 1.0; RFC 4287. docs/sources.md has the table of their elements.
"""

import calendar
import datetime as dt
import email.utils
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

from prewarm.errors import truncate
from resolve.sources.boundary import Unreadable
from resolve.sources.budget import Budget
from resolve.sources.decode import lines
from resolve.sources.xml_reader import Text, read_xml

DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?=$|T)", re.ASCII)
INDEX, TEXT = "sitemapindex", "text"
# By root element: the elements that are entries, and an entry's child that has its address.
ENTRIES = {
    "urlset": {"url": "loc"},
    INDEX: {"sitemap": "loc"},
    "rss": {"item": "link"},
    "RDF": {"item": "link"},
    "feed": {"entry": "link"},
}
DATES = frozenset({"lastmod", "pubDate", "date", "updated"})
# Elements within an entry that name something else: what it is, in words.
EXTENSIONS = {
    "image": "an image (image:loc)",
    "video": "a video (video:content_loc, thumbnail_loc, player_loc)",
}
EXTENSION_ADDRESSES = frozenset({"loc", "content_loc", "thumbnail_loc", "player_loc"})
ALTERNATE = "an alternate page (xhtml:link hreflang) without an entry of its own"
ENCLOSURE = "an enclosure of a feed"
# An entry is a child of the root or, in RSS 2.0, of its channel.
ENTRY_DEPTHS = (2, 3)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its address, the last day of its modification time (None: unknown), and its line."""

    address: str
    modified: dt.date | None
    line: int


@dataclass(frozen=True, slots=True)
class Named:
    """An address that an entry names and that is not a page of the sitemap: what it is, in words."""

    address: str
    what: str


def read_entries(
    texts: Iterable[str], budget: Budget, on_entry: Callable[[Entry], None], on_named: Callable[[Named], None]
) -> str:
    """Pass a sitemap's entries on as they are read; returns its kind, the name of its root element or `text`.

    Raises:
        Unreadable: the text is not a sitemap, or the budget is spent.

    """
    pieces = iter(texts)
    head = ""
    for piece in pieces:
        head += piece
        if head.strip("\ufeff \t\r\n"):
            break
    if not head.isascii() or not head.isprintable():
        shown = sum(sign.isprintable() or sign in " \t\r\n" for sign in head)
        if 10 * shown < 9 * len(head):
            raise Unreadable("is neither XML nor text")
    whole = chain((head,), pieces)
    if not head.lstrip("\ufeff \t\r\n").startswith("<"):
        for number, line in enumerate(lines(whole), start=1):
            if bare := line.strip("\ufeff \t\r\f\v"):
                on_entry(Entry(bare, None, number))
        return TEXT
    handler = _Sitemap(on_entry, on_named)
    read_xml(whole, handler, budget)
    return handler.kind


class _Sitemap:
    """Finds the entries among a document's elements."""

    def __init__(self, on_entry: Callable[[Entry], None], on_named: Callable[[Named], None]) -> None:
        self._on_entry, self._on_named = on_entry, on_named
        self.kind = ""
        self._stack: list[str] = []
        self._address, self._modified, self._line = "", "", 0
        self._text = Text()
        self._collects = False

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        """Begin an entry, or note an address that is an attribute."""
        if not self._stack:
            self.kind = name
            if name not in ENTRIES:
                raise Unreadable(f"is not a sitemap: its root element is <{truncate(name)}>")
        self._stack.append(name)
        self._collects = False
        if name in ENTRIES[self.kind] and len(self._stack) in ENTRY_DEPTHS:
            self._address, self._modified, self._line = "", "", line
        elif name == "link" and "href" in attributes:
            self._linked(attributes)
        elif name == "enclosure" and "url" in attributes:
            self._on_named(Named(attributes["url"], ENCLOSURE))
        else:
            self._collects = name in DATES or name in EXTENSION_ADDRESSES or name == self._address_element()
        self._text.take()

    def _linked(self, attributes: dict[str, str]) -> None:
        relation = attributes.get("rel", "alternate")
        if self.kind == "feed":
            if relation == "alternate" and self._parent_is_entry():
                self._address = self._address or attributes["href"].strip()
            elif relation == "enclosure":
                self._on_named(Named(attributes["href"], ENCLOSURE))
        elif relation == "alternate" and self.kind == "urlset":
            self._on_named(Named(attributes["href"].strip(), ALTERNATE))

    def text(self, data: str) -> None:
        """Keep the text of an address or a date."""
        if self._collects:
            self._text.add(data)

    def end(self, name: str) -> None:
        """Take an address or a date, or pass on the entry that ends."""
        self._stack.pop()
        text = self._text.take() if self._collects else ""
        self._collects = False
        parent = self._stack[-1] if self._stack else ""
        if parent in ENTRIES[self.kind]:
            if name == self._address_element():
                self._address = self._address or text
            elif name in DATES:
                self._modified = self._modified or text
        elif text and name in EXTENSION_ADDRESSES and parent in EXTENSIONS:
            self._on_named(Named(text, EXTENSIONS[parent]))
        if name in ENTRIES[self.kind] and len(self._stack) + 1 in ENTRY_DEPTHS:
            self._on_entry(Entry(self._address, last_day(self._modified), self._line))

    def _parent_is_entry(self) -> bool:
        return self._stack[-2] in ENTRIES[self.kind] if len(self._stack) > 1 else False

    def _address_element(self) -> str:
        return next(iter(ENTRIES[self.kind].values()))


def last_day(text: str) -> dt.date | None:
    """Return the last day of a W3C datetime (of its year or month if it has no day) or of an RSS date, else None."""
    text = text.strip()[:64]
    matched = DAY.match(text)
    try:
        if matched is None:
            return email.utils.parsedate_to_datetime(text).date() if "," in text else None
        year, month = int(matched[1]), int(matched[2] or 12)
        return dt.date(year, month, int(matched[3] or calendar.monthrange(year, month)[1]))
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
