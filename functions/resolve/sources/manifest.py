"""HLS and DASH manifests: the manifest itself, and everything that a player fetches because of it."""

from collections.abc import Mapping

from prewarm.errors import InvalidRequest
from prewarm.request.url_sources import ManifestSource
from prewarm.urls import Url
from resolve.sources import dash, hls, hls_renditions
from resolve.sources.boundary import Unreadable, problem, reading
from resolve.sources.dash_tree import TreeBuilder
from resolve.sources.decode import lines, pieces, text_pieces
from resolve.sources.document_reader import Document, DocumentReader
from resolve.sources.intake import Intake, resolve_address
from resolve.sources.xml_reader import read_xml

MANIFEST_BYTES = 20 * 1024 * 1024
PLAYLISTS_AT_MOST = 1_000
# Their bodies are in memory together: 160 MB at most.
PLAYLISTS_AT_ONCE = 8
# Alternative base addresses of one element, such as several CDNs.
BASES_AT_MOST = 20
SEGMENT_IN_MASTER = "a segment in a multivariant playlist, which players do not fetch"
NOT_LOWEST = "a rendition that is not the lowest (renditions)"
NOT_FETCHED = "an address that players do not fetch over HTTP, such as a key of a DRM system"
LIVE_HLS = "{} playlists are live: only the segments listed now are warmed"
LIVE_DASH = "manifest is live: only the segments listed now are warmed"


def read_manifest(manifest: ManifestSource, reader: DocumentReader, intake: Intake) -> list[str]:
    """Take a manifest's URLs, its own first, each once; returns warnings.

    Raises:
        InvalidRequest: the manifest itself cannot be read, or the run's budget is spent.

    """
    document = reader.read([manifest.parsed], MANIFEST_BYTES)[0]
    if document.stale:
        return []
    try:
        if document.problem:
            raise Unreadable(document.problem)  # noqa: TRY301 - reported as all others
        with reading(intake.source, document.url, intake.place):
            if document.moved:
                intake.leave_out(document.url.given, f"redirects to {document.read_from.given}, which is warmed")
            intake.take_own(document.read_from)
            reading_of = _Manifest(manifest, reader, intake)
            body = document.body
            unpacked = b"".join(pieces(body, MANIFEST_BYTES)) if body.startswith(b"\x1f\x8b") else body
            if hls.is_playlist(unpacked):
                return reading_of.read_hls(document)
            return reading_of.read_dash(document)
    except Unreadable as error:
        raise InvalidRequest([problem(intake.source, document.url, str(error))]) from error


