"""Measure the memory of `prewarm traffic` that reads 20 million distinct pairs of URL and POP.

    .venv/bin/python -m bench.traffic_memory [--pairs 20000000] [--folder DIR]

It needs two idle cores, about 6 GB of disk and some minutes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import tempfile
from pathlib import Path

from bench.access_logs import POPS_OF_PAIRS, write_pairs
from bench.page import markdown
from bench.section import Machine, Section, Target
from bench.traffic_runs import COLUMNS, Ran, run

FILES, MEMORY_MB = 20, 1_000
# A call that takes longer ends the measurement: it is a fault, or another program has the cores or the disk.
LONGEST_CALL = 600.0


def measure_pairs(folder: Path, pairs: int) -> Ran:
    """Measure logs in which each line is a pair of its own; exit if not all of them are counted."""
    logs = folder / f"pairs{pairs}"
    if not logs.exists():
        write_pairs(logs, pairs, FILES)
    ran = run([str(logs), "--memory", f"{MEMORY_MB}MB"], folder / "pairs.csv", LONGEST_CALL)
    if ran.document["pairs"] != pairs:
        raise SystemExit(f"{ran.document['pairs']} pairs were counted, {pairs} are in the logs")
    return ran


def measure(*, quick: bool = False) -> Section:
    """Read 20 million distinct pairs with 1,000 MB of memory."""
    with tempfile.TemporaryDirectory(prefix="bench-traffic-memory-") as folder:
        return section(Path(folder), 20_000 if quick else 20_000_000)


def section(folder: Path, pairs: int) -> Section:
    """Measure so many pairs; the folder takes and keeps the logs."""
    ran = measure_pairs(folder, pairs)
    row = ran.row(f"{pairs:,} distinct pairs, --memory {MEMORY_MB:,}MB", "all were counted")
    notes = (
        f"`prewarm traffic` as a process, from {FILES} gzip files of 8 fields; each of the URLs is asked for once at",
        f"{POPS_OF_PAIRS} POPs. What exceeds the memory is on the disk, whose speed decides the time.",
    )
    target = Target(f"memory of {pairs:,} distinct pairs", ran.peak_mb, MEMORY_MB, " MB")
    return Section("Access logs: memory", COLUMNS, (row,), notes, (target,))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20_000_000)
    parser.add_argument("--folder", type=Path, help="keep the logs here for a next time")
    options = parser.parse_args()
    began, load_before = dt.datetime.now(dt.UTC), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-traffic-memory-") as folder:
        print(markdown(section(options.folder or Path(folder), options.pairs)))
    print(Machine.now(began, load_before))


if __name__ == "__main__":
    main()
