"""HLS and DASH manifests: they are warmed themselves, with everything that a player fetches because of them."""

from collections import Counter
from collections.abc import Iterable

from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.url_sources import URLS_AT_MOST, ManifestSource
from prewarm.urls import Url, parse_url, redacted
from resolve.sources import dash, hls
from resolve.sources.decode import read_xml, unpacked
from resolve.sources.document_reader import Reader

MANIFEST_BYTES = 20 * 1024 * 1024
PLAYLISTS_AT_MOST = 1_000
PLAYLISTS_AT_ONCE = 20


def read_manifest(source: str, wanted: ManifestSource, reader: Reader) -> tuple[list[Url], list[str]]:
    """Return a manifest's URLs, itself first, each once, and what people should know.

    Raises:
        InvalidRequest: it cannot be read, or names what is no URL or too much; names `source`.

    """
    top = wanted.parsed
    found: dict[str, Url] = {top.fetch: top}
    told: Counter[str] = Counter()
    try:
        body = _read(source, [top], reader)[0]
        if hls.is_playlist(body):
            _take_hls(source, body, wanted, reader, found, told)
        else:
            root = read_xml(body)
            if root.tag != "MPD":
                raise ValueError("is neither an HLS playlist nor a DASH manifest")  # noqa: TRY301 - told as all else
            told["manifest is live: what it lists now is warmed"] += dash.is_live(root)
            _add(found, dash.segments(root, top.fetch, wanted))
    except ValueError as error:
        raise InvalidRequest([Problem(source, f"{truncate(redacted(top.given))!r} {error}")]) from error
    return list(found.values()), [f"{source}: {count} {words}" for words, count in sorted(told.items()) if count]


def _take_hls(
    source: str, body: bytes, wanted: ManifestSource, reader: Reader, found: dict[str, Url], told: Counter[str]
) -> None:
    top = wanted.parsed
    master = hls.read_playlist(body, top.fetch)
    if not master.is_variant:
        _take_media(master, wanted, found, told)
        return
    addresses, others = hls.renditions(master, wanted)
    if len(addresses) > PLAYLISTS_AT_MOST:
        raise ValueError(f"names {len(addresses):,} playlists; {PLAYLISTS_AT_MOST:,} are read at most")
    _add(found, others)
    playlists = [parsed(address) for address in addresses]
    for start in range(0, len(playlists), PLAYLISTS_AT_ONCE):
        some = playlists[start : start + PLAYLISTS_AT_ONCE]
        for url, text in zip(some, _read(source, some, reader), strict=True):
            found.setdefault(url.fetch, url)
            _take_media(hls.read_playlist(text, url.fetch), wanted, found, told)


def _take_media(playlist: object, wanted: ManifestSource, found: dict[str, Url], told: Counter[str]) -> None:
    told["playlists are live: what they list now is warmed"] += not getattr(playlist, "is_endlist", True)
    _add(found, hls.parts(playlist, wanted))


def _read(source: str, urls: list[Url], reader: Reader) -> list[bytes]:
    return [unpacked(body, MANIFEST_BYTES) for body in reader.read(source, urls, MANIFEST_BYTES)]


def _add(found: dict[str, Url], addresses: Iterable[str]) -> None:
    for address in addresses:
        url = parsed(address)
        found.setdefault(url.fetch, url)
        if len(found) > URLS_AT_MOST:
            raise ValueError(f"names more than {URLS_AT_MOST:,} URLs; set max_segments or renditions")


def parsed(address: str) -> Url:
    """Return an address that a manifest names as a URL; may raise ValueError that names it."""
    try:
        return parse_url(address)
    except ValueError as error:
        raise ValueError(f"names {truncate(redacted(address))!r}, which {error}") from error
