"""Other forms of documents that warming can read: what they list is warmed, and what it does not warm is counted."""

import gzip

import pytest

from prewarm.errors import InvalidRequest
from prewarm.request.url_list import read_url_list
from prewarm.unpacking import unpacked
from resolve.sources.decode import lines
from tests.support.source_reading import SITE, manifest_of, reasons, sitemap_of

ONE = f"{SITE}/1.html"
ENTRY = f"<url><loc>{ONE}</loc></url>"
SITEMAP = f"<urlset>{ENTRY}</urlset>"
LATIN = f"<urlset><url><loc>{SITE}/caf\u00e9</loc></url></urlset>"


def declared(encoding: str, text: str = SITEMAP) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{text}'


@pytest.mark.parametrize(
    "body",
    [
        declared("UTF-16").encode("utf-16"),
        declared("UTF-16").encode("utf-16-be"),
        declared("utf-8").encode("utf-16-le"),
        declared("utf-16").encode(),
        declared("UTF8").encode("utf-8-sig"),
        declared("UTF-8").replace("><", ">\r\n<").encode(),
        f"<s:urlset xmlns:s='http://www.google.com/schemas/sitemap/0.84'><s:url><s:loc>{ONE}</s:loc></s:url></s:urlset>".encode(),
        SITEMAP.upper().replace(ONE.upper(), ONE).encode(),
        f"{SITEMAP}<!-- 3 queries -->\nNotice: x".encode(),
        f"<urlset>{ENTRY}<url><loc><![CDATA[{ONE}]]></loc></url></urlset>".encode(),
        f"{ONE}\r{ONE}\r".encode(),
        f"\n\n{ONE}\r\n".encode("utf-16"),
    ],
)  # fmt: skip
def test_sitemap_is_read_in_each_form(body: bytes) -> None:
    urls, report = sitemap_of(body)
    assert (urls, report.skipped) == ([ONE], 0)


@pytest.mark.parametrize(("encoding", "codec"), [("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252")])
def test_declared_encoding_decides_the_bytes_of_an_address(encoding: str, codec: str) -> None:
    assert sitemap_of(declared(encoding, LATIN).encode(codec))[0] == [f"{SITE}/caf%C3%A9"]


@pytest.mark.parametrize("stray", ["<br />\n<b>Warning</b>: x in y\n", "Deprecated: x\n\n", "\ufeff \n"])
def test_output_of_a_script_before_a_document_is_passed_over(stray: str) -> None:
    for text in (declared("UTF-8"), SITEMAP):
        urls, report = sitemap_of(f"{stray}{text}".encode())
        assert (urls, report.left_out) == ([ONE], ())


@pytest.mark.parametrize("page", ["<!DOCTYPE html><html><rss></rss></html>", "<html><pre><urlset></pre></html>"])
def test_page_that_shows_a_sitemap_is_not_one(page: str) -> None:
    with pytest.raises(InvalidRequest, match="root element is <html>"):
        sitemap_of(page.encode())


PACKED = gzip.compress(SITEMAP.encode(), mtime=0)


@pytest.mark.parametrize(
    "body", [PACKED + b"\n", PACKED + b"<!-- cached -->", PACKED + bytes(9), gzip.compress(PACKED, mtime=0)]
)
def test_gzip_with_something_behind_it_or_twice_is_read(body: bytes) -> None:
    assert sitemap_of(body)[0] == [ONE]
    assert b"".join(unpacked(body)) == SITEMAP.encode()


@pytest.mark.parametrize("body", [PACKED[:-6], PACKED[:-8] + bytes(8), gzip.compress(PACKED[:-6], mtime=0)])
def test_gzip_that_is_cut_off_or_damaged_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="is broken gzip"):
        sitemap_of(body)


def test_lines_end_with_any_line_break_also_at_the_end_of_a_piece() -> None:
    assert list(lines(["a\r", "\nb\rc", "\n", "d\r"])) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("root", ["urlset", "sitemapindex"])
