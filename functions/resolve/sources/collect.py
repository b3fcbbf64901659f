"""Collect: read a run's URLs from all of its sources, each once, in the order of the request."""

from dataclasses import replace

from prewarm.errors import InvalidRequest, Problem
from prewarm.planning.source_documents import SourceDocuments
from prewarm.planning.source_report import SourceReport, left_out_line
from prewarm.request.model import CheckedRequest
from prewarm.request.url_sources import URLS_AT_MOST, ManifestSource, SitemapSource
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from prewarm.urls import Url, deduplicate
from resolve.distributions.finder import DistributionFinder
from resolve.sources.boundary import problem
from resolve.sources.budget import Budget
from resolve.sources.document_reader import DocumentReader
from resolve.sources.freshness import Freshness
from resolve.sources.intake import Intake
from resolve.sources.manifest import read_manifest
from resolve.sources.s3_list import read_list
from resolve.sources.sitemap import read_sitemap
from resolve.sources.targets import collect_targets
from resolve.stages import Collected

# How many reasons a refusal lists for a source that leaves no URL.
REASONS_SHOWN = 5


def collect(
    request: CheckedRequest,
    finder: DistributionFinder,
    settings: Settings,
    store: Storage,
    freshness: Freshness,
) -> Collected | None:
    """Return the URLs of all sources; documents are read through CloudFront, from distributions that may be warmed.

    Entries of sitemaps and manifests that cannot be warmed are skipped and reported; with `strict_sources` they
    refuse the run. Returns None if documents have to be invalidated first, those in `freshness.stale`: what they say
    does not count.

    Raises:
        InvalidRequest: a source cannot be read, is too large, or leaves no URL; or a list contains an invalid URL.

    """
    fields, urls, budget = request.fields, list(request.urls), Budget()
    if fields.targets_s3:
        return collect_targets(request, settings, store, budget)
    warnings: list[str] = []
    reports: list[SourceReport] = []
    for index, address in enumerate(fields.url_list_s3 or []):
        urls += read_list(f"url_list_s3[{index}]", address, settings, store, budget)
        _check_count(urls)
    reader = DocumentReader(finder, settings, fields, budget, store, freshness)
    sources: list[tuple[str, SitemapSource | ManifestSource]] = []
    sources += [(f"sitemap[{index}]", each) for index, each in enumerate(fields.sitemap or [])]
    sources += [(f"manifest[{index}]", each) for index, each in enumerate(fields.manifest or [])]
    strict = fields.strict_sources is True
    for name, source in sources:
        intake = Intake(name, source.url, budget, strict=strict)
        if isinstance(source, SitemapSource):
            warned = read_sitemap(source, reader, intake)
        else:
            warned = read_manifest(source, reader, intake)
        read, is_stale = reader.taken_documents()
        if is_stale:
            continue
        documents = SourceDocuments.of(read, len(sources))
        reports.append(_finish(intake, reader, source.parsed, documents))
        warned += documents.warnings(name, invalidates=bool(fields.invalidate), dry_run=fields.dry_run)
        warnings += warned
        urls += intake.urls.values()
        _check_count(urls)
    if freshness.stale:
        return None
    entries, urls = len(urls) + request.duplicates, deduplicate(urls)
    if not urls:
        raise InvalidRequest([Problem("url_list", "the request's sources contain no URL; add URLs to one of them")])
    for report in reports:
        warnings += report.lines()
    return Collected(urls, tuple(warnings), tuple(reports), entries - len(urls))


def _finish(intake: Intake, reader: DocumentReader, document: Url, documents: SourceDocuments) -> SourceReport:
    """Skip the URLs of hosts that may not be warmed, and return the source's report.

    Raises:
        InvalidRequest: sources are strict and an entry was skipped; or no URL is left, so that a run without the
            source would look complete.

    """
    intake.drop_hosts(reader.refused_hosts({url.host for url in intake.urls.values()}))
    intake.check_strict()
    report = replace(intake.report(), documents=documents)
    if intake.listed:
        return report
    reasons = [left_out_line(each) for each in report.left_out]
    listed = "; ".join(reasons[:REASONS_SHOWN]) or "it lists none"
    raise InvalidRequest([problem(intake.source, document, f"contains no URL to warm: {listed}")])


def _check_count(urls: list[Url]) -> None:
    if len(urls) > URLS_AT_MOST:
        message = f"the request's sources contain more than {URLS_AT_MOST:,} URLs; split them over several runs"
        raise InvalidRequest([Problem("url_list", message)])
