"""The CPU seconds of importing each function's handler: the largest part of a cold start that code can shorten."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

from bench.page import markdown
from bench.section import Section, Target, percent, spread

FUNCTIONS = Path(__file__).parents[1] / "functions"
HANDLERS = ("warm.handler", "aggregate.handler", "resolve.handler", "api.handler")
# Packages of the development environment that functions/requirements.txt does not ship; botocore and urllib3 import
# them where they are installed.
NOT_SHIPPED = ("awscrt", "OpenSSL", "cryptography")
TIMED = (
    "import sys, time; sys.modules.update(dict.fromkeys({}, None)); began = time.process_time(); import {}; "
    "print(time.process_time() - began)"
)


def measure(*, quick: bool = False) -> Section:
    """Import each handler five times, each time in a new process."""
    environment = os.environ | {"PREWARM_BUCKET": "bench", "PREWARM_TABLE": "bench"}
    raw = {}
    for handler in HANDLERS:
        command = [sys.executable, "-c", TIMED.format(NOT_SHIPPED, handler)]
        raw[handler] = [
            float(subprocess.run(command, cwd=FUNCTIONS, env=environment, capture_output=True, check=True).stdout)
            for _ in range(1 if quick else 5)
        ]
    middle = {handler: statistics.median(seconds) for handler, seconds in raw.items()}
    rows = tuple(
        (handler, f"{middle[handler]:.3f}", percent(spread(raw[handler], middle[handler]))) for handler in HANDLERS
    )
    notes = ("CPU seconds of importing each function's handler, medians of five processes.",)
    targets = (Target("imports of the warm function", middle["warm.handler"], 0.15, " s"),)
    return Section("Cold start", ("handler", "CPU s", "spread"), rows, notes, targets, raw=raw)


if __name__ == "__main__":
    print(markdown(measure()))
