"""HLS and DASH manifests, read through CloudFront."""

from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST
from tests.support.handlers import Machine
from tests.support.source_documents import MASTER, MEDIA
from tests.support.source_runs import NUMBERS, document_of, planned, rejected, warnings


def test_redirected_manifest_is_warmed_where_it_is(machine: Machine, site: Any) -> None:
    end = site(b"#EXTM3U\n#EXTINF:6,\n1.ts\n#EXT-X-ENDLIST\n", "end.m3u8")
    urls = planned(machine, manifest=site(b"", status=302, headers={"location": end}))
    assert urls == [end, end.replace("end.m3u8", "1.ts")]


@pytest.fixture
def stream(edge: SimulatedCloudFront) -> str:
    number = next(NUMBERS)
    base = f"/sources/{number}"
    edge.put_object(f"{base}/top.m3u8", document_of(MASTER.replace(b"\n/video", f"\n{base}/video".encode())))
    for name in ("video/hi", "video/lo", "audio/hi", "audio/lo", "frames"):
        edge.put_object(f"{base}/{name}.m3u8", document_of(MEDIA.replace(b"keys.example.com", HOST.encode())))
    return f"https://{HOST}{base}/top.m3u8"


def test_hls_manifest_adds_playlists_segments_init_segments_and_keys(machine: Machine, stream: str) -> None:
    urls = planned(machine, manifest=stream)
    base = stream.removesuffix("top.m3u8")
    tails = [url.removeprefix(base) for url in urls]
    assert tails[:2] == ["top.m3u8", "session.key"]
    assert {"video/hi.m3u8", "video/hi.m3u8".replace("hi", "lo"), "frames.m3u8", "audio/lo.m3u8"} <= set(tails)
    assert {"video/init.mp4", "video/1.m4s", "video/2.m4s", "audio/1.m4s"} <= set(tails)
    assert f"https://{HOST}/1?token=x" in urls
    assert len(set(urls)) == len(urls)


def test_lowest_rendition_and_max_segments_limit_the_urls(machine: Machine, stream: str) -> None:
    urls = planned(machine, manifest={"url": stream, "renditions": "lowest", "max_segments": 1})
    base = stream.removesuffix("top.m3u8")
    tails = [url.removeprefix(base) for url in urls if url.startswith(base)]
    assert tails == ["top.m3u8", "session.key", "video/lo.m3u8", "video/init.mp4", "video/1.m4s",
                     "audio/lo.m3u8", "audio/init.mp4", "audio/1.m4s"]  # fmt: skip


def test_live_playlist_is_a_warning(machine: Machine, site: Any) -> None:
    top = site(MEDIA.replace(b"#EXT-X-ENDLIST\n", b"").replace(b"keys.example.com", HOST.encode()))
    assert "manifest[0]: 1 playlists are live: only the segments listed now are warmed" in warnings(
        machine, manifest=top
    )


def test_dash_manifest_adds_its_segments(machine: Machine, site: Any) -> None:
    body = b"""<MPD type="static" mediaPresentationDuration="PT8S"><Period><AdaptationSet>
      <SegmentTemplate duration="4" initialization="i-$RepresentationID$" media="$RepresentationID$-$Number$"/>
      <Representation id="v" bandwidth="1"/></AdaptationSet></Period></MPD>"""
    top = site(body, "top.mpd")
    base = top.removesuffix("top.mpd")
    assert planned(machine, manifest=top) == [top, f"{base}i-v", f"{base}v-1", f"{base}v-2"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html></html>", "is neither an HLS playlist nor a DASH manifest"),
        (b"plain text", "is not XML"),
        (
            b"#EXTM3U\n#EXTINF:4,\nftp://x/1.ts\n#EXT-X-ENDLIST\n",
            "contains no URL to warm: 1 entry skipped: the URL has the scheme",
        ),
    ],
)
def test_invalid_manifest_is_rejected(machine: Machine, site: Any, body: bytes, words: str) -> None:
    cause = rejected(machine, manifest=site(body))
    assert cause.startswith("manifest[0]: ")
    assert words in cause
