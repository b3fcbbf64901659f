"""Long run of the fuzz targets, or a replay of one input.

    .venv/bin/python -m tests.fuzz --seconds 600                 # all targets, ten minutes each
    .venv/bin/python -m tests.fuzz --inputs 1000000 request      # a million inputs of one
    .venv/bin/python -m tests.fuzz --replay FILE stored          # one input, with its traceback

Each target prints a row: inputs, failing inputs, the longest in ms, the process's peak memory. A failing input is
written to a file, and the command that replays it is printed; the exit status is then 1.
"""

import argparse
import hashlib
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

from bench.page import put_between
from bench.processes import megabytes
from tests.fuzz.mutate import mutations
from tests.fuzz.targets import TARGETS

# Failing inputs that are kept of a target.
KEPT = 5


def run(name: str, seed: int, seconds: float, inputs: int, folder: Path) -> tuple[str, list[str]]:
    """Feed one target from a seed; return its row of the table, and how to replay what failed."""
    logging.disable()
    failures: list[str] = []
    target, count, longest = TARGETS[name], 0, 0.0
    ends = time.monotonic() + seconds
    for data in mutations(name, seed, inputs):
        began = time.perf_counter()
        try:
            target(data)
        except Exception as error:  # noqa: BLE001 - any is a finding
            if len(failures) < KEPT:
                path = folder / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
                path.write_bytes(data)
                failures.append(
                    f"{type(error).__name__}: {error}"[:300] + f"\n  python -m tests.fuzz --replay {path} {name}"
                )
            else:
                failures.append("")
        longest = max(longest, time.perf_counter() - began)
        count += 1
        if time.monotonic() > ends:
            break
    peak = megabytes(os.getpid(), "VmHWM")
    row = f"| {name} | {seed} | {count:,} | {len(failures)} | {1000 * longest:.0f} | {peak:.0f} |"
    return row, [each for each in failures if each]


def main() -> None:
    """Run the chosen targets, print the table, and exit with 1 if an input failed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=60, help="most seconds of each target")
    options.add_argument("--inputs", type=int, default=10**9, help="most inputs of each target")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--replay", type=Path, help="a file with one input")
    options.add_argument("--page", type=Path, help="a page that receives the table")
    options.add_argument("targets", nargs="*", default=[*TARGETS], metavar="target")
    chosen = options.parse_args()
    if chosen.replay:
        for name in chosen.targets:
            TARGETS[name](chosen.replay.read_bytes())
        return
    folder = Path(tempfile.mkdtemp(prefix="prewarm-fuzz-"))
    rows, failures = ["| target | seed | inputs | failing | longest, ms | peak MB |", "|---|---|---|---|---|---|"], []
    for name in chosen.targets:
        # A process each, so that the peak memory is the target's own.
        with multiprocessing.get_context("fork").Pool(1) as pool:
            row, failed = pool.apply(run, (name, chosen.seed, chosen.seconds, chosen.inputs, folder))
        rows.append(row)
        failures += failed
        print(row, flush=True)  # noqa: T201 - a command
    print("\n".join([*rows, *failures]))  # noqa: T201
    if chosen.page:
        put_between(chosen.page, "fuzz", "\n".join(rows))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    main()
