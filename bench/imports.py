"""The CPU seconds of importing each function's handler: the largest part of a cold start that code can shorten."""

import os
import statistics
import subprocess
import sys
import tempfile
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


WITHOUT_BYTECODE = f"{HANDLERS[0]}, without bytecode"


def measure(*, quick: bool = False) -> Section:
    """Import each handler five times, each time in a new process; one of them also without bytecode."""
    environment = os.environ | {"PREWARM_BUCKET": "bench", "PREWARM_TABLE": "bench"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    tries = 1 if quick else 5
    for handler in HANDLERS:
        _seconds(handler, environment)  # writes the bytecode that is missing
    raw = {handler: [_seconds(handler, environment) for _ in range(tries)] for handler in HANDLERS}
    with tempfile.TemporaryDirectory() as folder:
        # An empty folder of bytecode, in which none is written.
        without = environment | {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        raw[WITHOUT_BYTECODE] = [_seconds(HANDLERS[0], without) for _ in range(tries)]
    middle = {name: statistics.median(seconds) for name, seconds in raw.items()}
    rows = tuple((name, f"{middle[name]:.3f}", percent(spread(raw[name], middle[name]))) for name in raw)
    notes = (
        "CPU seconds of importing each function's handler, medians of five processes. `sam build` leaves no",
        "bytecode; `compileall` after it adds it ([deploy](deploy.md#deploy)).",
    )
    targets = (Target("imports of the warm function", middle["warm.handler"], 0.15, " s"),)
    return Section("Cold start", ("handler", "CPU s", "spread"), rows, notes, targets, raw=raw)


def _seconds(handler: str, environment: dict[str, str]) -> float:
    """Return the CPU seconds of importing a handler in a new process."""
    command = [sys.executable, "-c", TIMED.format(NOT_SHIPPED, handler)]
    done = subprocess.run(command, cwd=FUNCTIONS, env=environment, capture_output=True, check=True)
    return float(done.stdout)


if __name__ == "__main__":
    print(markdown(measure()))
