"""HLS (RFC 8216): what a master or media playlist names. Parsed by the m3u8 library; here is what to take of it."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import m3u8

from prewarm.request.url_sources import ManifestSource

OTHER_SCHEME = re.compile(r"(?i)(?!https?:)[a-z][a-z0-9+.-]*:", re.ASCII)


def is_playlist(body: bytes) -> bool:
    """Say whether a document is a playlist: its first line is #EXTM3U (RFC 8216, section 4.3.1.1)."""
    return body.lstrip(b"\xef\xbb\xbf").startswith(b"#EXTM3U")


def read_playlist(body: bytes, base: str) -> Any:  # noqa: ANN401 - the library has no types
    """Return a parsed playlist, its addresses resolved against `base`.

    Raises:
        ValueError: it cannot be read.

    """
    try:
        return m3u8.loads(body.decode("utf-8-sig"), uri=base)  # type: ignore[no-untyped-call]
    except Exception as error:  # the library raises what comes: ValueError, KeyError, IndexError, its own
        raise ValueError(f"is no playlist that can be read: {type(error).__name__}: {error}") from error


def renditions(master: Any, wanted: ManifestSource) -> tuple[list[str], list[str]]:  # noqa: ANN401
    """Return a master playlist's media playlists to read, and what else it names (session keys).

    `lowest`: the variant stream of the lowest bandwidth with the audio, video and subtitles of its groups; `all`: all
    of them, I-frame playlists too.
    """
    chosen = list(master.playlists)
    if wanted.renditions == "lowest":
        chosen = sorted(chosen, key=lambda each: each.stream_info.bandwidth or 0)[:1]
    media = [each for each in master.media if each.uri]
    if wanted.renditions == "lowest":
        groups = {
            (kind, getattr(each.stream_info, name))
            for each in chosen
            for kind, name in (("AUDIO", "audio"), ("VIDEO", "video"), ("SUBTITLES", "subtitles"))
        }
        media = [each for each in media if (each.type, each.group_id) in groups]
    frames = list(master.iframe_playlists) if wanted.renditions == "all" else []
    playlists = [each.absolute_uri for each in (*chosen, *media, *frames)]
    return _once(playlists), _once(_keys(master.session_keys))


def parts(playlist: Any, wanted: ManifestSource) -> Iterator[str]:  # noqa: ANN401
    """Yield what a media playlist names: init segments, keys and segments, as far as they are wanted."""
    for segment in list(playlist.segments)[: wanted.max_segments]:
        if segment.init_section is not None and segment.init_section.uri:
            yield segment.init_section.absolute_uri
        yield from _keys([segment.key])
        if segment.uri:
            yield segment.absolute_uri


def _keys(keys: Iterable[Any]) -> Iterator[str]:
    """Yield the addresses of keys that are fetched by HTTP; others (`skd:`, `data:`) are the player's business."""
    for key in keys:
        if key is not None and key.uri and not OTHER_SCHEME.match(key.uri):
            yield key.absolute_uri


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
