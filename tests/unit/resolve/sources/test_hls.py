"""HLS playlists: renditions, segments, and each tag that names an address."""

import pytest

from prewarm.errors import InvalidRequest
from prewarm.request.url_sources import ManifestSource
from tests.support.source_documents import MASTER, MEDIA
from tests.support.source_reading import SITE, manifest_of, read_source, reasons

MEDIA_HERE = MEDIA.replace(b"keys.example.com", b"www.example.com")
VOD = b"#EXTM3U\n#EXTINF:6,\n1.ts\n#EXT-X-ENDLIST\n"


def media_with(lines: str) -> bytes:
    return f"#EXTM3U\n{lines}\n#EXTINF:6,\n1.ts\n#EXT-X-ENDLIST\n".encode()


def test_multivariant_playlist_lists_all_renditions_or_the_lowest_with_its_audio() -> None:
    names = ("video/hi.m3u8", "video/lo.m3u8", "audio/lo.m3u8", "audio/hi.m3u8", "frames.m3u8")
    others = dict.fromkeys(names, VOD)
    master = MASTER.replace(b"/video/lo", b"video/lo")
    urls, report = manifest_of(master, others)
    assert urls[0] == "session.key"
    assert [url for url in urls if url.endswith("m3u8")] == list(names)
    assert report.parts == 5
    urls, report = manifest_of(master, others, renditions="lowest")
    assert [url for url in urls if url.endswith("m3u8")] == ["video/lo.m3u8", "audio/lo.m3u8"]
    assert sum(reasons(report, skipped=False).values()) == 3


def test_media_playlist_lists_init_segment_keys_and_segments() -> None:
    urls, report = manifest_of(MEDIA_HERE)
    assert urls == ["init.mp4", f"{SITE}/1?token=x", "1.m4s", "2.m4s"]
    assert reasons(report, skipped=False) == {
        "an address that players do not fetch over HTTP, such as a key of a DRM system": 1
    }
    urls, report = manifest_of(MEDIA_HERE, max_segments=1)
    assert urls[-1] == "1.m4s"
    assert reasons(report, skipped=False)["segments after the first max_segments of a rendition"] == 3


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ('#EXT-X-KEY:METHOD=AES-128,URI="k.bin"', "k.bin"),
        ('#EXT-X-MAP:URI="i.mp4"', "i.mp4"),
        ('#EXT-X-PART:DURATION=1,URI="p.mp4"', "p.mp4"),
        ('#EXT-X-SESSION-DATA:DATA-ID="a",URI="d.json"', "d.json"),
        ('#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k.bin"', "k.bin"),
    ],
)
def test_address_of_a_tag_is_warmed(line: str, address: str) -> None:
    urls, report = manifest_of(media_with(line))
    assert urls == [address, "1.ts"]
    assert report.left_out == ()


@pytest.mark.parametrize(
    "line",
    [
        '#EXT-X-PART:DURATION=1,URI="p.mp4",GAP=YES',
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="next.mp4"',
        '#EXT-X-RENDITION-REPORT:URI="../other.m3u8"',
        '#EXT-X-CONTENT-STEERING:SERVER-URI="/steer"',
        '#EXT-X-DATERANGE:ID="a",X-ASSET-LIST="list.json"',
        '#EXT-X-DATERANGE:ID="a",X-ASSET-URI="ad.m3u8"',
        "#EXT-X-SKIP:SKIPPED-SEGMENTS=9",
        '#EXT-X-OF-ANOTHER-PLAYER:URI="x"',
    ],
)
def test_address_that_is_not_warmed_is_counted_with_the_reason(line: str) -> None:
    urls, report = manifest_of(media_with(line))
    assert urls == ["1.ts"]
    (left_out,) = report.left_out
    assert (left_out.count, left_out.skipped) == (1, False)


@pytest.mark.parametrize(
    "line",
    [
        "#EXT-X-VERSION:x",
        "#EXT-X-MEDIA-SEQUENCE:-1",
        "#EXT-X-DISCONTINUITY",
        "#EXT-X-DISCONTINUITY-SEQUENCE:x",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-I-FRAMES-ONLY",
        "#EXT-X-PART-INF:PART-TARGET=x",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-START:TIME-OFFSET=0",
        "#EXT-X-BITRATE:",
        "#EXT-X-BYTERANGE:nonsense",
        "#EXT-X-PROGRAM-DATE-TIME:yesterday",
        "#EXT-X-DATERANGE:ID=,,,=",
        "#EXT-X-KEY:METHOD=NONE",
        "#EXT-X-TARGETDURATION",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES",
        "#EXTINF:,,,",
        "# a comment",
    ],
)
def test_tag_without_an_address_has_no_effect(line: str) -> None:
    urls, report = manifest_of(media_with(line))
    assert (urls, report.left_out) == (["1.ts"], ())


