"""What a run read its sources from: listed within a bound, stored, and warned about."""

from dataclasses import asdict

import pytest

from prewarm.planning.source_documents import (
    CACHE,
    DOCUMENTS_SHOWN,
    ORIGIN,
    SHOWN_OF_EACH,
    ReadDocument,
    SourceDocuments,
)
from prewarm.planning.source_report import SourceReport

HIT, MISS = "Hit from cloudfront", "Miss from cloudfront"


def read(number: int, origin: str = ORIGIN, reason: str = "") -> ReadDocument:
    x_cache, age = (HIT, 3_600) if origin == CACHE else (MISS, None)
    return ReadDocument(f"https://www.example.com/{number}.xml?token=s3cret", x_cache, age, origin, reason)


def test_documents_are_listed_in_order_without_secrets() -> None:
    report = SourceReport("sitemap[0]", "https://x/", 1, documents=SourceDocuments.of([read(0), read(1, CACHE)], 1))
    document = report.as_json()
    assert (document["documentsRead"], document["documentsFromCache"]) == (2, 1)
    assert document["documents"] == [
        {"url": "https://www.example.com/0.xml?token=…", "xCache": MISS, "age": None, "origin": "origin"},
        {"url": "https://www.example.com/1.xml?token=…", "xCache": HIT, "age": 3_600, "origin": "cache"},
    ]
    assert SourceReport.from_json(asdict(report)) == report


def test_report_of_an_earlier_version_has_no_documents() -> None:
    stored = {"source": "sitemap[0]", "address": "https://x/", "urls": 1, "left_out": []}
    assert SourceReport.from_json(stored).documents == SourceDocuments()


@pytest.mark.parametrize(("sources", "listed"), [(1, DOCUMENTS_SHOWN), (10, 50), (200, SHOWN_OF_EACH)])
def test_many_documents_are_counted_and_those_of_a_cache_are_listed_first(sources: int, listed: int) -> None:
    many = [read(number, CACHE if number == 1_999 else ORIGIN) for number in range(2_000)]
    documents = SourceDocuments.of(many, sources)
    assert (len(documents.listed), documents.read, documents.cached) == (listed, 2_000, 1)
    assert documents.listed[0].cached


def test_document_of_a_cache_is_a_warning_with_age_and_x_cache() -> None:
    documents = SourceDocuments.of([read(0), read(1, CACHE)], 1)
    (warning,) = documents.warnings("sitemap[0]", invalidates=False, dry_run=False)
    assert warning.startswith("sitemap[0]: 1 of 2 documents came from a cache")
    assert f"https://www.example.com/1.xml?token=… (X-Cache: {HIT}, Age: 3600 s)" in warning
    assert "set invalidate" in warning
    (warning,) = documents.warnings("sitemap[0]", invalidates=True, dry_run=True)
    assert "the run invalidates and reads it again first" in warning


def test_document_that_an_invalidating_run_reads_from_a_cache_is_a_warning_with_the_reason() -> None:
    (warning,) = SourceDocuments.of([read(0, CACHE, "why not")], 1).warnings("s", invalidates=True, dry_run=False)
    assert warning.startswith("s: the document came from a cache")
    assert warning.endswith("; why not")


def test_documents_of_the_origin_cause_no_warning() -> None:
    assert SourceDocuments.of([read(0)], 1).warnings("s", invalidates=False, dry_run=False) == []
