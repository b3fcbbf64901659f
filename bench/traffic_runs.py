"""One call of `prewarm traffic` in a process of its own: seconds, CPU seconds, peak memory and result."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COLUMNS = ("logs", "seconds", "CPU s", "peak MB", "pairs", "counts")
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


@dataclass(frozen=True)
class Ran:
    """A call: its wall-clock and CPU seconds, its peak memory, and its JSON."""

    seconds: float
    cpu: float
    peak_mb: float
    document: dict[str, Any]

    def row(self, case: str, check: str) -> tuple[str, ...]:
        """Return the row of the table."""
        pairs = f"{self.document['pairs']:,}"
        return case, f"{self.seconds:.1f}", f"{self.cpu:.1f}", f"{self.peak_mb:,.0f}", pairs, check


def run(arguments: list[str], output: Path, longest: float) -> Ran:
    """Call the command once; exit if it fails, or has not ended after so many seconds."""
    began = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, "traffic", *arguments, "--output", str(output), "--json"],
            capture_output=True, text=True, check=False, timeout=longest,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise SystemExit(f"prewarm traffic had not ended after {longest:g} s") from None
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    peak, cpu = map(float, done.stderr.splitlines()[-1].split())
    print(f"{seconds:.1f} s, {cpu:.1f} s of CPU, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    return Ran(seconds, cpu, peak, json.loads(done.stdout))
