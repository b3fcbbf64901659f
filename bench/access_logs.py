"""Access logs for bench/traffic.py and bench/traffic_memory.py, and an independent count of their demand.

The logs are in the legacy format. Each file is written by a process of its own pool, since compressing takes longest.
"""

from __future__ import annotations

import gzip
import itertools
import os
import random
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADER = (
    "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status "
    "cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header "
    "cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type "
    "cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type "
    "sc-content-type sc-content-len sc-range-start sc-range-end\n"
)
SHORT_HEADER = (
    "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes x-host-header cs-uri-stem sc-status cs-method\n"
)
OWN_AGENT = "CloudFront-Prewarm/0.1.0"
AGENT = "Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/537.36%20Chrome/140.0.0.0%20Safari/537.36"
URLS, POPS, OBJECTS_SKEW, POPS_SKEW = 20_000, 400, 1.15, 0.9
# Of so many URLs one is answered with 404. Others never are, since one that is answered with 404 last is out of date.
GONE = 33
# POPs of each URL where each line is a pair of its own.
POPS_OF_PAIRS = 50
# Two codes of airports are enough: the ids only need to have the form of POP ids.
POP_IDS = [f"{'NRT' if number % 2 else 'FRA'}{number // 2 % 1000}-P{number % 9 + 1}" for number in range(POPS)]


def cores() -> int:
    """Return how many processes write files at once."""
    return len(os.sched_getaffinity(0))


def _name(folder: Path, number: int) -> Path:
    return folder / f"E2K3EXAMPLE.2026-11-01-{number % 24:02}.{number:08x}.gz"


@cache
def _weights() -> tuple[list[float], list[float]]:
    """Return cumulative weights of URLs and POPs by rank."""
    return (
        [*itertools.accumulate((rank + 1) ** -OBJECTS_SKEW for rank in range(URLS))],
        [*itertools.accumulate((rank + 1) ** -POPS_SKEW for rank in range(POPS))],
    )


def write_logs(folder: Path, lines: int, files: int) -> None:
    """Write logs with the usual skew: few URLs and POPs have most requests."""
    folder.mkdir(parents=True)
    each = lines // files
    with ProcessPoolExecutor(cores()) as pool:
        list(pool.map(_write_log, [_name(folder, number) for number in range(files)], range(files), [each] * files))


def _write_log(path: Path, number: int, lines: int) -> None:
    chance = random.Random(number)  # noqa: S311
    by_url, by_pop = _weights()
    urls = chance.choices(range(URLS), cum_weights=by_url, k=lines)
    pops = chance.choices(POP_IDS, cum_weights=by_pop, k=lines)
    statuses = chance.choices((200, 304, 206, 403), (88, 8, 2, 2), k=lines)
    # Some lines are not demand.
    methods, agents = (
        chance.choices(("GET", "POST"), (98, 2), k=lines),
        chance.choices((AGENT, OWN_AGENT), (97, 3), k=lines),
    )
    text = [HEADER]
    drawn = zip(urls, pops, statuses, methods, agents, strict=True)
    for index, (url, pop, status, method, agent) in enumerate(drawn):
        second = (number * lines + index) % 86_400
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        query = f"v={url % 3}" if url % 5 == 0 else "-"
        text.append(
            f"2026-11-01\t{clock}\t{pop}\t{1000 + url * 7 % 90000}\t203.0.113.{url % 250}\t{method}\t"
            f"d111111abcdef8.cloudfront.net\t/assets/{url % 97}/object%2520{url}.js\t"
            f"{404 if url % GONE == 1 else status}\thttps://www.example.com/\t{agent}\t{query}\t-\tHit\t"
            f"{chance.randbytes(25).hex()}==\twww.example.com\thttps\t412\t0.001\t-\tTLSv1.3\t"
            f"TLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0\t-\t-\t{url % 60000}\t0.001\tHit\tapplication/javascript\t"
            "-\t-\t-\n"
        )
    path.write_bytes(gzip.compress("".join(text).encode(), 4))


def split(folder: Path, into: Path, files: int) -> None:
    """Write the lines of some logs again, into so many files of as many lines."""
    into.mkdir()
    whole = sorted(folder.iterdir())
    each = files // len(whole)
    with ProcessPoolExecutor(cores()) as pool:
        list(pool.map(_split, whole, [into] * len(whole), range(0, files, each), [each] * len(whole)))


def _split(path: Path, into: Path, first: int, files: int) -> None:
    lines = [line for line in gzip.decompress(path.read_bytes()).splitlines(keepends=True) if line[:1] != b"#"]
    each = len(lines) // files
    for number in range(files):
        body = HEADER.encode() + b"".join(lines[number * each : (number + 1) * each])
        _name(into, first + number).write_bytes(gzip.compress(body, 1))


def write_pairs(folder: Path, pairs: int, files: int) -> None:
    """Write logs in which each line is a pair of URL and POP of its own."""
    folder.mkdir(parents=True)
    urls = pairs // POPS_OF_PAIRS
    starts = [number * urls // files for number in range(files + 1)]
    names = [_name(folder, number) for number in range(files)]
    with ProcessPoolExecutor(cores()) as pool:
        list(pool.map(_write_pairs, names, starts[:-1], starts[1:]))


def _write_pairs(path: Path, first: int, end: int) -> None:
    heads = [f"2026-11-01\t12:00:00\t{pop}\t4096\twww.example.com\t/catalogue/" for pop in POP_IDS[:POPS_OF_PAIRS]]
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write(SHORT_HEADER)
        for url in range(first, end):
            tail = f"{url % 1000}/product-{url}.html\t200\tGET\n"
            file.write(tail.join(heads) + tail)


def count(folder: Path) -> Counter[tuple[str, str]]:
    """Return the demand by URL and POP, counted line by line without any code of the project."""
    found: Counter[tuple[str, str]] = Counter()
    with ProcessPoolExecutor(cores()) as pool:
        for part in pool.map(_count, sorted(folder.iterdir())):
            found.update(part)
    return found


def _count(path: Path) -> Counter[tuple[str, str]]:
    return Counter(_requests(path))


def _requests(path: Path) -> Iterator[tuple[str, str]]:
    for text in gzip.decompress(path.read_bytes()).decode().splitlines():
        if text.startswith("#"):
            continue
        part = text.split("\t")
        if part[5] != "GET" or part[8] not in {"200", "206", "304"} or part[10].startswith("CloudFront-Pre"):
            continue
        query = "" if part[11] == "-" else "?" + part[11]
        yield f"https://{part[15]}{part[7].replace('%25', '%')}{query}", part[2]
