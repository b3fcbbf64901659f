"""Documents as they were met in public: each is read, and what the run does not warm is counted with its reason."""

import json

import pytest

from prewarm.errors import InvalidRequest
from prewarm.request.url_list import read_url_list
from prewarm.request.url_sources import SitemapSource
from tests.support.source_reading import (
    NO_DISTRIBUTION,
    SITE,
    fixture,
    manifest_of,
    read_source,
    reasons,
    sitemap_of,
)

ONE = f"{SITE}/1.html"
VOD = b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n1.ts\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    "name",
    [
        "newline-before-declaration.sitemap",
        "unbound-prefix.sitemap",
        "https-namespace.sitemap",
        "commented-out.sitemap",
        "utf16.sitemap",
    ],
)
def test_sitemap_with_a_fault_that_warming_does_not_mind_is_read(name: str) -> None:
    urls, report = sitemap_of(fixture(name))
    assert urls == [ONE]
    assert report.skipped == 0


def test_html_entity_in_a_sitemap_is_its_character() -> None:
    assert sitemap_of(fixture("undeclared-entity.sitemap"))[0] == [f"{SITE}/caf%C3%A9.html"]


def test_space_is_encoded_and_a_relative_address_is_skipped() -> None:
    urls, report = sitemap_of(fixture("space-and-relative-loc.sitemap"))
    assert urls == [ONE, f"{SITE}/Winter%20Sale.html"]
    assert list(reasons(report).values()) == [1]
    assert report.left_out[0].examples == ("/relative.html (line 2)",)
    assert not report.mostly_skipped


def test_index_entry_without_an_address_is_skipped() -> None:
    urls, report = sitemap_of(fixture("index-without-loc.sitemap"))
    assert urls == []
    assert reasons(report) == {"an entry has no address (loc or link)": 1}
    assert report.mostly_skipped


def test_alternate_pages_of_a_sitemap_are_counted() -> None:
    urls, report = sitemap_of(fixture("hreflang.sitemap"))
    assert urls == [f"{SITE}/en/"]
    (left_out,) = report.left_out
    assert "hreflang" in left_out.reason
    assert left_out.examples == (f"{SITE}/de/",)
    assert not left_out.skipped


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("include only", ["/k%C3%B6ln/1"]),
        ("exclude", ["/b/2"]),
        ("include, encoded by hand", ["/k%C3%B6ln/1"]),
    ],
)
def test_pattern_matches_readable_and_encoded_paths(name: str, expected: list[str]) -> None:
    options = json.loads(fixture("unicode-patterns.options.json"))[name]
    options = {key: [value] for key, value in options.items()}
    urls, report = sitemap_of(fixture("unicode-patterns.sitemap"), **options)
    assert urls == [SITE + path for path in expected]
    assert sum(reasons(report, skipped=False).values()) == 1


def test_hls_variables_are_replaced() -> None:
    body = fixture("define.m3u8")
    assert manifest_of(body, query="?token=a%2Fb")[0] == [f"{SITE}/media/a/1.mp4?t=a/b"]
    urls, report = manifest_of(body)
    assert urls == []
    assert "variable" in next(iter(reasons(report)))
    assert report.mostly_skipped


def test_hls_gap_is_left_out() -> None:
    urls, report = manifest_of(fixture("gap.m3u8"))
    assert urls == ["1.ts", "3.ts"]
    assert report.left_out[0].examples == ("2-missing.ts",)


def test_space_in_an_address_of_a_manifest_is_encoded() -> None:
    assert manifest_of(fixture("space-in-segment.m3u8"))[0] == ["part%200.ts", "part%201.ts"]
    urls = manifest_of(fixture("space-in-template.mpd"))[0]
    assert urls == ["Excretory%20System_1.m4s", "Excretory%20System_2.m4s"]


@pytest.mark.parametrize("name", ["empty-playlist-type.m3u8", "extinf-with-attributes.m3u8"])
def test_hls_tag_that_warming_does_not_need_cannot_refuse(name: str) -> None:
    urls, report = manifest_of(fixture(name))
    assert urls == ["1.ts"]
    assert report.left_out == ()


def test_interstitial_is_counted_and_query_and_ranges_stay() -> None:
    urls, report = manifest_of(fixture("interstitial-and-session-data.m3u8"))
    assert urls == ["init.mp4", "main.mp4", "init2.mp4", "2.mp4?sig=a/b"]
    assert report.left_out[0].examples == ("ad/index.m3u8",)


