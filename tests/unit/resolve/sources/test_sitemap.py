"""Sitemaps: entries, modification days, feeds, filters and limits."""

import datetime as dt
import gzip

import pytest

from prewarm.errors import InvalidRequest
from prewarm.request.url_sources import SitemapSource
from resolve.sources import sitemap as sitemap_module
from resolve.sources.budget import Budget
from resolve.sources.sitemap_entries import Entry, Named, last_day, read_entries
from tests.support.source_documents import SITEMAP_NAMESPACE, sitemap
from tests.support.source_reading import SITE, read_source, reasons, sitemap_of


def entries_of(body: bytes) -> tuple[str, list[Entry], list[Named]]:
    entries: list[Entry] = []
    named: list[Named] = []
    kind = read_entries([body.decode()], Budget(), entries.append, named.append)
    return kind, entries, named


def test_sitemap_entries_are_in_order() -> None:
    kind, entries, _ = entries_of(sitemap(("https://a/1?x=1&amp;y=2", "2026-11-01"), ("https://a/2", "")))
    assert kind == "urlset"
    assert [(entry.address, entry.modified) for entry in entries] == [
        ("https://a/1?x=1&y=2", dt.date(2026, 11, 1)),
        ("https://a/2", None),
    ]


@pytest.mark.parametrize(
    ("extension", "address", "what"),
    [
        ("<image:image><image:loc>https://a/i.jpg</image:loc></image:image>", "https://a/i.jpg", "an image"),
        ("<video:video><video:content_loc>https://a/v</video:content_loc></video:video>", "https://a/v", "a video"),
        (
            "<video:video><video:thumbnail_loc>https://a/t</video:thumbnail_loc></video:video>",
            "https://a/t",
            "a video",
        ),
        ("<video:video><video:player_loc>https://a/p</video:player_loc></video:video>", "https://a/p", "a video"),
        ('<xhtml:link rel="alternate" hreflang="de" href="https://a/de"/>', "https://a/de", "an alternate page"),
    ],
)
def test_address_of_an_extension_is_named_and_not_an_entry(extension: str, address: str, what: str) -> None:
    body = f"<urlset {SITEMAP_NAMESPACE}><url>{extension}<loc>https://a/1</loc></url></urlset>"
    _, entries, named = entries_of(body.encode())
    assert [entry.address for entry in entries] == ["https://a/1"]
    assert [(each.address, each.what.startswith(what)) for each in named] == [(address, True)]


@pytest.mark.parametrize(
    "extension",
    ["<news:news><news:title>T</news:title></news:news>", "<priority>0.5</priority>", "<changefreq>x</changefreq>"],
)
def test_element_without_an_address_has_no_effect(extension: str) -> None:
    urls, report = sitemap_of(f"<urlset><url><loc>{SITE}/1</loc>{extension}</url></urlset>".encode())
    assert (urls, report.left_out) == ([f"{SITE}/1"], ())


@pytest.mark.parametrize(
    "body",
    [
        (
            b"<rss><channel><link>https://a/</link><item><link>https://a/1</link><pubDate>Tue, 24 Nov 2026 10:00:00"
            b' GMT</pubDate><enclosure url="https://a/e.mp3"/></item></channel></rss>'
        ),
        b"<rdf:RDF><item><link>https://a/1</link><dc:date>2026-11-24</dc:date></item></rdf:RDF>",
        (
            b'<feed><link href="https://a/"/><entry><link rel="self" href="https://a/s"/><link href="https://a/1"/>'
            b"<updated>2026-11-24T10:00:00Z</updated></entry></feed>"
        ),
    ],
    ids=["RSS 2.0", "RSS 1.0", "Atom"],
)
def test_feed_is_a_sitemap(body: bytes) -> None:
    _, entries, _ = entries_of(body)
    assert [(entry.address, entry.modified) for entry in entries] == [("https://a/1", dt.date(2026, 11, 24))]


