"""What lists, sitemaps and manifests are read as; hostile ones are refused in words."""

import datetime as dt
import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.request.url_sources import ManifestSource
from resolve.sources import dash, hls
from resolve.sources.decode import read_xml, unpacked
from resolve.sources.sitemap import ENTRIES_AT_MOST, last_day, read_entries

BASE = "https://www.example.com/v/top.mpd"
ALL, LOWEST = ManifestSource(url=BASE), ManifestSource(url=BASE, renditions="lowest")


@given(st.binary(max_size=2_000), st.integers(1, 3))
def test_gzip_is_unpacked_whatever_its_members(body: bytes, members: int) -> None:
    packed = b"".join(gzip.compress(body) for _ in range(members))
    assert unpacked(packed, 10_000) == body * members


def test_what_is_not_packed_stays_as_it_is() -> None:
    assert unpacked(b"<urlset/>", 5) == b"<urlset/>"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (gzip.compress(bytes(10_000_001), mtime=0), "larger than 10,000,000 bytes unpacked"),
        (gzip.compress(b"abc" * 99, mtime=0)[:-9], "ends too early"),
        (b"\x1f\x8b\x08\x00garbage", "broken gzip"),
    ],
    ids=["bomb", "cut", "garbage"],
)
def test_a_gzip_bomb_or_a_broken_one_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        unpacked(body, 10_000_000)


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
FILE = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><urlset><url><loc>&f;</loc></url></urlset>'


@pytest.mark.parametrize("body", [BOMB, FILE, BOMB.decode().encode("utf-16")])
def test_a_document_type_is_refused_before_its_entities_are_read(body: bytes) -> None:
    with pytest.raises(ValueError, match="document type"):
        read_xml(body)


@pytest.mark.parametrize("body", [b"", b"<a>", b"<a></b>", b"\xff\xfe", b"<urlset>&nbsp;</urlset>"])
def test_what_is_no_xml_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="is no XML"):
        read_xml(body)


# ---- sitemaps ----

NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def sitemap(*entries: tuple[str, str], root: str = "urlset", item: str = "url") -> bytes:
    lines = "".join(
        f"<{item}><loc> {address} </loc>{f'<lastmod>{day}</lastmod>' if day else ''}</{item}>"
        for address, day in entries
    )
    return f'<?xml version="1.0"?><{root} {NAMESPACE}>{lines}</{root}>'.encode()


def test_a_sitemap_gives_its_entries_in_order() -> None:
    kind, entries = read_entries(sitemap(("https://a/1?x=1&amp;y=2", "2026-11-01"), ("https://a/2", "")))
    assert kind == "urlset"
    assert [(entry.address, entry.modified) for entry in entries] == [
        ("https://a/1?x=1&y=2", dt.date(2026, 11, 1)),
        ("https://a/2", None),
    ]


def test_other_namespaces_in_a_sitemap_are_not_its_own() -> None:
    body = (
        f'<urlset {NAMESPACE} xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url>'
        "<loc>https://a/1</loc><image:image><image:loc>https://a/i.jpg</image:loc></image:image></url></urlset>"
    )
    assert [entry.address for entry in read_entries(body.encode())[1]] == ["https://a/1"]


def test_a_text_sitemap_has_one_url_a_line() -> None:
    kind, entries = read_entries("﻿https://a/1\r\n\r\n https://a/2 \n".encode())
    assert (kind, [entry.address for entry in entries]) == ("text", ["https://a/1", "https://a/2"])


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-24", dt.date(2026, 11, 24)),
        ("2026-11-24T10:00:00+01:00", dt.date(2026, 11, 24)),
        (" 2026-11 ", dt.date(2026, 11, 30)),
        ("2026", dt.date(2026, 12, 31)),
        ("2024-02", dt.date(2024, 2, 29)),
        ("yesterday", None),
        ("2026-13-01", None),
        ("2026-02-30", None),
        ("", None),
    ],
)
def test_a_modification_time_is_taken_to_its_last_day(text: str, day: dt.date | None) -> None:
    assert last_day(text) == day


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html></html>", "no sitemap: its root is <html>"),
        (sitemap(*([("https://a/", "")] * (ENTRIES_AT_MOST + 1))), "lists 50,001 entries"),
        (b"\n".join([b"https://a/"] * (ENTRIES_AT_MOST + 1)), "lists 50,001 entries"),
    ],
)
def test_what_is_no_sitemap_or_too_long_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_entries(body)