def test_lowest_rendition_has_video() -> None:
    others = {f"{name}/index.m3u8": VOD for name in ("480", "360", "aac")}
    urls, report = manifest_of(fixture("audio-only-is-lowest.m3u8"), others, renditions="lowest")
    assert urls == ["360/index.m3u8", "360/1.ts"]
    assert sum(reasons(report, skipped=False).values()) == 2


def test_variant_on_another_cdn_is_skipped() -> None:
    urls, report = manifest_of(fixture("multi-cdn.m3u8"), {"v.m3u8": VOD})
    assert urls == ["v.m3u8", "1.ts"]
    assert reasons(report) == {NO_DISTRIBUTION: 1}
    assert not report.mostly_skipped
    assert manifest_of(fixture("multi-cdn.m3u8"), {"v.m3u8": VOD}, renditions="lowest")[0] == urls


def test_dash_duration_with_years_is_understood() -> None:
    assert manifest_of(fixture("duration-with-years.mpd"))[0] == ["v/i.mp4", "v/1.m4s", "v/2.m4s"]


def test_dash_end_number_is_the_last_segment() -> None:
    assert manifest_of(fixture("end-number.mpd"))[0] == ["1.m4s", "2.m4s"]


def test_dash_period_in_another_document_is_skipped() -> None:
    urls, report = manifest_of(fixture("xlink-period.mpd"))
    assert urls == ["a-1.m4s", "a-2.m4s"]
    assert "xlink" in next(iter(reasons(report)))
    assert report.left_out[0].examples == ("ad-break.xml",)


def test_dash_base_urls_are_nested() -> None:
    base = "one/two/three/four/"
    assert manifest_of(fixture("nested-base-urls.mpd"))[0] == [f"{base}0000{n}-9.m4s?v=97" for n in (1, 2)]


def test_dash_segment_list_of_ranges_is_one_file() -> None:
    assert manifest_of(fixture("segment-list-by-ranges.mpd"))[0] == ["whole.mp4"]


PAGES = [f"{SITE}/a.html", f"{SITE}/b.html"]


@pytest.mark.parametrize(
    "name", ["inline-comment.list.txt", "semicolons.list.csv", "utf16.list.txt", "json-lines.list.json"]
)
def test_list_is_read_in_each_form(name: str) -> None:
    assert [url for _, url in read_url_list(fixture(name), name)] == PAGES


def test_source_that_leaves_no_url_is_mostly_skipped() -> None:
    body = b"<urlset><url><loc>ftp://a/</loc></url><url><loc>/x</loc></url></urlset>"
    urls, report = sitemap_of(body)
    assert urls == []
    assert report.mostly_skipped


def test_strict_source_refuses_with_every_problem() -> None:
    at = f"{SITE}/s.xml"
    body = fixture("space-and-relative-loc.sitemap")
    with pytest.raises(InvalidRequest, match=r"lists '/relative.html' \(line 2\): the URL has no scheme"):
        read_source(SitemapSource(url=at), {at: body}, strict=True)


STAR = "contains a *; patterns can be invalidated but not warmed"


@pytest.mark.parametrize("tail", ["*", "a*b", "a?b=*", "?*"])
def test_asterisk_in_an_address_is_skipped_in_every_document(tail: str) -> None:
    sitemap = f"<urlset><url><loc>{SITE}/{tail}</loc></url><url><loc>{ONE}</loc></url></urlset>"
    assert STAR in next(iter(reasons(sitemap_of(sitemap.encode())[1])))
    text = f"{SITE}/{tail}\n{ONE}\n"
    assert STAR in next(iter(reasons(sitemap_of(text.encode())[1])))
    assert STAR in next(iter(reasons(manifest_of(VOD.replace(b"1.ts", tail.encode() + b"\n1.ts"))[1])))
    urls = f'<SegmentURL media="{tail}"/><SegmentURL media="1"/>'
    listed = f"<AdaptationSet><SegmentList>{urls}</SegmentList><Representation/></AdaptationSet>"
    listed = f"<MPD><Period>{listed}</Period></MPD>"
    assert STAR in next(iter(reasons(manifest_of(listed.encode())[1])))


@pytest.mark.parametrize("tail", ["%2A", "a%2ab", "?b=%2A", "a#*"])
def test_encoded_asterisk_is_warmed_and_one_in_a_fragment_has_no_effect(tail: str) -> None:
    urls, report = sitemap_of(f"<urlset><url><loc>{SITE}/{tail}</loc></url></urlset>".encode())
    assert urls == [f"{SITE}/{tail.partition('#')[0]}"]
    assert report.skipped == 0
