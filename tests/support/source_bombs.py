"""Documents that a reader without limits never finishes, or that need all memory; each within what is downloaded."""

import gzip
import sys
import time
from collections.abc import Callable
from pathlib import Path

from prewarm.errors import InvalidRequest
from prewarm.request.url_sources import ManifestSource, SitemapSource
from resolve.sources.budget import Budget
from tests.support.source_reading import SITE, read_source

MEGABYTE = 1_000_000


def _packed(head: bytes, part: bytes, size: int, tail: bytes = b"") -> bytes:
    """Return head, part as often as fits into `size`, and tail, compressed."""
    return gzip.compress(head + part * ((size - len(head) - len(tail)) // len(part)) + tail, 1)


def mpd(inner: str) -> bytes:
    return f'<MPD type="static" mediaPresentationDuration="PT99999H">{inner}</MPD>'.encode()


# What the nested bombs contain: 100 gzip members of 12 MB each.
NESTED_MEMBERS, NESTED_BYTES = 100, 1_200 * MEGABYTE


def nested(head: bytes, part: bytes) -> bytes:
    """Return gzip of gzip of head and parts, 1.2 GB in all; members repeat, so no more than one is in memory."""
    size = NESTED_BYTES // NESTED_MEMBERS
    first, other = _packed(head, part, size), gzip.compress(part * (size // len(part)), 9, mtime=0)
    return gzip.compress(first + other * (NESTED_MEMBERS - 1), 9, mtime=0)


# Twenty different base addresses of one element.
BASES = "".join(f"<BaseURL>{n}/</BaseURL>" for n in range(20))
QUOTES = b'#EXT-X-KEY:A="' + b" " * 60_000 + b"\n"


def bombs() -> dict[str, tuple[str, Callable[[], bytes]]]:
    """Return the documents' makers by name, each with the kind of source that reads it."""
    file, manifest = 52 * MEGABYTE, 20 * MEGABYTE
    endless = '<SegmentTemplate duration="1" timescale="1000" media="same"/>'
    many = "".join(f'<Representation id="{n}"/>' for n in range(20_000))
    timeline = b'<MPD><Period><AdaptationSet><SegmentTemplate media="$Time$"><SegmentTimeline>'
    same = f"<Period><AdaptationSet>{endless}{many}</AdaptationSet></Period>"
    variants = b"#EXT-X-STREAM-INF:BANDWIDTH=1\nhttps://www.example.com/other\n"
    return {
        "a million representations of the same segments": ("manifest", lambda: mpd(same)),
        "a timeline of two million entries": ("manifest", lambda: _packed(timeline, b'<S d="1"/>', manifest)),
        "a timeline that repeats without end": ("manifest", lambda: mpd(same.replace(endless, TIMELINE))),
        "periods without contents": ("manifest", lambda: _packed(b"<MPD>", b"<Period/>", manifest, b"</MPD>")),
        "base addresses that multiply": ("manifest", lambda: mpd(f"{BASES}<Period>{BASES}</Period>")),
        "a playlist of short lines": ("manifest", lambda: _packed(b"#EXTM3U\n", b"a\n", manifest)),
        "a playlist of one line": ("manifest", lambda: _packed(b"#EXTM3U\n", b"a", manifest)),
        "a playlist of attributes": ("manifest", lambda: _packed(b"#EXTM3U\n#EXT-X-KEY:", b"A=1,", manifest)),
        "a playlist of quotes": ("manifest", lambda: _packed(b"#EXTM3U\n", QUOTES, manifest)),
        "many variants": ("manifest", lambda: _packed(b"#EXTM3U\n", variants, manifest)),
        "empty entries": ("sitemap", lambda: _packed(b"<urlset>", b"<url/>", file, b"</urlset>")),
        "an element in an element": ("sitemap", lambda: _packed(b"<urlset>", b"<a>", file)),
        "one tag": ("sitemap", lambda: _packed(b"<urlset ", b'a="" ', file)),
        "one text": ("sitemap", lambda: _packed(b"<urlset><url><loc>", b"a", file)),
        "one comment": ("sitemap", lambda: _packed(b"<urlset><!--", b" -", file)),
        "entities": ("sitemap", lambda: _packed(b"<urlset><url><loc>", b"&eacute;", file)),
        "ampersands": ("sitemap", lambda: _packed(b"<urlset><url><loc>", b"&", file)),
        "a text of one line": ("sitemap", lambda: _packed(b"https://a/", b"a", file)),
        "a text of short lines": ("sitemap", lambda: _packed(b"a\n", b"a\n", file)),
        "ten gigabytes of zeros": ("sitemap", lambda: gzip.compress(bytes(400 * MEGABYTE), 9) * 25),
        "a million gzip members": ("sitemap", lambda: gzip.compress(b"", mtime=0) * 1_000_000),
        "1.2 GB of entries, compressed twice": ("sitemap", lambda: nested(b"<urlset>", b"<url/>")),
        "1.2 GB of one text, compressed twice": ("sitemap", lambda: nested(b"<urlset><url><loc>", b"a")),
        "1.2 GB of a playlist, compressed twice": ("manifest", lambda: nested(b"#EXTM3U\n", b"a\n")),
        "different alternates": ("sitemap", lambda: _alternates(file)),
    }  # fmt: skip


TIMELINE = '<SegmentTemplate media="$Time$"><SegmentTimeline><S d="1" r="-1"/></SegmentTimeline></SegmentTemplate>'


def _alternates(size: int) -> bytes:
    links = (f'<link rel="alternate" href="https://www.example.com/{n}"/>' for n in range(size // 60))
    return gzip.compress(f"<urlset><url><loc>{SITE}/</loc>{''.join(links)}</url></urlset>".encode(), 1)


def _resident() -> float:
    """Return the memory in use now, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / MEGABYTE


def main() -> None:
    """Read one document; print the seconds, the megabytes that reading added, and the result."""
    kind, make = bombs()[sys.argv[1]]
    body = make()
    before, started = _resident(), time.process_time()
    source = SitemapSource(url=f"{SITE}/top") if kind == "sitemap" else ManifestSource(url=f"{SITE}/top")
    try:
        urls, report, _ = read_source(
            source, {f"{SITE}/top": body, f"{SITE}/other": b"#EXTM3U"}, budget=Budget(seconds=float(sys.argv[2]))
        )
        result = f"{len(urls):,} URLs, {report.skipped:,} skipped"
    except InvalidRequest as refused:
        result = str(refused)[:150]
    # Not ru_maxrss, which a child inherits from the process that started it.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    added = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / MEGABYTE - before
    sys.stdout.write(f"{time.process_time() - started:.1f} s\t{added:.0f} MB\t{result}\n")


if __name__ == "__main__":
    main()