def test_file_with_pages_and_sitemaps_is_read_as_both(root: str) -> None:
    urls, report = sitemap_of(f"<{root}><sitemap><loc>{SITE}/none.xml</loc></sitemap>{ENTRY}</{root}>".encode())
    assert urls == [ONE]
    assert (report.skipped, report.parts_skipped) == (1, 1)


def test_further_address_of_an_entry_is_counted() -> None:
    urls, report = sitemap_of(f"<urlset><url><loc>{ONE}</loc><loc>{SITE}/2</loc></url></urlset>".encode())
    assert urls == [ONE]
    assert report.left_out[0].examples == (f"{SITE}/2",)


@pytest.mark.parametrize(
    "element",
    [
        f"<image:image><image:license>{SITE}/l</image:license></image:image>",
        f"<video:video><video:gallery_loc>{SITE}/l</video:gallery_loc></video:video>",
    ],
)
def test_further_addresses_of_extensions_are_counted(element: str) -> None:
    urls, report = sitemap_of(f"<urlset><url><loc>{ONE}</loc>{element}</url></urlset>".encode())
    assert (urls, report.left_out[0].examples) == ([ONE], (f"{SITE}/l",))


@pytest.mark.parametrize(
    ("guid", "urls"),
    [
        ("<guid>{}</guid>", [ONE]),
        ('<guid isPermaLink="true">{}</guid>', [ONE]),
        ('<guid isPermaLink="false">{}</guid>', []),
        ("<guid>tag:1</guid>", []),
        ("<guid>https://x.example/</guid><link>{}</link>", [ONE]),
    ],
)
def test_guid_is_the_address_of_an_item_without_a_link(guid: str, urls: list[str]) -> None:
    body = f"<rss><channel><item>{guid.format(ONE)}</item></channel></rss>"
    assert sitemap_of(body.encode())[0] == urls


@pytest.mark.parametrize(
    ("feed", "url"),
    [
        ('<feed><entry><link href="1.html"/></entry></feed>', ONE),
        ('<feed xml:base="/a/"><entry xml:base="b/"><link href="1"/></entry></feed>', f"{SITE}/a/b/1"),
        (f'<feed xml:base="https://x.example/"><entry><link href="{ONE}"/></entry></feed>', ONE),
    ],
)
def test_relative_address_of_a_feed_is_resolved(feed: str, url: str) -> None:
    assert sitemap_of(feed.encode())[0] == [url]


def test_media_of_a_feed_are_counted() -> None:
    media = f'<media:content url="{SITE}/v.mp4"/><media:thumbnail url="{SITE}/t.jpg"/><media:player url="{SITE}/p"/>'
    urls, report = sitemap_of(f"<rss><channel><item><link>{ONE}</link>{media}</item></channel></rss>".encode())
    assert (urls, report.left_out[0].count) == ([ONE], 3)


@pytest.mark.parametrize(
    "day", ["2025-12-31 10:00:00", "20251231", "31 Dec 2025 10:00:00 GMT", "Wed, 31 Dec 2025 10:00 +0100"]
)
def test_date_is_understood_in_other_forms(day: str) -> None:
    body = f"<urlset><url><loc>{SITE}/old</loc><lastmod>{day}</lastmod></url>{ENTRY}</urlset>"
    assert sitemap_of(body.encode(), since="2026-01-01")[0] == [ONE]


# ---- HLS ----

SEGMENT = "#EXTINF:6,\n1.ts\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("line", ['#EXT-X-KEY:METHOD=AES-128,FOO BAR,URI="k"', '#EXT-X-KEY:,,=,URI="k",IV=0x1'])
def test_damaged_attribute_does_not_hide_the_address_behind_it(line: str) -> None:
    assert manifest_of(f"#EXTM3U\n{line}\n{SEGMENT}".encode())[0] == ["k", "1.ts"]


