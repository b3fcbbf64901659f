"""Mutated documents: seeds from the fixtures, damaged the ways in which documents are; by seed and number."""

import gzip
import random
import re

from tests.support.source_documents import FUZZ_SEEDS, MASTER, MEDIA
from tests.support.source_reading import FIXTURES

# Parts of the formats, and values at the edges of what a reader may expect.
TOKENS = [
    b"<",
    b">",
    b"</",
    b"/>",
    b"&",
    b"&amp;",
    b"&nosuch;",
    b"&#0;",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<?",
    b"?>",
    b"<!DOCTYPE x [",
    b"<urlset>",
    b"<url><loc>",
    b"</loc></url>",
    b"<sitemap><loc>https://www.example.com/other</loc>",
    b"<MPD>",
    b"<Period>",
    b'<S t="0" d="1" r="-1"/>',
    b'r="999999999999"',
    b'd="0"',
    b'duration="PT1S"',
    b"$Number%099d$",
    b"P" + b"9" * 400 + b"Y",
    b"9" * 19,
    b"-1",
    b"1e9",
    b"NaN",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x1f\x8b",
    b"#EXTM3U\n",
    b"#EXTINF:6,\n",
    b"#EXT-X-STREAM-INF:BANDWIDTH=1\nother\n",
    b'#EXT-X-DEFINE:NAME="a",VALUE="{$a}{$a}"\n',
    b"{$a}",
    b'URI="',
    b'"',
    b",",
    b";",
    b"\t",
    b"\r",
    b"\n",
    b"https://",
    b"//",
    b"..",
    b"%zz",
    b"https://a.b:99/",
    b"[",
    b"{",
    b'{"url":',
    b"]",
    b"url",
    b"sep=;\n",
    "köln".encode(),
    "\ud800".encode("utf-8", "surrogatepass"),
    b' encoding="UT8"',
    b' encoding="utf-16"',
    b' encoding="zlib"',
    b' xlink:href="x"',
    b"<BaseURL>",
    b"data:",
    b"skd://",
]


# How many changes an input has: few leave most of a document as it was.
CHANGES = (1, 1, 1, 2, 2, 3, 4, 8)


VALUE = re.compile(rb"[=:>\"]([^<>\"\n,]{1,60})(?=[<>\"\n,])")


VALUES = [
    b"",
    b"0",
    b"-1",
    b"1",
    b"4.0",
    b"1e3",
    b"9" * 30,
    b"NaN",
    b"PT0S",
    b"PT1H1M1.5S",
    b"P1Y",
    b"PT" + b"9" * 12 + b"H",
    b"$Number%09d$",
    b"$Time$-$Number$",
    b"$RepresentationID$",
    b"$$",
    b"$SubNumber$",
    b"2026-02-30",
    b"2026-11-02T25:61:00Z",
    b"Thu, 31 Feb 2026 99:00:00 +9999",
    b"https://www.example.com/other",
    b"//www.example.net/",
    b"https://www.example.com:99999/",
    b"../../../..",
    b"?",
    b"#",
    b"*",
    b"%",
    b"%2A",
    b"{$path}",
    b"{$a}{$a}",
    b"data:,x",
    b"urn:mpeg:dash:resolve-to-zero:2013",
    "\u0130\u00df\U0001f600".encode(),
    b"\xff",
]


# Each parser's fixtures, by the ends of their names.
SUFFIXES = {
    "sitemap": (".sitemap",),
    "feed": (),
    "text": (".txt", ".urls"),
    "hls": (".m3u8",),
    "dash": (".mpd",),
    "list": (".txt", ".csv", ".json", ".urls"),
    "pattern": (".urls",),
}


def seeds() -> dict[str, list[bytes]]:
    """Return the documents that mutations begin with, by parser."""
    files = sorted(FIXTURES.iterdir())
    by_parser = {
        name: [path.read_bytes() for path in files if path.name.endswith(suffixes)] + FUZZ_SEEDS.get(name, [])
        for name, suffixes in SUFFIXES.items()
    }
    by_parser["hls"] += [MASTER, MEDIA]
    return by_parser


def change(source: random.Random, body: bytearray, documents: list[bytes]) -> None:
    """Damage a document at one place."""
    at = source.randint(0, len(body))
    kind = source.randint(0, 9)
    if kind == 0 and body:
        body[at % len(body)] = source.randint(0, 255)
    elif kind in {1, 2}:
        body[at:at] = source.choice(TOKENS)
    elif kind == 3:
        del body[at : at + source.randint(1, 40)]
    elif kind == 4:
        body[at:at] = body[at : at + source.randint(1, 80)] * source.randint(1, 4)
    elif kind == 5:
        other = source.choice(documents)
        start = source.randint(0, len(other))
        body[at:at] = other[start : start + source.randint(1, 200)]
    elif kind == 6:
        end = at + source.randint(1, 12)
        body[at:end] = source.choice(TOKENS)
    elif value := VALUE.search(body, at) or VALUE.search(body):
        # Another value in the same place keeps the document well-formed.
        body[value.start(1) : value.end(1)] = source.choice(VALUES)


def mutated(source: random.Random, documents: list[bytes]) -> bytes:
    """Return a document with up to eight changes."""
    body = bytearray(source.choice(documents))
    for _ in range(source.choice(CHANGES)):
        change(source, body, documents)
    return packed(source, bytes(body[:8192]))


def packed(source: random.Random, body: bytes) -> bytes:
    """Return a document, or rarely a gzip file of it (cut off, or with what follows its end) or another encoding."""
    share = source.random()
    if share < 0.02:
        whole = gzip.compress(body, 1, mtime=0)
        return whole[: source.randint(1, 4096)] if share < 0.01 else whole + body[:9]
    if share < 0.04:
        return body.decode("latin-1").encode(source.choice(["utf-16", "utf-16-le", "utf-32"]))
    return body
