"""Read sources offline: documents come from a dictionary instead of CloudFront."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from prewarm.planning.source_report import SourceReport
from prewarm.request.url_sources import ManifestSource, SitemapSource
from prewarm.urls import Url
from resolve.sources.budget import Budget
from resolve.sources.document_reader import Document
from resolve.sources.intake import Intake
from resolve.sources.manifest import read_manifest
from resolve.sources.sitemap import read_sitemap
from tests.support.definitions import ROOT

SITE = "https://www.example.com"
NO_DISTRIBUTION = "no distribution of this account has this alias"
FIXTURES = ROOT / "tests" / "fixtures" / "sources"


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


class OfflineReader:
    """Stands in for DocumentReader: www.example.com has a distribution, no other host has one."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self._documents = documents

    def refused_hosts(self, hosts: Collection[str]) -> dict[str, str]:
        return {host: NO_DISTRIBUTION for host in hosts if host != "www.example.com"}

    def read(self, urls: Sequence[Url], _most_bytes: int) -> list[Document]:
        read = []
        for url in urls:
            body = self._documents.get(url.fetch)
            problem = "" if body is not None else "cannot be read: status 404, X-Cache: Error from cloudfront"
            read.append(Document(url, url, bytearray(body or b""), problem))
        return read


def read_source(
    source: SitemapSource | ManifestSource,
    documents: Mapping[str, bytes],
    *,
    strict: bool = False,
    budget: Budget | None = None,
) -> tuple[list[str], SourceReport, list[str]]:
    """Return a source's URLs, its report and its warnings, as `collect` does."""
    intake = Intake("source[0]", source.url, budget or Budget(), strict=strict)
    reader: Any = OfflineReader(documents)
    if isinstance(source, SitemapSource):
        warnings = read_sitemap(source, reader, intake)
    else:
        warnings = read_manifest(source, reader, intake)
    intake.drop_hosts(reader.refused_hosts({url.host for url in intake.urls.values()}))
    intake.check_strict()
    return list(intake.urls), intake.report(), warnings


def sitemap_of(body: bytes, **options: Any) -> tuple[list[str], SourceReport]:
    """Return the URLs and the report of one sitemap."""
    at = f"{SITE}/sitemap.xml"
    urls, report, _ = read_source(SitemapSource(url=at, **options), {at: body})
    return urls, report


def manifest_of(
    body: bytes, others: Mapping[str, bytes] | None = None, *, query: str = "", name: str = "top", **options: Any
) -> tuple[list[str], SourceReport]:
    """Return the URLs and the report of a manifest, relative to its folder; its own URL is left out."""
    base = f"{SITE}/v/"
    at = f"{base}{name}{query}"
    documents = {f"{base}{path}": text for path, text in (others or {}).items()}
    urls, report, _ = read_source(ManifestSource(url=at, **options), documents | {at: body})
    return [url.removeprefix(base) for url in urls if url != at], report


def reasons(report: SourceReport, *, skipped: bool = True) -> dict[str, int]:
    """Return why entries were skipped or left out, with their numbers."""
    return {each.reason: each.count for each in report.left_out if each.skipped is skipped}
