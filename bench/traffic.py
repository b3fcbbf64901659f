"""Measure `prewarm traffic`: time and memory, against an independent count of the same logs.

    .venv/bin/python -m bench.traffic [--lines 2000000] [--pairs 20000000] [--folder DIR] [--only logs|files|pairs]

It needs two idle cores and about 3 GB of disk. Each measurement is a process of the command, so that its memory is
its own; the logs are made before and are not part of the time.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import functools
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.page import markdown
from bench.section import Machine, Section, Target

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
AGENT = "Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/537.36%20Chrome/140.0.0.0%20Safari/537.36"
URLS, POPS, OBJECTS_SKEW, POPS_SKEW = 20_000, 400, 1.15, 0.9
LIMIT_SECONDS, MEMORY_MB = 5.0, 1_000
FEW, MANY, TRIES = 20, 20_000, 3
CASES = ("logs", "files", "pairs")
# Peak memory in MB and CPU seconds of the command, on its last line of stderr.
COMMAND = """
import os, sys, time
from bench.processes import megabytes
from prewarm_cli.main import app
try:
    app()
finally:
    print(megabytes(os.getpid(), "VmHWM"), time.process_time(), file=sys.stderr)
"""
# Two codes of airports are enough: the ids only need to have the form of POP ids.
POP_IDS = [f"{'NRT' if number % 2 else 'FRA'}{number // 2 % 1000}-P{number % 9 + 1}" for number in range(POPS)]


def line(chance: random.Random, url: int, pop: int, second: int) -> str:
    """Return one line of a log: 33 fields, some of which are not demand."""
    method = "POST" if chance.random() < 0.02 else "GET"
    status = chance.choices((200, 304, 206, 404, 403), (85, 8, 2, 3, 2))[0]
    agent = "CloudFront-Prewarm/0.1.0" if chance.random() < 0.03 else AGENT
    clock = f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"
    request = f"{chance.getrandbits(200):050x}=="
    return (
        f"2026-11-01\t{clock}\t{POP_IDS[pop]}\t{1000 + url * 7 % 90000}\t203.0.113.{url % 250}\t{method}\t"
        f"d111111abcdef8.cloudfront.net\t/assets/{url % 97}/object%2520{url}.js\t{status}\thttps://www.example.com/\t"
        f"{agent}\t{'v=' + str(url % 3) if url % 5 == 0 else '-'}\t-\tHit\t{request}\twww.example.com\thttps\t412\t"
        f"0.001\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0\t-\t-\t{url % 60000}\t0.001\tHit\t"
        f"application/javascript\t-\t-\t-\n"
    )


def make(folder: Path, lines: int, files: int) -> None:
    """Write logs with the usual skew: few URLs and POPs have most requests."""
    chance = random.Random(18)  # noqa: S311
    url_weights = [1 / (rank + 1) ** OBJECTS_SKEW for rank in range(URLS)]
    pop_weights = [1 / (rank + 1) ** POPS_SKEW for rank in range(POPS)]
    urls = chance.choices(range(URLS), url_weights, k=lines)
    pops = chance.choices(range(POPS), pop_weights, k=lines)
    folder.mkdir(parents=True)
    each = lines // files
    for number in range(files):
        name = folder / f"E2K3EXAMPLE.2026-11-01-{number % 24:02}.{number:08x}.gz"
        with gzip.open(name, "wt", compresslevel=4) as file:
            file.write(HEADER)
            for index in range(number * each, (number + 1) * each):
                file.write(line(chance, urls[index], pops[index], index % 86400))


def split(folder: Path, into: Path, files: int) -> None:
    """Write the lines of some logs again, into so many files of as many lines."""
    into.mkdir()
    texts = [gzip.decompress(path.read_bytes()).splitlines(keepends=True) for path in sorted(folder.iterdir())]
    lines = [line for text in texts for line in text if not line.startswith(b"#")]
    each = len(lines) // files
    for number in range(files):
        name = into / f"E2K3EXAMPLE.2026-11-01-{number % 24:02}.{number:08x}.gz"
        body = HEADER.encode() + b"".join(lines[number * each : (number + 1) * each])
        name.write_bytes(gzip.compress(body, 1))


@functools.cache
def count(folder: Path) -> Counter[tuple[str, str]]:
    """Return the demand by URL and POP, counted line by line without any code of the project."""
    found: Counter[tuple[str, str]] = Counter()
    for path in sorted(folder.iterdir()):
        with gzip.open(path, "rt") as file:
            for text in file:
                if text.startswith("#"):
                    continue
                part = text.rstrip("\n").split("\t")
                if part[5] != "GET" or part[8] not in {"200", "206", "304"} or part[10].startswith("CloudFront-Pre"):
                    continue
                query = "" if part[11] == "-" else "?" + part[11]
                found[f"https://{part[15]}{part[7].replace('%25', '%')}{query}", part[2]] += 1
    return found


@dataclass(frozen=True)
class Ran:
    """One call of the command: its wall-clock and CPU seconds, its peak memory, and its JSON."""

    seconds: float
    cpu: float
    peak_mb: float
    document: dict[str, Any]

    def row(self, case: str, check: str) -> tuple[str, ...]:
        """Return the row of the table."""
        pairs = f"{self.document['pairs']:,}"
        return case, f"{self.seconds:.1f}", f"{self.cpu:.1f}", f"{self.peak_mb:,.0f}", pairs, check


def run(arguments: list[str], output: Path) -> Ran:
    """Call the command once, in a process of its own."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "traffic", *arguments, "--output", str(output), "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    peak, cpu = map(float, done.stderr.splitlines()[-1].split())
    ran = Ran(seconds, cpu, peak, json.loads(done.stdout))
    print(f"{seconds:.1f} s, {cpu:.1f} s of CPU, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    return ran


def compare(output: Path, expected: Counter[tuple[str, str]]) -> None:
    """Exit if the CSV of all pairs differs from the independent count."""
    with output.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if not row[0].startswith("#")][1:]
    counted = {(url, pop): int(requests) for url, pop, requests, _ in rows}
    if counted != dict(expected):
        wrong = [pair for pair in {**expected, **counted} if expected[pair] != counted.get(pair)]
        shown = [(pair, expected[pair], counted.get(pair)) for pair in wrong[:3]]
        raise SystemExit(f"{len(wrong)} pairs differ, such as {shown}")


