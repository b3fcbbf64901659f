"""Gathers a run's URLs from all of its sources: each once, in the order of the request."""

from dataclasses import dataclass

from prewarm.errors import InvalidRequest, Problem
from prewarm.request.model import CheckedRequest
from prewarm.request.url_sources import URLS_AT_MOST
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from prewarm.urls import Url, deduplicate
from resolve.distributions.finder import Directory
from resolve.sources.document_reader import Reader
from resolve.sources.manifest import read_manifest
from resolve.sources.s3_list import read_list
from resolve.sources.sitemap import read_sitemap


@dataclass(frozen=True)
class Gathered:
    """All URLs of a run, and what people should know of the sources."""

    urls: list[Url]
    warnings: tuple[str, ...] = ()


def gather(request: CheckedRequest, directory: Directory, settings: Settings, store: Storage) -> Gathered:
    """Read all sources; documents come through CloudFront, from a distribution that may be warmed.

    Raises:
        InvalidRequest: a source cannot be read, is too large, or holds what is no URL; names source and line.

    """
    fields, urls = request.fields, list(request.urls)
    warnings: list[str] = []
    for index, address in enumerate(fields.url_list_s3 or []):
        urls += read_list(f"url_list_s3[{index}]", address, settings, store)
        _refuse_more(urls)
    reader = Reader(directory, settings, fields)
    for index, sitemap in enumerate(fields.sitemap or []):
        found, told = read_sitemap(f"sitemap[{index}]", sitemap, reader)
        urls, warnings = urls + found, warnings + told
        _refuse_more(urls)
    for index, manifest in enumerate(fields.manifest or []):
        found, told = read_manifest(f"manifest[{index}]", manifest, reader)
        urls, warnings = urls + found, warnings + told
        _refuse_more(urls)
    urls = deduplicate(urls)
    if not urls:
        raise InvalidRequest([Problem("url_list", "its sources name no URL at all")])
    return Gathered(urls, tuple(warnings))


def _refuse_more(urls: list[Url]) -> None:
    if len(urls) > URLS_AT_MOST:
        limit = f"more than {URLS_AT_MOST:,} URLs in all of its sources; split them over several runs"
        raise InvalidRequest([Problem("url_list", limit)])
