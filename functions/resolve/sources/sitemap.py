"""Sitemaps (sitemaps.org, protocol 0.9): lists of pages, and indexes of such lists."""

import calendar
import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass, field

from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.url_parser import parse_url
from prewarm.request.url_sources import URLS_AT_MOST, SitemapSource
from prewarm.urls import Url, redacted
from resolve.distributions.cache_behaviours import path_expression
from resolve.sources.decode import decompressed, read_xml
from resolve.sources.document_reader import DocumentReader

# The protocol's limits of one file: 50,000 URLs, and 50 MB uncompressed.
ENTRIES_AT_MOST, FILE_BYTES = 50_000, 52_428_800
# An index may list 50,000 sitemaps; more than this limit would hold more URLs than a run accepts, or be nearly empty.
FILES_AT_MOST = 2_000
DEPTH_AT_MOST = 3
FILES_AT_ONCE = 20
DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?=$|T)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One `<url>` or `<sitemap>`: its address, and the last day of its modification time (None: unknown)."""

    address: str
    modified: dt.date | None


@dataclass
class _Progress:
    """The result so far of reading one sitemap and the files that it indexes."""

    source: str
    sitemap: SitemapSource
    reader: DocumentReader
    urls: list[Url] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def read_sitemap(source: str, sitemap: SitemapSource, reader: DocumentReader) -> tuple[list[Url], list[str]]:
    """Return a sitemap's URLs in order, filtered as `sitemap` defines, and warnings.

    Raises:
        InvalidRequest: a file cannot be read, or exceeds the protocol's limits; the message names `source`.

    """
    progress = _Progress(source, sitemap, reader)
    level = [sitemap.parsed]
    for _ in range(DEPTH_AT_MOST):
        level = _read_level(progress, level)
        if not level:
            break
    else:
        progress.problems.append(Problem(source, f"its indexes are nested deeper than {DEPTH_AT_MOST} levels"))
    if progress.problems:
        raise InvalidRequest(progress.problems)
    warnings = [f"{source}: {count:,} {note}" for note, count in sorted(progress.notes.items())]
    return progress.urls, warnings


def _read_level(progress: _Progress, level: list[Url]) -> list[Url]:
    """Read the files of one level; returns the files that they index. Each file is read once."""
    new = [url for url in level if url.fetch not in progress.seen]
    progress.seen.update(url.fetch for url in new)
    if len(progress.seen) > FILES_AT_MOST:
        limit = f"consists of more than {FILES_AT_MOST:,} files; list some of them instead"
        raise InvalidRequest([Problem(progress.source, limit)])
    below: list[Url] = []
    for start in range(0, len(new), FILES_AT_ONCE):
        files = new[start : start + FILES_AT_ONCE]
        for url, body in zip(files, progress.reader.read(progress.source, files, FILE_BYTES), strict=True):
            try:
                kind, entries = read_entries(decompressed(body, FILE_BYTES))
            except ValueError as error:
                progress.problems.append(Problem(progress.source, f"{truncate(redacted(url.given))!r} {error}"))
                continue
            if kind == "sitemapindex":
                below += _children(progress, entries)
            else:
                _add_urls(progress, entries)
    return below


def read_entries(body: bytes) -> tuple[str, list[Entry]]:
    """Return a sitemap's kind (`urlset`, `sitemapindex` or `text`) and its entries.

    Raises:
        ValueError: the body is not a sitemap, or exceeds the protocol's limits.

    """
    if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        lines = [line.strip() for line in body.decode("utf-8-sig", "replace").splitlines()]
        kind, entries = "text", [Entry(line, None) for line in lines if line]
    else:
        root = read_xml(body)
        kind = root.tag
        if kind not in {"urlset", "sitemapindex"}:
            raise ValueError(f"is not a sitemap: its root element is <{truncate(kind)}>")
        entries = []
        for node in root:
            if node.tag not in {"url", "sitemap"}:
                continue
            address = (node.findtext("loc") or "").strip()
            entries.append(Entry(address, last_day(node.findtext("lastmod") or "")))
    if len(entries) > ENTRIES_AT_MOST:
        raise ValueError(f"lists {len(entries):,} entries; a sitemap may have at most {ENTRIES_AT_MOST:,}")
    return kind, entries


def last_day(text: str) -> dt.date | None:
    """Return the last day of a W3C datetime (of its year or month if it has no day), or None for other text."""
    matched = DAY.match(text.strip())
    if matched is None:
        return None
    try:
        year, month = int(matched[1]), int(matched[2] or 12)
        return dt.date(year, month, int(matched[3] or calendar.monthrange(year, month)[1]))
    except ValueError:
        return None


def _children(progress: _Progress, entries: list[Entry]) -> list[Url]:
    since, children = progress.sitemap.since, []
    for entry in entries:
        if since and entry.modified and entry.modified < since:
            progress.notes[f"sitemaps of the index were skipped: not modified since {since}"] += 1
            continue
        try:
            children.append(parse_url(entry.address))
        except ValueError as error:
            progress.problems.append(Problem(progress.source, f"{truncate(redacted(entry.address))!r} {error}"))
    return children


def _add_urls(progress: _Progress, entries: list[Entry]) -> None:
    sitemap = progress.sitemap
    include = [path_expression(pattern) for pattern in sitemap.include]
    exclude = [path_expression(pattern) for pattern in sitemap.exclude]
    for entry in entries:
        try:
            url = parse_url(entry.address)
        except ValueError as error:
            progress.problems.append(Problem(progress.source, f"{truncate(redacted(entry.address))!r} {error}"))
            continue
        path = "/" + url.fetch.split("/", 3)[3]
        if include and not any(each.fullmatch(path) for each in include):
            continue
        if any(each.fullmatch(path) for each in exclude):
            continue
        if sitemap.since and entry.modified is None:
            progress.notes["URLs without a modification date were kept"] += 1
        elif sitemap.since and entry.modified and entry.modified < sitemap.since:
            continue
        progress.urls.append(url)
    if len(progress.urls) > URLS_AT_MOST:
        limit = f"lists more than {URLS_AT_MOST:,} URLs; list some of its files instead, or use include"
        raise InvalidRequest([Problem(progress.source, limit)])
