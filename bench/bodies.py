"""The largest request bodies: CPU seconds and peak memory of parsing and checking each, in a process of its own.

    .venv/bin/python -m bench.bodies                    # a table of all kinds, the slowest first; about three minutes
    .venv/bin/python -m bench.bodies --tries 1 "most odd URLs"

The CPU time is the least of several tries, since other work on the machine slows a process's own instructions too.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

from tests.support.measured_check import BODIES


def measured(kind: str, tries: int) -> dict[str, Any]:
    """Return the try with the least CPU time."""
    command = [sys.executable, "-m", "tests.support.measured_check"]
    done = subprocess.run(command, input=f"{kind}\n" * tries, check=True, stdout=subprocess.PIPE, text=True)
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    return min(runs, key=lambda run: float(run["cpu"]))


def main() -> None:
    """Measure the chosen kinds, by default all, and print them as a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tries", type=int, default=3)
    options.add_argument("kinds", nargs="*", default=[*BODIES], metavar="kind")
    chosen = options.parse_args()
    results = {kind: measured(kind, chosen.tries) for kind in chosen.kinds}
    print("| body | bytes | problems | CPU s | peak MB |\n|---|---|---|---|---|")
    for kind, run in sorted(results.items(), key=lambda pair: -pair[1]["cpu"]):
        print(f"| {kind} | {run['bytes']:,} | {run['problems']:,} | {run['cpu']:.2f} | {run['mb']:.0f} |")


if __name__ == "__main__":
    main()
