"""Sitemaps (sitemaps.org, protocol 0.9): lists of pages, and indexes of such lists."""

import calendar
import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass, field

from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.url_sources import URLS_AT_MOST, SitemapSource
from prewarm.urls import Url, parse_url, redacted
from resolve.distributions.cache_behaviours import path_expression
from resolve.sources.decode import read_xml, unpacked
from resolve.sources.document_reader import Reader

# The protocol's limits of one file: 50,000 URLs, and 50 MB unpacked.
ENTRIES_AT_MOST, FILE_BYTES = 50_000, 52_428_800
# An index may list 50,000 sitemaps; more than these would be more URLs than a run takes, or many nearly empty ones.
FILES_AT_MOST = 2_000
DEPTH_AT_MOST = 3
FILES_AT_ONCE = 20
DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?=$|T)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One `<url>` or `<sitemap>`: its address, and the last day of the time it was last modified (None: not told)."""

    address: str
    modified: dt.date | None


@dataclass
class _Reading:
    source: str
    wanted: SitemapSource
    reader: Reader
    urls: list[Url] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def read_sitemap(source: str, wanted: SitemapSource, reader: Reader) -> tuple[list[Url], list[str]]:
    """Return a sitemap's URLs in order, as far as they are wanted, and what people should know.

    Raises:
        InvalidRequest: a file cannot be read, or is over the protocol's limits; names `source`.

    """
    reading = _Reading(source, wanted, reader)
    level = [wanted.parsed]
    for _ in range(DEPTH_AT_MOST):
        level = _read_level(reading, level)
        if not level:
            break
    else:
        reading.problems.append(Problem(source, f"its indexes lie deeper than {DEPTH_AT_MOST} levels"))
    if reading.problems:
        raise InvalidRequest(reading.problems)
    told = [f"{source}: {count:,} {words}" for words, count in sorted(reading.told.items())]
    return reading.urls, told


def _read_level(reading: _Reading, level: list[Url]) -> list[Url]:
    """Read the files of one level; returns those that they index, each file only once in a run."""
    new = [url for url in level if url.fetch not in reading.seen]
    reading.seen.update(url.fetch for url in new)
    if len(reading.seen) > FILES_AT_MOST:
        limit = f"is made of more than {FILES_AT_MOST:,} files; name some of them instead"
        raise InvalidRequest([Problem(reading.source, limit)])
    below: list[Url] = []
    for start in range(0, len(new), FILES_AT_ONCE):
        files = new[start : start + FILES_AT_ONCE]
        for url, body in zip(files, reading.reader.read(reading.source, files, FILE_BYTES), strict=True):
            try:
                kind, entries = read_entries(unpacked(body, FILE_BYTES))
            except ValueError as error:
                reading.problems.append(Problem(reading.source, f"{truncate(redacted(url.given))!r} {error}"))
                continue
            if kind == "sitemapindex":
                below += _children(reading, entries)
            else:
                _take(reading, entries)
    return below


def read_entries(body: bytes) -> tuple[str, list[Entry]]:
    """Return what a sitemap's root is (`urlset`, `sitemapindex`, or `text`), and its entries.

    Raises:
        ValueError: it is no sitemap, or over the protocol's limits.

    """
    if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        lines = [line.strip() for line in body.decode("utf-8-sig", "replace").splitlines()]
        kind, entries = "text", [Entry(line, None) for line in lines if line]
    else:
        root = read_xml(body)
        kind = root.tag
        if kind not in {"urlset", "sitemapindex"}:
            raise ValueError(f"is no sitemap: its root is <{truncate(kind)}>")
        entries = []
        for node in root:
            if node.tag not in {"url", "sitemap"}:
                continue
            address = (node.findtext("loc") or "").strip()
            entries.append(Entry(address, last_day(node.findtext("lastmod") or "")))
    if len(entries) > ENTRIES_AT_MOST:
        raise ValueError(f"lists {len(entries):,} entries; a sitemap may have {ENTRIES_AT_MOST:,}")
    return kind, entries


def last_day(text: str) -> dt.date | None:
    """Return the last day of a W3C datetime: of its year or month where it gives no day; None where it is none."""
    found = DAY.match(text.strip())
    if found is None:
        return None
    try:
        year, month = int(found[1]), int(found[2] or 12)
        return dt.date(year, month, int(found[3] or calendar.monthrange(year, month)[1]))
    except ValueError:
        return None


def _children(reading: _Reading, entries: list[Entry]) -> list[Url]:
    since, children = reading.wanted.since, []
    for entry in entries:
        if since and entry.modified and entry.modified < since:
            reading.told["sitemaps of the index were left out as not modified since then"] += 1
            continue
        try:
            children.append(parse_url(entry.address))
        except ValueError as error:
            reading.problems.append(Problem(reading.source, f"{truncate(redacted(entry.address))!r} {error}"))
    return children


def _take(reading: _Reading, entries: list[Entry]) -> None:
    wanted = reading.wanted
    include = [path_expression(pattern) for pattern in wanted.include]
    exclude = [path_expression(pattern) for pattern in wanted.exclude]
    for entry in entries:
        try:
            url = parse_url(entry.address)
        except ValueError as error:
            reading.problems.append(Problem(reading.source, f"{truncate(redacted(entry.address))!r} {error}"))
            continue
        path = "/" + url.fetch.split("/", 3)[3]
        if include and not any(each.fullmatch(path) for each in include):
            continue
        if any(each.fullmatch(path) for each in exclude):
            continue
        if wanted.since and entry.modified is None:
            reading.told["URLs say not when they were modified and were kept"] += 1
        elif wanted.since and entry.modified and entry.modified < wanted.since:
            continue
        reading.urls.append(url)
    if len(reading.urls) > URLS_AT_MOST:
        limit = f"names more than {URLS_AT_MOST:,} URLs; name parts of it, or use include"
        raise InvalidRequest([Problem(reading.source, limit)])