# ---- HLS ----

MASTER = b"""#EXTM3U
#EXT-X-SESSION-KEY:METHOD=AES-128,URI="session.key"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="lo",NAME="en",URI="audio/lo.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="en",URI="audio/hi.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="en",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=5000000,AUDIO="hi"
video/hi.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=800000,AUDIO="lo"
/video/lo.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100000,URI="frames.m3u8"
"""
MEDIA = b"""#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-MAP:URI="init.mp4"
#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example.com/1?token=x"
#EXTINF:4,
1.m4s
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://fairplay"
#EXTINF:4,
#EXT-X-BYTERANGE:100@0
2.m4s
#EXTINF:4,
#EXT-X-BYTERANGE:100@100
2.m4s
#EXT-X-ENDLIST
"""


def test_a_master_playlist_gives_all_renditions_or_the_lowest_with_its_own_audio() -> None:
    master = hls.read_playlist(MASTER, BASE)
    playlists, keys = hls.renditions(master, ALL)
    assert playlists == [
        f"https://www.example.com/{path}"
        for path in ("v/video/hi.m3u8", "video/lo.m3u8", "v/audio/lo.m3u8", "v/audio/hi.m3u8", "v/frames.m3u8")
    ]
    assert keys == ["https://www.example.com/v/session.key"]
    lowest, _ = hls.renditions(master, LOWEST)
    assert lowest == ["https://www.example.com/video/lo.m3u8", "https://www.example.com/v/audio/lo.m3u8"]


def test_a_media_playlist_gives_init_segment_keys_and_segments() -> None:
    playlist = hls.read_playlist(MEDIA, BASE)
    assert playlist.is_endlist
    found = list(dict.fromkeys(hls.parts(playlist, ALL)))
    assert found == [
        "https://www.example.com/v/init.mp4",
        "https://keys.example.com/1?token=x",
        "https://www.example.com/v/1.m4s",
        "https://www.example.com/v/2.m4s",
    ]
    first = ManifestSource(url=BASE, max_segments=1)
    assert list(hls.parts(playlist, first))[-1] == "https://www.example.com/v/1.m4s"


