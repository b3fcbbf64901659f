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

DAY = re.compile(r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?=$|[T ])", re.ASCII)
INDEX, TEXT = "sitemapindex", "text"
# By root element, in lower case: the elements that are entries, and an entry's child that has its address. A file
# with both pages and sitemaps is read as both.
ENTRIES = {
    "urlset": {"url": "loc", "sitemap": "loc"},
    INDEX: {"sitemap": "loc", "url": "loc"},
    "rss": {"item": "link"},
    "rdf": {"item": "link"},
    "feed": {"entry": "link"},
}
DATES = frozenset({"lastmod", "pubdate", "date", "updated"})
# An item of RSS without a link: its guid is its address unless isPermaLink is false (RSS 2.0, "guid").
GUID = "guid"
# Elements within an entry that name something else: what it is, in words.
EXTENSIONS = {
    "image": "an image or its licence (image:loc, image:license)",
    "video": "a video (video:content_loc, thumbnail_loc, player_loc, gallery_loc)",
}
EXTENSION_ADDRESSES = frozenset({"loc", "content_loc", "thumbnail_loc", "player_loc", "gallery_loc", "license"})
ALTERNATE = "an alternate page (xhtml:link hreflang) without its own entry"
ENCLOSURE = "an enclosure of a feed"
MEDIA = "a medium of a feed (media:content, media:thumbnail, media:player)"
FURTHER = "an additional address of an entry"
# Elements that have an address as their attribute `url`.
WITH_URL = {"enclosure": ENCLOSURE, "content": MEDIA, "thumbnail": MEDIA, "player": MEDIA}
# An entry is a child of the root or, in RSS 2.0, of its channel.
ENTRY_DEPTHS = (2, 3)
# The begin of a document, behind what a page may have written before it.
BEGIN = re.compile(r"<\?xml\s|<(?:\w{1,20}:)?(?:urlset|sitemapindex|rss|feed|RDF)[\s>]", re.IGNORECASE)
HTML_PAGE = re.compile(r"<!doctype|<html|<!--|<\?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its address, the last day of its modification time (None: unknown), and its line.

    `is_sitemap`: it is another sitemap, not a page; `base`: what a relative address of a feed is resolved against
    (xml:base), None where addresses are absolute.
    """

    address: str
    modified: dt.date | None
    line: int
    is_sitemap: bool = False
    base: str | None = None


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
    else:
        raise Unreadable("is empty")
    if not head.isascii() or not head.isprintable():
        shown = sum(sign.isprintable() or sign in " \t\r\n" for sign in head)
        if 10 * shown < 9 * len(head):
            raise Unreadable("is neither XML nor text")
    head = _without_stray_output(head)
    whole = chain((head,), pieces)
    if not head.lstrip("\ufeff \t\r\n").startswith("<"):
        for number, line in enumerate(lines(whole), start=1):
            if bare := line.strip("\ufeff \t\r\f\v"):
                on_entry(Entry(bare, None, number))
        return TEXT
    handler = _Sitemap(on_entry, on_named)
    read_xml(whole, handler, budget)
    return handler.kind


def _without_stray_output(head: str) -> str:
    """Return a document's begin without what a script wrote before it, such as a warning; its lines are kept."""
    begin = BEGIN.search(head)
    before = head[: begin.start()] if begin else ""
    if not before.strip("\ufeff \t\r\n") or HTML_PAGE.search(before):
        return head
    return "\n" * before.count("\n") + head[len(before) :]


class _Sitemap:
    """Finds the entries among a document's elements."""

    def __init__(self, on_entry: Callable[[Entry], None], on_named: Callable[[Named], None]) -> None:
        self._on_entry, self._on_named = on_entry, on_named
        self.kind = ""
        self._stack: list[str] = []
        self._address, self._guid, self._modified, self._line = "", "", "", 0
        self._bases: list[str] = []
        self._text = Text()
        self._collects = False

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        """Begin an entry, or note an address that is an attribute."""
        name = name.lower()
        if not self._stack:
            self.kind = name
            if name not in ENTRIES:
                raise Unreadable(f"is not a sitemap: its root element is <{truncate(name)}>")
        self._stack.append(name)
        self._bases.append(attributes.get("xml:base", ""))
        self._collects = False
        if self._begins_entry(name):
            self._address, self._guid, self._modified, self._line = "", "", "", line
        elif name == "link" and "href" in attributes:
            self._linked(attributes)
        elif name in WITH_URL and "url" in attributes:
            self._on_named(Named(attributes["url"].strip(), WITH_URL[name]))
        elif name == GUID:
            self._collects = attributes.get("isPermaLink", "true").strip().lower() != "false"
        else:
            self._collects = name in DATES or name in EXTENSION_ADDRESSES or name == self._address_element()
        self._text.take()

    def _linked(self, attributes: dict[str, str]) -> None:
        relation = attributes.get("rel", "alternate")
        if self.kind == "feed":
            if relation == "alternate" and self._parent_is_entry():
                self._take_address(attributes["href"].strip())
            elif relation == "enclosure":
                self._on_named(Named(attributes["href"], ENCLOSURE))
        elif relation == "alternate" and self.kind == "urlset":
            self._on_named(Named(attributes["href"].strip(), ALTERNATE))

    def _take_address(self, address: str) -> None:
        """Take the address of an entry; another one is named."""
        if not self._address:
            self._address = address
        elif address and address != self._address:
            self._on_named(Named(address, FURTHER))

    def text(self, data: str) -> None:
        """Keep the text of an address or a date."""
        if self._collects:
            self._text.add(data)

    def end(self, name: str) -> None:
        """Take an address or a date, or pass on the entry that ends."""
        name = name.lower()
        self._stack.pop()
        text = self._text.take() if self._collects else ""
        self._collects = False
        parent = self._stack[-1] if self._stack else ""
        if parent in ENTRIES[self.kind]:
            if name == self._address_element():
                self._take_address(text)
            elif name in DATES:
                self._modified = self._modified or text
            elif name == GUID and text.lower().startswith(("http:", "https:")):
                self._guid = self._guid or text
        elif text and name in EXTENSION_ADDRESSES and parent in EXTENSIONS:
            self._on_named(Named(text, EXTENSIONS[parent]))
        if name in ENTRIES[self.kind] and len(self._stack) + 1 in ENTRY_DEPTHS:
            base = "\n".join(filter(None, self._bases)) if self.kind == "feed" else None
            address = self._address or self._guid
            self._on_entry(Entry(address, last_day(self._modified), self._line, name == "sitemap", base))
        self._bases.pop()

    def _begins_entry(self, name: str) -> bool:
        return name in ENTRIES[self.kind] and len(self._stack) in ENTRY_DEPTHS

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
            return email.utils.parsedate_to_datetime(text).date() if re.search("[A-Za-z]", text) else None
        year, month = int(matched[1]), int(matched[2] or 12)
        return dt.date(year, month, int(matched[3] or calendar.monthrange(year, month)[1]))
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
