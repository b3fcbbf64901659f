"""Mutated documents for every parser of sources: seeds from the fixtures, damaged the ways in which documents are.

The quick part runs in the suite (tests/unit/resolve/sources/test_fuzz.py). The long one:

    .venv/bin/python -m tests.support.source_fuzz --inputs 1000000 --seconds 600 [--parser hls] [--seed 15]

reads inputs `first` to `inputs` of each parser for at most so many seconds, each parser in a process of its own, and
prints how many were read and refused, exceptions, the longest time and the peak of the process's memory. An input
depends on seed, parser and number only, so a run continues with `--first`, and one input is repeated with
`--first N --inputs N+1`.
"""

import argparse
import gzip
import logging
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from resource import RUSAGE_SELF, getrusage

from prewarm.errors import InvalidRequest
from prewarm.request.path_pattern import PathPattern
from prewarm.request.url_list import read_url_list
from prewarm.request.url_parser import parse_url
from prewarm.request.url_sources import ManifestSource, SitemapSource
from resolve.sources.budget import Budget
from tests.support.source_documents import FUZZ_SEEDS, MASTER, MEDIA
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


@dataclass
class Figures:
    """What one parser did with its inputs: results, the slowest input with its number, and the problems found."""

    results: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    slowest: int = 0
    problems: list[tuple[int, str, bytes]] = field(default_factory=list)
    end: int = 0


class Logged(logging.Handler):
    """Collects what the boundary logs: an error that a parser did not foresee."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception's text."""
        self.texts.append(repr(record.exc_info[1]) if record.exc_info else record.getMessage())


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


Parser = Callable[[bytes, random.Random], None]


def parsers() -> dict[str, Parser]:
    """Return the parsers by name; each raises InvalidRequest or ValueError for what it refuses."""

    def of_source(kind: type[SitemapSource] | type[ManifestSource], options: list[dict[str, object]]) -> Parser:
        sources = [kind.model_validate({"url": TOP} | each) for each in options]

        def read(body: bytes, source: random.Random) -> None:
            # A second is the limit here of what names millions of segments; a run's is in docs/sources.md.
            read_source(source.choice(sources), {TOP: body, OTHER: body}, budget=Budget(seconds=1))

        return read

    def read_list(body: bytes, source: random.Random) -> None:
        for _, text in read_url_list(body, source.choice(["", "a.csv"])):
            try:
                parse_url(text)
            except ValueError:
                continue

    def match(body: bytes, _: random.Random) -> None:
        text = body.decode("latin-1")
        PathPattern(text[:60].replace("a", "*")).matches(parse_url(f"{SITE}/a?{text[60:4000].encode().hex()}"))

    filters: list[dict[str, object]] = [{}, {"include": "/*a*", "since": "2026-01-01"}, {"exclude": "*ö*"}]
    choices: list[dict[str, object]] = [{}, {"renditions": "lowest", "max_segments": 2}]
    sitemap, manifest = of_source(SitemapSource, filters), of_source(ManifestSource, choices)
    return {
        "sitemap": sitemap,
        "feed": sitemap,
        "text": sitemap,
        "hls": manifest,
        "dash": manifest,
        "list": read_list,
        "pattern": match,
    }


def fuzz(name: str, first: int, end: int, seconds: float, seed: int) -> Figures:
    """Read the inputs `first` to `end` of one parser, for at most so many seconds; returns the figures."""
    documents, figures, logged = seeds(), Figures(end=first), Logged()
    logger = logging.getLogger("service_undefined")
    logger.addHandler(logged)
    read, ends, kinds = parsers()[name], time.monotonic() + seconds, sorted(documents)
    try:
        for number in range(first, end):
            if time.monotonic() > ends:
                break
            source = random.Random(f"{seed}/{name}/{number}")
            # One in ten is a document of another kind.
            body = mutated(source, documents[source.choice(kinds) if number % 10 == 0 else name])
            started = time.process_time()
            try:
                read(body, source)
                result = "read"
            except (InvalidRequest, ValueError) as error:
                result = "refused"
                if type(error) not in {InvalidRequest, ValueError}:
                    figures.problems.append((number, repr(error), body))
            except Exception as error:  # noqa: BLE001 - what the fuzzing looks for
                result = "exception"
                figures.problems.append((number, repr(error), body))
            taken = time.process_time() - started
            if logged.texts:
                figures.problems += [(number, text, body) for text in logged.texts]
                logged.texts.clear()
            figures.results[result] += 1
            figures.end = number + 1
            if taken > figures.slowest_seconds:
                figures.slowest_seconds, figures.slowest = taken, number
    finally:
        logger.removeHandler(logged)
    return figures


def report(name: str, figures: Figures, seed: int, seconds: float) -> str:
    """Return one parser's figures as a line, and a line for each of the first problems."""
    results = figures.results
    peak = getrusage(RUSAGE_SELF).ru_maxrss / 1_000
    lines = [
        (
            f"{name}: {results.total():,} inputs (to {figures.end:,}, seed {seed}) in {seconds:.0f} s: "
            f"{results['read']:,} read, {results['refused']:,} refused, {results['exception']:,} exceptions, "
            f"{len(figures.problems)} problems, longest {figures.slowest_seconds * 1000:.0f} ms "
            f"(input {figures.slowest}), peak {peak:.0f} MB"
        )
    ]
    lines += [f"  PROBLEM {name} {number}: {text}\n    {body!r}" for number, text, body in figures.problems[:20]]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fuzz as the command line says, each parser in a process of its own, and print the figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--parser", choices=SUFFIXES)
    options.add_argument("--inputs", type=int, default=1_000_000)
    options.add_argument("--seconds", type=float, default=600.0)
    options.add_argument("--seed", type=int, default=15)
    options.add_argument("--first", type=int, default=0)
    given = options.parse_args()
    if given.parser is None:
        for name in SUFFIXES:
            command = [sys.executable, "-m", "tests.support.source_fuzz", *sys.argv[1:], "--parser", name]
            subprocess.run(command, check=True)
        return
    started = time.monotonic()
    figures = fuzz(given.parser, given.first, given.inputs, given.seconds, given.seed)
    sys.stdout.write(report(given.parser, figures, given.seed, time.monotonic() - started))


if __name__ == "__main__":
    main()