@pytest.mark.parametrize("body", [b"#EXTM3U\n\xff\xfe", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=lots\nx.m3u8"])
def test_a_playlist_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="no playlist that can be read"):
        hls.read_playlist(body, BASE)


# ---- DASH ----


def mpd(inner: str, **attributes: str) -> Any:
    given = {"type": "static", "mediaPresentationDuration": "PT10S"} | attributes
    text = " ".join(f'{name}="{value}"' for name, value in given.items())
    return read_xml(f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {text}>{inner}</MPD>'.encode())


def named(inner: str, wanted: ManifestSource = ALL, **attributes: str) -> list[str]:
    base = "https://www.example.com/v/"
    return [url.removeprefix(base) for url in dash.segments(mpd(inner, **attributes), BASE, wanted)]


def one_set(description: str, *, representations: str = '<Representation id="a" bandwidth="9"/>') -> str:
    return f"<Period><AdaptationSet>{description}{representations}</AdaptationSet></Period>"


TIMELINE = '<SegmentTemplate media="$Time$"><SegmentTimeline>{}</SegmentTimeline></SegmentTemplate>'
NUMBERED = (
    '<SegmentTemplate timescale="2" duration="8" startNumber="5" initialization="$RepresentationID$/i" '
    'media="$RepresentationID$/$Number%03d$-$Bandwidth$"/>'
)


def test_numbered_segments_fill_the_presentation() -> None:
    assert named(one_set(NUMBERED)) == ["a/i", "a/005-9", "a/006-9", "a/007-9"]
    assert named(one_set(NUMBERED), ManifestSource(url=BASE, max_segments=2)) == ["a/i", "a/005-9", "a/006-9"]


def test_the_lowest_rendition_of_each_set_is_enough_where_it_is_asked_for() -> None:
    two = '<Representation id="hi" bandwidth="900"/><Representation id="lo" bandwidth="90"/>'
    sets = one_set(NUMBERED, representations=two) + one_set(NUMBERED)
    found = named(sets.replace("</Period><Period>", ""), LOWEST, mediaPresentationDuration="PT4S")
    assert [text for text in found if text.endswith("/i")] == ["lo/i", "a/i"]


def test_a_timeline_gives_times_repeats_and_gaps() -> None:
    line = '<SegmentTimeline><S t="100" d="10" r="2"/><S d="5"/><S t="500" d="7"/></SegmentTimeline>'
    found = named(one_set(f'<SegmentTemplate media="$Time$.m4s">{line}</SegmentTemplate>'))
    assert found == ["100.m4s", "110.m4s", "120.m4s", "130.m4s", "500.m4s"]


def test_a_repeat_without_a_count_goes_to_the_next_entry_or_to_the_end() -> None:
    line = '<SegmentTimeline><S t="0" d="3" r="-1"/><S t="8" d="1" r="-1"/></SegmentTimeline>'
    found = named(one_set(f'<SegmentTemplate media="$Time$">{line}</SegmentTemplate>'))
    assert found == ["0", "3", "6", "8", "9"]


def test_listed_segments_and_single_files_and_base_urls_are_followed() -> None:
    listed = (
        '<SegmentList><Initialization sourceURL="i.mp4"/><SegmentURL media="1"/><SegmentURL media="2"/></SegmentList>'
    )
    assert named(one_set(listed)) == ["i.mp4", "1", "2"]
    whole = "<Representation id='w' bandwidth='1'><BaseURL>whole.mp4</BaseURL><SegmentBase/></Representation>"
    assert named("<BaseURL>deep/</BaseURL>" + one_set("", representations=whole)) == ["deep/whole.mp4"]


def test_periods_have_their_own_length() -> None:
    period = '<Period start="{0}"><AdaptationSet>' + NUMBERED + '<Representation id="{1}"/></AdaptationSet></Period>'
    found = named(period.format("PT0S", "a") + period.format("PT4S", "b"))
    assert [text for text in found if "/i" not in text] == ["a/005-0", "b/005-0", "b/006-0"]


@pytest.mark.parametrize(
    ("text", "filled"),
    [("$$", "$"), ("a$Number$", "a7"), ("$Number%05d$", "00007"), ("$Time$", ""), ("$Unknown$", "$Unknown$")],
)
def test_identifiers_are_filled_in(text: str, filled: str) -> None:
    assert dash.filled(text, {"Number": "7"}) == filled


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT1H2M3.5S", 3723.5), ("P1DT1S", 86401), ("PT0S", 0), ("", None), ("PT-1S", None), ("1", None)],
)
def test_durations_are_read(text: str, seconds: float | None) -> None:
    assert dash.duration(text) == seconds


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ('<SegmentTemplate duration="1" timescale="1000000" media="$Number$"/>', "more than 1,000 segments"),
        (TIMELINE.format('<S d="1" r="999999999999"/>'), "more than 1,000 segments"),
        (TIMELINE.format('<S d="0" r="9"/>'), "no length"),
        ('<SegmentTemplate media="$Number$"/>', "neither a SegmentTimeline nor a duration"),
        ('<SegmentTemplate duration="-5" media="$Number$"/>', "is no whole number"),
        ('<SegmentTemplate duration="1" startNumber="x" media="$Number$"/>', "startNumber='x'"),
    ],
)
def test_a_presentation_without_end_or_sense_is_refused(
    description: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dash, "URLS_AT_MOST", 1_000)
    with pytest.raises(ValueError, match=words):
        named(one_set(description))


def test_a_presentation_that_grows_is_known_as_live() -> None:
    assert dash.is_live(mpd("", type="dynamic"))
    assert not dash.is_live(mpd(""))
