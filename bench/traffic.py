"""Measure `prewarm traffic`: 2 million lines in 20 and in 20,000 files, against an independent count of them.

    .venv/bin/python -m bench.traffic [--lines 2000000] [--folder DIR] [--only logs|files]

It needs two idle cores and about 1 GB of disk. The logs are made before and are not part of the time.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import functools
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.access_logs import count, split, write_logs
from bench.page import markdown
from bench.section import Machine, Section, Target
from bench.traffic_runs import COLUMNS, Ran, run

if TYPE_CHECKING:
    from collections import Counter

LIMIT_SECONDS = 5.0
FEW, MANY, TRIES = 20, 20_000, 3
# A call that takes longer ends the measurement: it is a fault, or another program has the cores.
LONGEST_CALL = 90.0
CASES = ("logs", "files")

counted = functools.cache(count)


def compare(output: Path, expected: Counter[tuple[str, str]]) -> None:
    """Exit if the CSV of all pairs differs from the independent count."""
    with output.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if not row[0].startswith("#")][1:]
    found = {(url, pop): int(requests) for url, pop, requests, _ in rows}
    if found != dict(expected):
        wrong = [pair for pair in {**expected, **found} if expected[pair] != found.get(pair)]
        shown = [(pair, expected[pair], found.get(pair)) for pair in wrong[:3]]
        raise SystemExit(f"{len(wrong)} pairs differ, such as {shown}")


def measure_logs(folder: Path, lines: int, files: int, tries: int) -> Ran:
    """Measure logs of so many lines in so many files, and compare the counts; return the fastest try."""
    few, output = folder / f"logs{FEW}", folder / "targets.csv"
    if not few.exists():
        write_logs(few, lines, FEW)
    logs = folder / f"logs{files}"
    if not logs.exists():
        split(few, logs, files)
    # URLs with ranges only are left out without the last option.
    arguments = [str(logs), "--cover", "100", "--ranges-as-whole"]
    fastest = min((run(arguments, output, LONGEST_CALL) for _ in range(tries)), key=lambda ran: ran.seconds)
    compare(output, counted(few))
    return fastest


def measure(*, quick: bool = False) -> Section:
    """Read 2 million lines in 20 and in 20,000 files."""
    with tempfile.TemporaryDirectory(prefix="bench-traffic-") as folder:
        if quick:
            return section(Path(folder), 20_000, 200, CASES)
        return section(Path(folder), 2_000_000, MANY, CASES)


def section(folder: Path, lines: int, many: int, cases: tuple[str, ...]) -> Section:
    """Measure these cases; the folder takes and keeps the logs."""
    rows: list[tuple[str, ...]] = []
    targets: list[Target] = []
    for case, files, tries in (("logs", FEW, TRIES), ("files", many, 1)):
        if case in cases:
            ran = measure_logs(folder, lines, files, tries)
            rows.append(ran.row(f"{lines:,} lines in {files:,} files", "as the independent count"))
            if case == "logs":
                targets.append(Target(f"{lines:,} lines of logs in {files} files", ran.seconds, LIMIT_SECONDS, " s"))
    notes = (
        "`prewarm traffic` as a process, imports included, from gzip files of the legacy format with 33 fields; it",
        f"writes all pairs. Of {TRIES} calls with {FEW} files the fastest one is shown, of the others there is one.",
    )
    return Section("Access logs", COLUMNS, tuple(rows), notes, tuple(targets))


def main() -> None:
    """Measure all, or what --only names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--folder", type=Path, help="keep the logs here for a next time")
    parser.add_argument("--only", choices=CASES)
    options = parser.parse_args()
    cases = (options.only,) if options.only else CASES
    began, load_before = dt.datetime.now(dt.UTC), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-traffic-") as folder:
        print(markdown(section(options.folder or Path(folder), options.lines, MANY, cases)))
    print(Machine.now(began, load_before))


if __name__ == "__main__":
    main()