@pytest.mark.parametrize("address", ["data:text/plain;base64,AA==", "skd://fairplay"])
def test_key_that_is_not_fetched_over_http_is_left_out(address: str) -> None:
    urls, report = manifest_of(media_with(f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{address}"'))
    assert (urls, report.skipped, len(report.left_out)) == (["1.ts"], 0, 1)


def test_variables_are_imported_from_the_multivariant_playlist() -> None:
    master = b'#EXTM3U\n#EXT-X-DEFINE:NAME="cdn",VALUE="seg"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n'
    media = b'#EXTM3U\n#EXT-X-DEFINE:IMPORT="cdn"\n#EXT-X-MAP:URI="{$cdn}/i"\n#EXTINF:1,\n{$cdn}/1\n#EXT-X-ENDLIST'
    assert manifest_of(master, {"v.m3u8": media})[0] == ["v.m3u8", "seg/i", "seg/1"]


def test_variable_that_grows_without_end_is_refused_as_too_long() -> None:
    doubled = "".join(f'#EXT-X-DEFINE:NAME="v{n + 1}",VALUE="{{$v{n}}}{{$v{n}}}"\n' for n in range(40))
    urls, report = manifest_of(media_with(f'#EXT-X-DEFINE:NAME="v0",VALUE="abcdefgh"\n{doubled}#EXTINF:1,\n{{$v40}}'))
    assert urls == ["1.ts"]
    assert report.skipped == 1


def test_lowest_is_chosen_for_each_pathway() -> None:
    lines = "".join(
        f'#EXT-X-STREAM-INF:BANDWIDTH={rate},PATHWAY-ID="{path}"\n{path}{rate}.m3u8\n'
        for path in "AB"
        for rate in (2, 1)
    )
    others = {f"{path}{rate}.m3u8": VOD for path in "AB" for rate in (1, 2)}
    urls = manifest_of(f"#EXTM3U\n{lines}".encode(), others, renditions="lowest")[0]
    assert [url for url in urls if url.endswith("m3u8")] == ["A1.m3u8", "B1.m3u8"]


def test_playlist_that_cannot_be_read_is_skipped() -> None:
    master = b"#EXTM3U\n" + b"".join(b"#EXT-X-STREAM-INF:BANDWIDTH=1\n%d.m3u8\n" % n for n in range(3))
    urls, report = manifest_of(master, {"0.m3u8": VOD, "1.m3u8": VOD, "2.m3u8": b"<html></html>"})
    assert urls == ["0.m3u8", "1.ts", "1.m3u8"]
    assert (report.parts, report.parts_skipped, report.mostly_skipped) == (3, 1, False)
    _, report = manifest_of(master, {"0.m3u8": VOD})
    assert report.mostly_skipped


@pytest.mark.parametrize("body", [b"", b"\n", b"#EXTM3U\n", b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-ENDLIST\n"])
def test_empty_rendition_is_skipped_with_the_reason(body: bytes) -> None:
    master = b"#EXTM3U\n" + b"".join(b"#EXT-X-STREAM-INF:BANDWIDTH=1\n%d.m3u8\n" % n for n in range(2))
    urls, report = manifest_of(master, {"0.m3u8": body, "1.m3u8": VOD})
    assert urls == ["1.m3u8", "1.ts"]
    assert (report.parts, report.parts_skipped) == (2, 1)
    (reason,) = reasons(report)
    assert reason.startswith("a playlist of the manifest is empty")


def test_bytes_that_are_not_utf_8_skip_their_entry() -> None:
    urls, report = manifest_of(b"#EXTM3U\n#EXTINF:1,\n\xff.ts\n#EXTINF:1,\n2.ts\n#EXT-X-ENDLIST")
    assert (urls, report.skipped) == (["2.ts"], 1)


@pytest.mark.parametrize("body", [b"", b"plain text", b"<html></html>", b"<MPD", b"\x1f\x8bxx", b"\x00" * 9])
def test_document_that_is_not_a_manifest_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"source\[0\]: 'https://www.example.com/v/top'"):
        manifest_of(body)


def test_thumbnails_are_read_as_i_frames() -> None:
    master = b'#EXTM3U\n#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=1,URI="t.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n'
    others = {"t.m3u8": VOD.replace(b"1.ts", b"1.jpg"), "v.m3u8": VOD}
    assert manifest_of(master, others)[0] == ["v.m3u8", "1.ts", "t.m3u8", "1.jpg"]
    assert manifest_of(master, others, renditions="lowest")[0] == ["v.m3u8", "1.ts"]


def test_playlist_without_an_end_is_live() -> None:
    at = f"{SITE}/live.m3u8"
    for end, warnings in (("", 1), ("#EXT-X-ENDLIST", 0)):
        body = f"#EXTM3U\n#EXTINF:6,\n1.ts\n{end}".encode()
        assert len(read_source(ManifestSource(url=at), {at: body})[2]) == warnings
