"""Collect: read a run's URLs from all of its sources, each once, in the order of the request."""

from prewarm.errors import InvalidRequest, Problem
from prewarm.request.model import CheckedRequest
from prewarm.request.url_sources import URLS_AT_MOST
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from prewarm.urls import Url, deduplicate
from resolve.distributions.finder import DistributionFinder
from resolve.sources.document_reader import DocumentReader
from resolve.sources.manifest import read_manifest
from resolve.sources.s3_list import read_list
from resolve.sources.sitemap import read_sitemap
from resolve.stages import Collected


def collect(request: CheckedRequest, finder: DistributionFinder, settings: Settings, store: Storage) -> Collected:
    """Return the URLs of all sources; documents are read through CloudFront, from distributions that may be warmed.

    Raises:
        InvalidRequest: a source cannot be read, is too large, or contains an invalid URL; names source and line.

    """
    fields, urls = request.fields, list(request.urls)
    warnings: list[str] = []
    for index, address in enumerate(fields.url_list_s3 or []):
        urls += read_list(f"url_list_s3[{index}]", address, settings, store)
        _check_count(urls)
    reader = DocumentReader(finder, settings, fields)
    for index, sitemap in enumerate(fields.sitemap or []):
        listed, added = read_sitemap(f"sitemap[{index}]", sitemap, reader)
        urls, warnings = urls + listed, warnings + added
        _check_count(urls)
    for index, manifest in enumerate(fields.manifest or []):
        listed, added = read_manifest(f"manifest[{index}]", manifest, reader)
        urls, warnings = urls + listed, warnings + added
        _check_count(urls)
    entries, urls = len(urls) + request.duplicates, deduplicate(urls)
    if not urls:
        raise InvalidRequest([Problem("url_list", "the request's sources contain no URL; add URLs to one of them")])
    return Collected(urls, tuple(warnings), entries - len(urls))


def _check_count(urls: list[Url]) -> None:
    if len(urls) > URLS_AT_MOST:
        message = f"the request's sources contain more than {URLS_AT_MOST:,} URLs; split them over several runs"
        raise InvalidRequest([Problem("url_list", message)])
