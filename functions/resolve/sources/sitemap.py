"""Sitemaps: read a sitemap or an index of sitemaps, and take the entries that the source's filters select."""

from dataclasses import dataclass, field

from ada_url import URL

from prewarm.errors import InvalidRequest
from prewarm.request.path_pattern import PathPattern
from prewarm.request.url_sources import SitemapSource
from prewarm.urls import Url
from resolve.sources.boundary import Unreadable, problem, reading
from resolve.sources.decode import pieces, text_pieces
from resolve.sources.document_reader import Document, DocumentReader
from resolve.sources.intake import Intake
from resolve.sources.sitemap_entries import Entry, Named, read_entries

# The protocol's limit of one file: 50 MB uncompressed.
FILE_BYTES = 52_428_800
# An index may list 50,000 sitemaps; more than this limit would hold more URLs than a run accepts, or be nearly empty.
FILES_AT_MOST = 2_000
DEPTH_AT_MOST = 3
# Ten times the protocol's limit of one file; its entries are in memory together.
ENTRIES_AT_MOST = 500_000
# Their bodies are in memory together: 200 MB at most.
FILES_AT_ONCE = 4
# Addresses that entries name besides their own, remembered to find those that have an entry of their own.
NAMED_AT_MOST = 100_000


@dataclass
class _Progress:
    """The result so far of reading one sitemap and the files that it indexes."""

    sitemap: SitemapSource
    reader: DocumentReader
    intake: Intake
    include: list[PathPattern]
    exclude: list[PathPattern]
    seen: set[str] = field(default_factory=set)
    entries: set[str] = field(default_factory=set)
    named: dict[str, str] = field(default_factory=dict)
    undated: int = 0


def read_sitemap(sitemap: SitemapSource, reader: DocumentReader, intake: Intake) -> list[str]:
    """Take a sitemap's URLs in order, filtered as `sitemap` defines; returns warnings.

    Raises:
        InvalidRequest: the sitemap itself cannot be read, or the run's budget is spent.

    """
    include, exclude = ([PathPattern(each) for each in some] for some in (sitemap.include, sitemap.exclude))
    progress = _Progress(sitemap, reader, intake, include, exclude)
    level = [sitemap.parsed]
    for depth in range(DEPTH_AT_MOST):
        level = _read_level(progress, level, is_top=not depth)
        if not level:
            break
    for url in level:
        intake.skip_part(url.given, f"its index is nested deeper than {DEPTH_AT_MOST} levels")
    for address, what in progress.named.items():
        if address not in progress.entries:
            intake.leave_out(address, f"{what}; give it in url_list to warm it")
    kept = f"{intake.source}: {progress.undated:,} URLs without a modification date were kept"
    return [kept] if progress.undated else []


def _read_level(progress: _Progress, level: list[Url], *, is_top: bool) -> list[Url]:
    """Read the files of one level; returns the files that they index. Each file is read once."""
    new = list({url.fetch: url for url in level if url.fetch not in progress.seen}.values())
    progress.seen.update(url.fetch for url in new)
    if len(progress.seen) > FILES_AT_MOST:
        message = f"consists of more than {FILES_AT_MOST:,} files; list some of them instead"
        raise InvalidRequest([problem(progress.intake.source, progress.sitemap.parsed, message)])
    below: list[Url] = []
    for start in range(0, len(new), FILES_AT_ONCE):
        for document in progress.reader.read(new[start : start + FILES_AT_ONCE], FILE_BYTES):
            if document.stale:
                continue
            try:
                _read_file(progress, document, below)
            except Unreadable as error:
                if is_top:
                    raise InvalidRequest([problem(progress.intake.source, document.url, str(error))]) from error
                progress.intake.skip_part(document.url.given, f"a sitemap of the index {error}")
            else:
                progress.intake.count_part()
            document.body = bytearray()
    return below


def _read_file(progress: _Progress, document: Document, below: list[Url]) -> None:
    """Take the entries of one file; appends the files that it indexes to `below`."""
    intake = progress.intake
    if document.problem:
        raise Unreadable(document.problem)
    entries: list[Entry] = []

    def take(entry: Entry) -> None:
        intake.place.line = entry.line
        if len(entries) >= ENTRIES_AT_MOST:
            raise Unreadable(f"lists more than {ENTRIES_AT_MOST:,} entries")
        entries.append(entry)

    def note(named: Named) -> None:
        intake.budget.add_element()
        if len(progress.named) < NAMED_AT_MOST:
            progress.named.setdefault(named.address, named.what)
        elif named.address not in progress.named:
            intake.leave_out("", f"{named.what}; give it in url_list to warm it")

    with reading(intake.source, document.url, intake.place):
        texts = text_pieces(pieces(document.body, FILE_BYTES, intake.budget))
        # Entries are taken once the file is known to be whole: a part of it would look like all of it.
        read_entries(texts, intake.budget, take, note)
        if not entries and document.url.fetch != progress.sitemap.parsed.fetch:
            intake.leave_out(document.url.given, "a sitemap of the index that lists nothing")
        for entry in entries:
            if entry.is_sitemap:
                below += _child(progress, entry, document)
            else:
                _add_url(progress, entry, document)


def _url(progress: _Progress, entry: Entry, document: Document) -> Url | None:
    """Return an entry's URL, or None if it is skipped."""
    if not entry.address:
        at = f"{document.url.given} line {entry.line}"
        progress.intake.skip(at, "an entry has no address (loc or link)")
        return None
    base = None
    if entry.base is not None:
        # The outermost xml:base first, each resolved against the one before (RFC 3986, section 5.1).
        base = document.read_from.fetch
        for each in filter(None, entry.base.split("\n")):
            try:
                base = URL(each.strip(), base=base).href
            except ValueError:
                progress.intake.skip(each, "an xml:base that is not an address")
    return progress.intake.url_of(entry.address, base, f"line {entry.line}")


def _child(progress: _Progress, entry: Entry, document: Document) -> list[Url]:
    since = progress.sitemap.since
    if since and entry.modified and entry.modified < since:
        reason = f"a sitemap of the index, not modified since {since}"
        progress.intake.leave_out(entry.address, reason)
        return []
    url = _url(progress, entry, document)
    if url is None:
        progress.intake.count_skipped_part()
    return [url] if url else []


def _add_url(progress: _Progress, entry: Entry, document: Document) -> None:
    sitemap, intake = progress.sitemap, progress.intake
    url = _url(progress, entry, document)
    if url is None:
        return
    progress.entries.add(entry.address)
    if progress.include and not any(each.matches(url) for each in progress.include):
        intake.leave_out(url.given, "not selected by include")
    elif any(each.matches(url) for each in progress.exclude):
        intake.leave_out(url.given, "excluded by exclude")
    elif sitemap.since and entry.modified and entry.modified < sitemap.since:
        intake.leave_out(url.given, f"not modified since {sitemap.since}")
    else:
        progress.undated += bool(sitemap.since and entry.modified is None)
        intake.take(url)
