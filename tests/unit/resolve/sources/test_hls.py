"""HLS playlists: renditions, segments, init segments and keys."""

import pytest

from prewarm.request.url_sources import ManifestSource
from resolve.sources import hls
from tests.support.source_documents import MASTER, MEDIA

BASE = "https://www.example.com/v/top.m3u8"
ALL, LOWEST = ManifestSource(url=BASE), ManifestSource(url=BASE, renditions="lowest")


def test_master_playlist_lists_all_renditions_or_the_lowest_with_its_audio() -> None:
    master = hls.read_playlist(MASTER, BASE)
    playlists, keys = hls.renditions(master, ALL)
    assert playlists == [
        f"https://www.example.com/{path}"
        for path in ("v/video/hi.m3u8", "video/lo.m3u8", "v/audio/lo.m3u8", "v/audio/hi.m3u8", "v/frames.m3u8")
    ]
    assert keys == ["https://www.example.com/v/session.key"]
    lowest, _ = hls.renditions(master, LOWEST)
    assert lowest == ["https://www.example.com/video/lo.m3u8", "https://www.example.com/v/audio/lo.m3u8"]


def test_media_playlist_lists_init_segment_keys_and_segments() -> None:
    playlist = hls.read_playlist(MEDIA, BASE)
    assert playlist.is_endlist
    addresses = list(dict.fromkeys(hls.parts(playlist, ALL)))
    assert addresses == [
        "https://www.example.com/v/init.mp4",
        "https://keys.example.com/1?token=x",
        "https://www.example.com/v/1.m4s",
        "https://www.example.com/v/2.m4s",
    ]
    first = ManifestSource(url=BASE, max_segments=1)
    assert list(hls.parts(playlist, first))[-1] == "https://www.example.com/v/1.m4s"


@pytest.mark.parametrize("body", [b"#EXTM3U\n\xff\xfe", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=lots\nx.m3u8"])
def test_invalid_playlist_is_rejected(body: bytes) -> None:
    with pytest.raises(ValueError, match="is not a valid playlist"):
        hls.read_playlist(body, BASE)