def test_text_sitemap_has_one_url_per_line() -> None:
    kind, entries, _ = entries_of("﻿https://a/1\r\n\r\n https://a/2 \n".encode())
    assert (kind, [(entry.address, entry.line) for entry in entries]) == (
        "text",
        [("https://a/1", 1), ("https://a/2", 3)],
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-24", dt.date(2026, 11, 24)),
        ("2026-11-24T10:00:00+01:00", dt.date(2026, 11, 24)),
        (" 2026-11 ", dt.date(2026, 11, 30)),
        ("2026", dt.date(2026, 12, 31)),
        ("2024-02", dt.date(2024, 2, 29)),
        ("Tue, 24 Nov 2026 10:00:00 GMT", dt.date(2026, 11, 24)),
        ("Tue, 24 Nov 99999999999 10:00:00 GMT", None),
        ("yesterday", None),
        ("2026-13-01", None),
        ("2026-02-30", None),
        ("0000", None),
        ("", None),
    ],
)
def test_last_day_is_the_end_of_the_modification_period(text: str, day: dt.date | None) -> None:
    assert last_day(text) == day


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html></html>", "is not a sitemap: its root element is <html>"),
        (b"<urlset><url>", "is not XML: no element found: line 1, column 13"),
        (b"\x00\x01\x02\x03\x80\x81" * 50, "is neither XML nor text"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n\t\n", "is empty"),
    ],
)
def test_document_that_is_not_a_sitemap_is_refused_with_its_place(body: bytes, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        sitemap_of(body)


def test_entries_of_one_file_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap_module, "ENTRIES_AT_MOST", 3)
    with pytest.raises(InvalidRequest, match="lists more than 3 entries"):
        sitemap_of(sitemap(*((f"{SITE}/{n}", "") for n in range(4))))


def test_filtered_entries_are_counted_with_the_filter() -> None:
    pages = [("a/1", "2026-11-20"), ("a/2", "2026-10-01"), ("a/tmp/4", "2026-11-20"), ("b/5", "2026-11-20")]
    body = sitemap(*((f"{SITE}/{path}", day) for path, day in pages))
    urls, report = sitemap_of(body, include=["/a/*"], exclude=["*/tmp/*"], since="2026-11-01")
    assert urls == [f"{SITE}/a/1"]
    assert reasons(report, skipped=False) == {
        "not selected by include": 1,
        "excluded by exclude": 1,
        "not modified since 2026-11-01": 1,
    }
    assert not report.mostly_skipped


def test_alternate_with_an_entry_of_its_own_is_not_counted() -> None:
    link = f'<xhtml:link rel="alternate" hreflang="de" href="{SITE}/de"/>'
    body = f"<urlset><url><loc>{SITE}/en</loc>{link}</url><url><loc>{SITE}/de</loc></url></urlset>"
    assert sitemap_of(body.encode())[1].left_out == ()


def test_unreadable_file_of_an_index_is_skipped_and_most_of_them_are_an_alarm() -> None:
    top, good = f"{SITE}/top.xml", sitemap((f"{SITE}/1", ""))
    files = [f"{SITE}/{name}.xml" for name in "abc"]
    index = sitemap(*((each, "") for each in files), root="sitemapindex", item="sitemap")
    urls, report, _ = read_source(SitemapSource(url=top), {top: index, files[0]: good, files[1]: b"<urlset>"})
    assert urls == [f"{SITE}/1"]
    assert (report.parts, report.parts_skipped, report.mostly_skipped) == (4, 2, True)
    assert {reason.partition(":")[0] for reason in reasons(report)} == {
        "a sitemap of the index is not XML",
        "a sitemap of the index cannot be read",
    }


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"\xef\xbb\xbf", gzip.compress(b"")], ids=["no byte", "newline", "byte order mark", "gzip"]
)
def test_empty_file_of_an_index_is_skipped_with_the_reason(body: bytes) -> None:
    top, files = f"{SITE}/top.xml", [f"{SITE}/{name}.xml" for name in "ab"]
    index = sitemap(*((each, "") for each in files), root="sitemapindex", item="sitemap")
    documents = {top: index, files[0]: body, files[1]: sitemap((f"{SITE}/1", ""))}
    urls, report, _ = read_source(SitemapSource(url=top), documents)
    assert urls == [f"{SITE}/1"]
    assert (report.parts, report.parts_skipped) == (3, 1)
    assert reasons(report) == {"a sitemap of the index is empty": 1}


def test_file_of_an_index_that_lists_nothing_is_counted() -> None:
    top, files = f"{SITE}/top.xml", [f"{SITE}/{name}.xml" for name in "ab"]
    index = sitemap(*((each, "") for each in files), root="sitemapindex", item="sitemap")
    urls, report, _ = read_source(
        SitemapSource(url=top), {top: index, files[0]: b"<urlset/>", files[1]: sitemap((f"{SITE}/1", ""))}
    )
    assert (urls, report.parts_skipped) == ([f"{SITE}/1"], 0)
    assert reasons(report, skipped=False) == {"a sitemap of the index that lists nothing": 1}


def test_most_entries_skipped_is_an_alarm_and_half_of_them_is_not() -> None:
    good, bad = (f"{SITE}/1", ""), ("ftp://a/", "")
    assert not sitemap_of(sitemap(good, bad))[1].mostly_skipped
    assert sitemap_of(sitemap(good, bad, ("ftp://b/", "")))[1].mostly_skipped
