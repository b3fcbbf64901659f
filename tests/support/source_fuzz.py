"""Mutated documents for every parser of sources: seeds from the fixtures, damaged the ways in which documents are.

The quick part runs in the suite (tests/unit/resolve/sources/test_fuzz.py). The long one:

    .venv/bin/python -m tests.support.source_fuzz 1000000 600

reads up to a million inputs for at most 600 s of one core, and prints its figures.
"""

import gzip
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from prewarm.errors import InvalidRequest
from prewarm.request.url_list import read_url_list
from prewarm.request.url_parser import parse_url
from prewarm.request.url_sources import ManifestSource, SitemapSource
from resolve.sources.budget import Budget
from resolve.sources.path_filter import PathPattern
from tests.support.source_documents import MASTER, MEDIA
from tests.support.source_reading import FIXTURES, SITE, read_source

TOP, OTHER = f"{SITE}/top", f"{SITE}/other"
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


@dataclass
class Figures:
    """The inputs read so far by parser and result, the slowest one, and the problems found."""

    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    slowest: bytes = b""
    problems: list[tuple[str, str, bytes]] = field(default_factory=list)


class Logged(logging.Handler):
    """Collects what the boundary logs: an error that a parser did not foresee."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception's text."""
        self.texts.append(repr(record.exc_info[1]) if record.exc_info else record.getMessage())


SUFFIXES = {
    "sitemap": (".sitemap",),
    "manifest": (".m3u8", ".mpd"),
    "list": (".txt", ".csv", ".json", ".urls"),
    "pattern": (".urls",),
}


def seeds() -> dict[str, list[bytes]]:
    """Return the documents that mutations begin with, by parser."""
    files = sorted(FIXTURES.iterdir())
    by_parser = {
        name: [path.read_bytes() for path in files if path.name.endswith(suffixes)]
        for name, suffixes in SUFFIXES.items()
    }
    by_parser["manifest"] += [MASTER, MEDIA]
    return by_parser


def mutated(source: random.Random, documents: list[bytes]) -> bytes:
    """Return a document with up to eight changes: bytes, tokens, cuts, repeats, parts of another, compression."""
    body = bytearray(source.choice(documents))
    for _ in range(source.randint(1, 8)):
        at = source.randint(0, len(body))
        kind = source.randint(0, 6)
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
        else:
            end = at + source.randint(1, 12)
            body[at:end] = source.choice(TOKENS)
    if source.random() < 0.02:
        body = bytearray(gzip.compress(bytes(body), 1)[: source.randint(1, 4096)])
    return bytes(body[:8192])


def parsers(source: random.Random) -> dict[str, Callable[[bytes], None]]:
    """Return the parsers by name; each raises InvalidRequest or ValueError for what it refuses."""

    def of_source(
        kind: type[SitemapSource] | type[ManifestSource], options: list[dict[str, object]]
    ) -> Callable[[bytes], None]:
        sources = [kind.model_validate({"url": TOP} | each) for each in options]

        def read(body: bytes) -> None:
            read_source(source.choice(sources), {TOP: body, OTHER: body}, budget=Budget(seconds=5))

        return read

    def read_list(body: bytes) -> None:
        for _, text in read_url_list(body, source.choice(["", "a.csv"])):
            try:
                parse_url(text)
            except ValueError:
                continue

    def match(body: bytes) -> None:
        text = body.decode("latin-1")
        PathPattern(text[:60].replace("a", "*")).matches(parse_url(f"{SITE}/a?{text[60:4000].encode().hex()}"))

    filters: list[dict[str, object]] = [{}, {"include": "/*a*", "since": "2026-01-01"}, {"exclude": "*ö*"}]
    choices: list[dict[str, object]] = [{}, {"renditions": "lowest", "max_segments": 2}]
    return {
        "sitemap": of_source(SitemapSource, filters),
        "manifest": of_source(ManifestSource, choices),
        "list": read_list,
        "pattern": match,
    }


def fuzz(inputs: int, seconds: float, seed: int) -> Figures:
    """Read mutated documents with every parser in turn, up to a number of inputs or seconds; returns the figures."""
    source, documents, figures, logged = random.Random(seed), seeds(), Figures(), Logged()
    logger = logging.getLogger("service_undefined")
    logger.addHandler(logged)
    every, ends = parsers(source), time.monotonic() + seconds
    names = ["sitemap", "manifest", "manifest", "list", "pattern"]
    try:
        for number in range(inputs):
            if time.monotonic() > ends:
                break
            name = names[number % len(names)]
            # One in ten is a document of another kind.
            kind = name if number % 10 else source.choice(names)
            body = mutated(source, documents[kind])
            started = time.process_time()
            try:
                every[name](body)
                result = "read"
            except (InvalidRequest, ValueError) as error:
                result = "refused"
                if type(error) not in {InvalidRequest, ValueError}:
                    figures.problems.append((name, repr(error), body))
            except Exception as error:  # noqa: BLE001 - what the fuzzing looks for
                result = "exception"
                figures.problems.append((name, repr(error), body))
            if logged.texts:
                figures.problems += [(name, text, body) for text in logged.texts]
                logged.texts.clear()
            figures.results[name, result] += 1
            taken = time.process_time() - started
            if taken > figures.slowest_seconds:
                figures.slowest_seconds, figures.slowest = taken, body
    finally:
        logger.removeHandler(logged)
    return figures


def main() -> None:
    """Fuzz as the command line says, and print the figures."""
    inputs, seconds = int(sys.argv[1]), float(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else time.time_ns()
    started, lines = time.monotonic(), []
    figures = fuzz(inputs, seconds, seed)
    lines.append(f"seed {seed}: {sum(figures.results.values()):,} inputs in {time.monotonic() - started:.0f} s")
    for (name, result), count in sorted(figures.results.items()):
        lines.append(f"  {name} {result}: {count:,}")
    lines.append(f"  slowest: {figures.slowest_seconds * 1000:.0f} ms, {figures.slowest[:200]!r}")
    for name, text, body in figures.problems[:20]:
        lines.append(f"  PROBLEM {name}: {text}\n    {body!r}")
    lines.append(f"  problems: {len(figures.problems)}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
