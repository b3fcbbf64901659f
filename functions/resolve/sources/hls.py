"""HLS (RFC 8216): the addresses that a master or media playlist lists. The m3u8 library parses it."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import m3u8

from prewarm.request.url_sources import ManifestSource

OTHER_SCHEME = re.compile(r"(?i)(?!https?:)[a-z][a-z0-9+.-]*:", re.ASCII)


def is_playlist(body: bytes) -> bool:
    """Return whether a document is a playlist: its first line is #EXTM3U (RFC 8216, section 4.3.1.1)."""
    return body.lstrip(b"\xef\xbb\xbf").startswith(b"#EXTM3U")


def read_playlist(body: bytes, base: str) -> Any:  # noqa: ANN401 - the library has no types
    """Return a parsed playlist, its addresses resolved against `base`.

    Raises:
        ValueError: the playlist is invalid.

    """
    try:
        return m3u8.loads(body.decode("utf-8-sig"), uri=base)  # type: ignore[no-untyped-call]
    except Exception as error:  # the library raises ValueError, KeyError, IndexError and its own
        raise ValueError(f"is not a valid playlist: {type(error).__name__}: {error}") from error


def renditions(master: Any, source: ManifestSource) -> tuple[list[str], list[str]]:  # noqa: ANN401
    """Return the media playlists of a master playlist, and its other addresses (session keys).

    `lowest`: the variant stream of the lowest bandwidth with the audio, video and subtitles of its groups; `all`: all
    of them, including I-frame playlists.
    """
    selected = list(master.playlists)
    if source.renditions == "lowest":
        selected = sorted(selected, key=lambda each: each.stream_info.bandwidth or 0)[:1]
    media = [each for each in master.media if each.uri]
    if source.renditions == "lowest":
        groups = {
            (kind, getattr(each.stream_info, name))
            for each in selected
            for kind, name in (("AUDIO", "audio"), ("VIDEO", "video"), ("SUBTITLES", "subtitles"))
        }
        media = [each for each in media if (each.type, each.group_id) in groups]
    frames = list(master.iframe_playlists) if source.renditions == "all" else []
    playlists = [each.absolute_uri for each in (*selected, *media, *frames)]
    return _once(playlists), _once(_keys(master.session_keys))


def parts(playlist: Any, source: ManifestSource) -> Iterator[str]:  # noqa: ANN401
    """Yield the addresses in a media playlist: init segments, keys, and up to `max_segments` segments."""
    for segment in list(playlist.segments)[: source.max_segments]:
        if segment.init_section is not None and segment.init_section.uri:
            yield segment.init_section.absolute_uri
        yield from _keys([segment.key])
        if segment.uri:
            yield segment.absolute_uri


def _keys(keys: Iterable[Any]) -> Iterator[str]:
    """Yield the addresses of keys that are fetched by HTTP; skip others, such as `skd:` and `data:`."""
    for key in keys:
        if key is not None and key.uri and not OTHER_SCHEME.match(key.uri):
            yield key.absolute_uri


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
