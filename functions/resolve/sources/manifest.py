"""HLS and DASH manifests: the manifest itself, and everything that a player fetches because of it."""

from collections import Counter
from collections.abc import Iterable

from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.url_parser import parse_url
from prewarm.request.url_sources import URLS_AT_MOST, ManifestSource
from prewarm.urls import Url, redacted
from resolve.sources import dash, hls
from resolve.sources.decode import decompressed, read_xml
from resolve.sources.document_reader import DocumentReader

MANIFEST_BYTES = 20 * 1024 * 1024
PLAYLISTS_AT_MOST = 1_000
PLAYLISTS_AT_ONCE = 20


def read_manifest(source: str, manifest: ManifestSource, reader: DocumentReader) -> tuple[list[Url], list[str]]:
    """Return a manifest's URLs, its own first, each once, and warnings.

    Raises:
        InvalidRequest: the manifest cannot be read, or lists an invalid URL or too many; the message names `source`.

    """
    top = manifest.parsed
    urls: dict[str, Url] = {top.fetch: top}
    notes: Counter[str] = Counter()
    try:
        body = _read(source, [top], reader)[0]
        if hls.is_playlist(body):
            _add_hls(source, body, manifest, reader, urls, notes)
        else:
            root = read_xml(body)
            if root.tag != "MPD":
                raise ValueError("is neither an HLS playlist nor a DASH manifest")  # noqa: TRY301 - reported as all others
            notes["manifest is live: only the segments listed now are warmed"] += dash.is_live(root)
            _add(urls, dash.segments(root, top.fetch, manifest))
    except ValueError as error:
        raise InvalidRequest([Problem(source, f"{truncate(redacted(top.given))!r} {error}")]) from error
    return list(urls.values()), [f"{source}: {count} {note}" for note, count in sorted(notes.items()) if count]


def _add_hls(
    source: str,
    body: bytes,
    manifest: ManifestSource,
    reader: DocumentReader,
    urls: dict[str, Url],
    notes: Counter[str],
) -> None:
    top = manifest.parsed
    master = hls.read_playlist(body, top.fetch)
    if not master.is_variant:
        _add_media(master, manifest, urls, notes)
        return
    addresses, others = hls.renditions(master, manifest)
    if len(addresses) > PLAYLISTS_AT_MOST:
        raise ValueError(f"lists {len(addresses):,} playlists; at most {PLAYLISTS_AT_MOST:,} are read")
    _add(urls, others)
    playlists = [parsed(address) for address in addresses]
    for start in range(0, len(playlists), PLAYLISTS_AT_ONCE):
        some = playlists[start : start + PLAYLISTS_AT_ONCE]
        for url, text in zip(some, _read(source, some, reader), strict=True):
            urls.setdefault(url.fetch, url)
            _add_media(hls.read_playlist(text, url.fetch), manifest, urls, notes)


def _add_media(playlist: object, manifest: ManifestSource, urls: dict[str, Url], notes: Counter[str]) -> None:
    notes["playlists are live: only the segments listed now are warmed"] += not getattr(playlist, "is_endlist", True)
    _add(urls, hls.parts(playlist, manifest))


def _read(source: str, urls: list[Url], reader: DocumentReader) -> list[bytes]:
    return [decompressed(body, MANIFEST_BYTES) for body in reader.read(source, urls, MANIFEST_BYTES)]


def _add(urls: dict[str, Url], addresses: Iterable[str]) -> None:
    for address in addresses:
        url = parsed(address)
        urls.setdefault(url.fetch, url)
        if len(urls) > URLS_AT_MOST:
            raise ValueError(f"lists more than {URLS_AT_MOST:,} URLs; set max_segments or renditions")


def parsed(address: str) -> Url:
    """Return an address in a manifest as a URL; raises ValueError with the address and the reason."""
    try:
        return parse_url(address)
    except ValueError as error:
        raise ValueError(f"lists {truncate(redacted(address))!r}, which {error}") from error
