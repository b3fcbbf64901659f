"""Mutated documents for every parser of sources: seeds from the fixtures, damaged the ways in which documents are.

The quick part runs in the suite (tests/unit/resolve/sources/test_fuzz.py). The long one:

    .venv/bin/python -m tests.support.source_fuzz --inputs 1000000 --seconds 600 [--parser hls] [--seed 15]

reads inputs `first` to `inputs` of each parser for at most so many seconds, each parser in a process of its own, and
prints how many were read and refused, exceptions, the longest time and the peak of the process's memory. An input
depends on seed, parser and number only, so a run continues with `--first`, and one input is repeated with
`--first N --inputs N+1`.
"""

import argparse
import logging
import random
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
from tests.support.source_mutations import SUFFIXES, mutated, seeds
from tests.support.source_reading import SITE, read_source

TOP, OTHER = f"{SITE}/top", f"{SITE}/other"


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
