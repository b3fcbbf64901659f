"""Collect: read a run's URLs from all of its sources, each once, in the order of the request."""

from prewarm.errors import InvalidRequest, Problem
from prewarm.planning.source_report import SourceReport, left_out_line
from prewarm.request.model import CheckedRequest
from prewarm.request.url_sources import URLS_AT_MOST
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from prewarm.urls import Url, deduplicate
from resolve.distributions.finder import DistributionFinder
from resolve.sources.boundary import problem
from resolve.sources.budget import Budget
from resolve.sources.document_reader import DocumentReader
from resolve.sources.intake import Intake
from resolve.sources.manifest import read_manifest
from resolve.sources.s3_list import read_list
from resolve.sources.sitemap import read_sitemap
from resolve.stages import Collected

# How many reasons a refusal lists for a source that leaves no URL.
REASONS_SHOWN = 5


def collect(request: CheckedRequest, finder: DistributionFinder, settings: Settings, store: Storage) -> Collected:
    """Return the URLs of all sources; documents are read through CloudFront, from distributions that may be warmed.

    Entries of sitemaps and manifests that cannot be warmed are skipped and reported; with `strict_sources` they
    refuse the run.

    Raises:
        InvalidRequest: a source cannot be read, is too large, or leaves no URL; or a list contains an invalid URL.

    """
    fields, urls, budget = request.fields, list(request.urls), Budget()
    warnings: list[str] = []
    reports: list[SourceReport] = []
    for index, address in enumerate(fields.url_list_s3 or []):
        urls += read_list(f"url_list_s3[{index}]", address, settings, store, budget)
        _check_count(urls)
    reader = DocumentReader(finder, settings, fields, budget)

    strict = fields.strict_sources is True
    for index, sitemap in enumerate(fields.sitemap or []):
        intake = Intake(f"sitemap[{index}]", sitemap.url, budget, strict=strict)
        warnings += read_sitemap(sitemap, reader, intake)
        reports.append(_finish(intake, reader, sitemap.parsed))
        urls += intake.urls.values()
        _check_count(urls)
    for index, manifest in enumerate(fields.manifest or []):
        intake = Intake(f"manifest[{index}]", manifest.url, budget, strict=strict)
        warnings += read_manifest(manifest, reader, intake)
        reports.append(_finish(intake, reader, manifest.parsed))
        urls += intake.urls.values()
        _check_count(urls)
    entries, urls = len(urls) + request.duplicates, deduplicate(urls)
    if not urls:
        raise InvalidRequest([Problem("url_list", "the request's sources contain no URL; add URLs to one of them")])
    for report in reports:
        warnings += report.lines()
    return Collected(urls, tuple(warnings), tuple(reports), entries - len(urls))


def _finish(intake: Intake, reader: DocumentReader, document: Url) -> SourceReport:
    """Skip the URLs of hosts that may not be warmed, and return the source's report.

    Raises:
        InvalidRequest: sources are strict and an entry was skipped; or no URL is left, so that a run without the
            source would look complete.

    """
    intake.drop_hosts(reader.refused_hosts({url.host for url in intake.urls.values()}))
    intake.check_strict()
    report = intake.report()
    if intake.listed:
        return report
    reasons = [left_out_line(each) for each in report.left_out]
    listed = "; ".join(reasons[:REASONS_SHOWN]) or "it lists none"
    raise InvalidRequest([problem(intake.source, document, f"contains no URL to warm: {listed}")])


def _check_count(urls: list[Url]) -> None:
    if len(urls) > URLS_AT_MOST:
        message = f"the request's sources contain more than {URLS_AT_MOST:,} URLs; split them over several runs"
        raise InvalidRequest([Problem("url_list", message)])