class _Manifest:
    """Reads one manifest and what it lists."""

    def __init__(self, manifest: ManifestSource, reader: DocumentReader, intake: Intake) -> None:
        self._manifest, self._reader, self._intake = manifest, reader, intake
        self._live = 0
        self._bases: dict[tuple[str, ...], list[str]] = {}

    # ---- HLS ----

    def read_hls(self, top: Document) -> list[str]:
        """Take what a playlist lists and, of a multivariant one, what its playlists list."""
        playlist = self._playlist(top, {})
        if not playlist.is_multivariant:
            self._take_media(playlist, top.read_from.fetch)
        else:
            self._read_variants(playlist, top.read_from.fetch)
        return [f"{self._intake.source}: {LIVE_HLS.format(self._live)}"] if self._live else []

    def _playlist(self, document: Document, imported: Mapping[str, str]) -> hls.Playlist:
        texts = text_pieces(pieces(document.body, MANIFEST_BYTES, self._intake.budget))
        base, intake = document.read_from.fetch, self._intake
        playlist = hls.read_playlist(lines(texts), base, imported, intake.budget, intake.place)
        for address, reason, line in playlist.skipped:
            intake.skip(address, reason, f"line {line}")
        for address, reason, _ in playlist.left_out:
            intake.leave_out(address, reason)
        return playlist

    def _read_variants(self, master: hls.Playlist, base: str) -> None:
        intake = self._intake
        for each in master.references:
            if each.kind in {"key", "data"}:
                self._take(each, base)
            elif each.kind in {"segment", "part", "init"}:
                intake.skip(each.address, SEGMENT_IN_MASTER, f"line {each.line}")
        urls = self._selected(master, base)
        if len(urls) > PLAYLISTS_AT_MOST:
            raise Unreadable(f"lists {len(urls):,} playlists; at most {PLAYLISTS_AT_MOST:,} are read")
        for start in range(0, len(urls), PLAYLISTS_AT_ONCE):
            for document in self._reader.read(urls[start : start + PLAYLISTS_AT_ONCE], MANIFEST_BYTES):
                if document.stale:
                    continue
                try:
                    with reading(intake.source, document.url, intake.place):
                        self._read_variant(document, master)
                except Unreadable as error:
                    intake.skip_part(document.url.given, f"a playlist of the manifest {error}")
                else:
                    intake.count_part()
                document.body = bytearray()

    def _read_variant(self, document: Document, master: hls.Playlist) -> None:
        if document.problem:
            raise Unreadable(document.problem)
        head = b"".join(pieces(document.body, MANIFEST_BYTES))[:4096]
        if not hls.is_playlist(head):
            raise Unreadable("is not an HLS playlist" if head.strip() else "is empty")
        playlist = self._playlist(document, master.variables)
        if playlist.is_multivariant:
            raise Unreadable("is a multivariant playlist within another one")
        if playlist.is_empty:
            raise Unreadable("is empty: it lists no segments")
        if document.moved:
            self._intake.leave_out(document.url.given, f"redirects to {document.read_from.given}, which is warmed")
        self._intake.take(document.read_from)
        self._take_media(playlist, document.read_from.fetch)

    def _selected(self, master: hls.Playlist, base: str) -> list[Url]:
        """Return the playlists to read; skips those that cannot be warmed, before the lowest is chosen."""
        urls: dict[int, Url] = {}
        kinds = ("playlist", "media", "frames")
        listed = [each for kind in kinds for each in master.references if each.kind == kind]
        for each in listed:
            if url := self._intake.url_of(each.address, base, f"line {each.line}"):
                urls[each.line] = url
            else:
                self._intake.count_skipped_part()
        refused = self._reader.refused_hosts({url.host for url in urls.values()})
        for line, url in list(urls.items()):
            if url.host in refused:
                self._intake.skip_part(url.given, refused[url.host])
                del urls[line]
        usable = [each for each in listed if each.line in urls]
        selected = usable
        if self._manifest.renditions == "lowest":
            variants = hls_renditions.lowest([each for each in usable if each.kind == "playlist"])
            groups = hls_renditions.groups_of(variants)
            selected = variants + [
                each for each in usable if (each.attributes.get("TYPE"), each.attributes.get("GROUP-ID")) in groups
            ]
        chosen = list({urls[each.line].fetch: urls[each.line] for each in selected}.values())
        fetched = {url.fetch for url in chosen}
        for each in usable:
            if urls[each.line].fetch not in fetched:
                self._intake.leave_out(urls[each.line].given, NOT_LOWEST)
        return chosen

    def _take_media(self, playlist: hls.Playlist, base: str) -> None:
        self._live += not playlist.ended
        most, segments = self._manifest.max_segments, 0
        for each in playlist.references:
            if most is not None and segments >= most:
                self._intake.leave_out("" if each.kind == "key" else each.address, dash.MORE_SEGMENTS)
                continue
            segments += each.kind == "segment"
            self._take(each, base)

    def _take(self, each: hls.Reference, base: str) -> None:
        if each.kind in {"key", "data"} and hls.OTHER_SCHEME.match(each.address):
            self._intake.leave_out(each.address, NOT_FETCHED)
        else:
            self._intake.add(each.address, base, f"line {each.line}")

    # ---- DASH ----

    def read_dash(self, document: Document) -> list[str]:
        """Take the segments of a presentation."""
        intake = self._intake
        builder = TreeBuilder(intake.budget, intake.place)
        read_xml(text_pieces(pieces(document.body, MANIFEST_BYTES, intake.budget)), builder, intake.budget)
        root = builder.root
        if root is None:
            raise Unreadable("is neither an HLS playlist nor a DASH manifest")
        document.body = bytearray()
        for address, reason in builder.left_out:
            intake.leave_out(address, reason)
        presentation = dash.Presentation(
            self._manifest, self._base_addresses, intake.skip_part, intake.count_part, intake.leave_out, intake.place
        )
        for address, bases in dash.segments(root, document.read_from.fetch, presentation):
            for base in bases:
                intake.add(address, base, f"line {intake.place.line}")
        return [f"{intake.source}: 1 {LIVE_DASH}"] if dash.is_live(root) else []

    def _base_addresses(self, above: list[str], own: list[str]) -> list[str]:
        """Return an element's base addresses: its BaseURLs that can be warmed; if none can, all of them."""
        key = (*above, "", *own)
        if key in self._bases:
            return self._bases[key]
        joined: dict[str, Url] = {}
        for base in above:
            for address in own:
                try:
                    url = resolve_address(address, base)
                except ValueError as error:
                    self._intake.skip(address, f"the BaseURL {error}")
                else:
                    joined.setdefault(url.fetch, url)
        if len(joined) > BASES_AT_MOST:
            raise Unreadable(f"has more than {BASES_AT_MOST} base addresses of one element")
        refused = self._reader.refused_hosts({url.host for url in joined.values()})
        usable = [fetch for fetch, url in joined.items() if url.host not in refused]
        for url in joined.values():
            if usable and url.host in refused:
                self._intake.skip(url.given, refused[url.host])
        self._bases[key] = usable or list(joined)
        return self._bases[key]
