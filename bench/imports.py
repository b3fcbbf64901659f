"""The CPU seconds of importing each function's handler: the largest part of a cold start that code can shorten."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

FUNCTIONS = Path(__file__).parents[1] / "functions"
HANDLERS = ("warm.handler", "aggregate.handler", "resolve.handler", "api.handler")
TIMED = "import time; began = time.process_time(); import {}; print(time.process_time() - began)"


def main() -> None:
    """Import each handler five times, each time in a new process, and print the medians."""
    environment = os.environ | {"PREWARM_BUCKET": "bench", "PREWARM_TABLE": "bench"}
    for handler in HANDLERS:
        command = [sys.executable, "-c", TIMED.format(handler)]
        seconds = [
            float(subprocess.run(command, cwd=FUNCTIONS, env=environment, capture_output=True, check=True).stdout)
            for _ in range(5)
        ]
        print(f"{handler}: {statistics.median(seconds):.3f} s")


if __name__ == "__main__":
    main()