@pytest.mark.parametrize("line", ['#EXT-X-KEY:METHOD=AES-128,URI="k', '#EXT-X-MAP:URI="i"x'])
def test_address_in_a_damaged_attribute_list_is_counted(line: str) -> None:
    urls, report = manifest_of(f"#EXTM3U\n{line}\n{SEGMENT}".encode())
    assert (urls, report.skipped) == (["1.ts"], 1)


def test_segment_in_a_multivariant_playlist_is_counted() -> None:
    master = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n#EXTINF:6,\nstray.ts\n"
    urls, report = manifest_of(master, {"v.m3u8": f"#EXTM3U\n{SEGMENT}".encode()})
    assert urls == ["v.m3u8", "1.ts"]
    assert report.left_out[0].examples == ("stray.ts (line 5)",)


# ---- DASH ----

NUMBERED = '<SegmentTemplate duration="4" media="$Number%05d$"/>'
SET = f'<AdaptationSet>{NUMBERED}<Representation id="v"/></AdaptationSet>'


def mpd(inner: str) -> bytes:
    return f'<MPD type="static" mediaPresentationDuration="PT8S">{inner}</MPD>'.encode()


@pytest.mark.parametrize(
    "element",
    [
        '<InitializationSet id="1" initialization="i.mp4"/>',
        '<ProgramInformation moreInformationURL="info.html"/>',
        '<Metrics><Reporting reportingUrl="https://reports.example.net/"/></Metrics>',
        "<ContentProtection><Authzurl>https://licence.example.net/</Authzurl></ContentProtection>",
        "<ContentProtection><Certurl>https://licence.example.net/</Certurl></ContentProtection>",
    ],
)
def test_further_address_of_a_presentation_is_counted(element: str) -> None:
    urls, report = manifest_of(mpd(f"{element}<Period>{SET}</Period>"))
    assert urls == ["00001", "00002"]
    assert [each.count for each in report.left_out] == [1]


@pytest.mark.parametrize("name", ["UrlQueryInfo", "ExtUrlQueryInfo"])
@pytest.mark.parametrize("place", ["MPD", "Period", "AdaptationSet", "Representation"])
def test_representation_whose_addresses_get_a_query_is_skipped(name: str, place: str) -> None:
    """Warmed without the query, it would be another object than the one that players request."""
    query = f'<EssentialProperty><up:{name} queryTemplate="$querypart$"/></EssentialProperty>'
    text = mpd(f"<Period>{SET}</Period>").decode().replace('id="v"/>', 'id="v"></Representation>')
    start = text.index(f"<{place}")
    end = text.index(">", start) + 1
    urls, report = manifest_of((text[:end] + query + text[end:]).encode())
    assert urls == []
    assert f"get a query string from {name}" in next(iter(reasons(report)))


# ---- Lists ----


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'"https://a.b/1"\n"https://a.b/2"\n', "a.txt"),
        (b'"https://a.b/1"\r\n\r\n"https://a.b/2"', "a.json"),
        (b'{"url":"https://a.b/1"}\n\n\n{"url":"https://a.b/2"}\n', "a.jsonl"),
        (b'"url"\r\n"https://a.b/1"\r\n"https://a.b/2"\r\n', "a.csv"),
        (b'\xef\xbb\xbf"URL";"Titel"\r\n"https://a.b/1";"a;b"\r\n"https://a.b/2";x\r\n', "a.csv"),
        ("url\ttitle\r\nhttps://a.b/1\tx\r\nhttps://a.b/2\ty\r\n".encode("utf-16"), "a.csv"),
        (b"https://a.b/1\rhttps://a.b/2\r", "a.txt"),
        (b'url,title\n"https://a.b/1","two\nlines"\nhttps://a.b/2,x\n', "a.csv"),
    ],
)
def test_list_is_read_in_other_forms(body: bytes, name: str) -> None:
    assert [url for _, url in read_url_list(body, name)] == ["https://a.b/1", "https://a.b/2"]