def measure_logs(folder: Path, lines: int, files: int, tries: int) -> Ran:
    """Measure logs of so many lines in so many files, and compare the counts; return the fastest try."""
    few, output = folder / f"logs{FEW}", folder / "targets.csv"
    if not few.exists():
        make(few, lines, FEW)
    logs = folder / f"logs{files}"
    if not logs.exists():
        split(few, logs, files)
    # URLs with ranges only are left out without the last option.
    arguments = [str(logs), "--cover", "100", "--ranges-as-whole"]
    fastest = min((run(arguments, output) for _ in range(tries)), key=lambda ran: ran.seconds)
    compare(output, count(few))
    return fastest


def measure_pairs(folder: Path, pairs: int) -> Ran:
    """Measure logs in which each line is a pair of its own."""
    logs, output = folder / f"pairs{pairs}", folder / "pairs.csv"
    if not logs.exists():
        logs.mkdir(parents=True)
        for number in range(FEW):
            with gzip.open(logs / f"E2K3EXAMPLE.2026-11-01-{number:02}.x.gz", "wt", compresslevel=1) as file:
                file.write(SHORT_HEADER)
                for index in range(number * pairs // FEW, (number + 1) * pairs // FEW):
                    url, pop = divmod(index, 50)
                    file.write(
                        f"2026-11-01\t12:00:00\t{POP_IDS[pop]}\t4096\twww.example.com\t/catalogue/{url % 1000}/"
                        f"product-{url}.html\t200\tGET\n"
                    )
    ran = run([str(logs), "--memory", f"{MEMORY_MB}MB", "--cover", "95"], output)
    if ran.document["pairs"] != pairs:
        raise SystemExit(f"{ran.document['pairs']} pairs were counted, {pairs} are in the logs")
    return ran


def measure(*, quick: bool = False) -> Section:
    """Read 2 million lines in 20 and in 20,000 files, and 20 million distinct pairs."""
    with tempfile.TemporaryDirectory(prefix="bench-traffic-") as folder:
        if quick:
            return section(Path(folder), 20_000, 200, 20_000, CASES)
        return section(Path(folder), 2_000_000, MANY, 20_000_000, CASES)


def section(folder: Path, lines: int, many: int, pairs: int, cases: tuple[str, ...]) -> Section:
    """Measure these cases; the folder takes and keeps the logs."""
    rows: list[tuple[str, ...]] = []
    targets: list[Target] = []
    for case, files, tries in (("logs", FEW, TRIES), ("files", many, 1)):
        if case in cases:
            ran = measure_logs(folder, lines, files, tries)
            rows.append(ran.row(f"{lines:,} lines in {files:,} files", "as the independent count"))
            if case == "logs":
                targets.append(Target(f"{lines:,} lines of logs in {files} files", ran.seconds, LIMIT_SECONDS, " s"))
    if "pairs" in cases:
        ran = measure_pairs(folder, pairs)
        rows.append(ran.row(f"{pairs:,} distinct pairs, --memory {MEMORY_MB:,}MB", "all were counted"))
        targets.append(Target(f"memory of {pairs:,} distinct pairs", ran.peak_mb, MEMORY_MB, " MB"))
    notes = (
        "The command as a process, imports included, from gzip files of the legacy format with 33 fields (the pairs:",
        f"8 fields). Of {TRIES} calls with {FEW} files the fastest one is shown, of the others there is one.",
    )
    columns = ("logs", "seconds", "CPU s", "peak MB", "pairs", "counts")
    return Section("Access logs", columns, tuple(rows), notes, tuple(targets))


def main() -> None:
    """Measure all, or what --only names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--pairs", type=int, default=20_000_000)
    parser.add_argument("--folder", type=Path, help="keep the logs here for a next time")
    parser.add_argument("--only", choices=CASES)
    options = parser.parse_args()
    cases = (options.only,) if options.only else CASES
    began, load_before = dt.datetime.now(dt.UTC), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-traffic-") as folder:
        print(markdown(section(options.folder or Path(folder), options.lines, MANY, options.pairs, cases)))
    print(Machine.now(began, load_before))


if __name__ == "__main__":
    main()
