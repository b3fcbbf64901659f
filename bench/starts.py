"""How long a user waits: `prewarm --help`, `prewarm local` until it is ready, and `prewarm demo`.

.venv/bin/python -m bench.starts
"""

import signal
import statistics
import subprocess
import sys
import time

from bench.page import markdown
from bench.section import Section, Target, percent, spread

PREWARM = (sys.executable, "-m", "prewarm_cli")
ROUNDS = 5


def measure(*, quick: bool = False) -> Section:
    """Start each command several times, the demo once; what is installed has been started before."""
    rounds = 1 if quick else ROUNDS
    help_shown = [seconds_of("--help") for _ in range(rounds + 1)][1:]
    ready = [local_ready_seconds() for _ in range(rounds + 1)][1:]
    figures = {"`prewarm --help`": help_shown, "`prewarm local`, ready": ready}
    bounds = {"`prewarm --help`": 0.15, "`prewarm local`, ready": 2.0}
    if not quick:
        figures["`prewarm demo`"], bounds["`prewarm demo`"] = [seconds_of("demo")], 20.0
    middle = {name: statistics.median(values) for name, values in figures.items()}
    rows = tuple(
        (name, f"{middle[name]:.2f}", percent(spread(values, middle[name])), f"{len(values)}")
        for name, values in figures.items()
    )
    targets = tuple(Target(name, middle[name], bounds[name], " s") for name in figures)
    notes = ("Seconds that a user waits, medians.",)
    return Section("Starts", ("command", "seconds", "spread", "times"), rows, notes, targets, raw=figures)


def seconds_of(argument: str) -> float:
    """Return the seconds of `prewarm` with one argument, which must succeed: a demo whose checks fail does not."""
    began = time.monotonic()
    subprocess.run([*PREWARM, argument], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def local_ready_seconds() -> float:
    """Return the seconds until `prewarm local` prints that it is ready."""
    began = time.monotonic()
    command = [*PREWARM, "local", "--distribution", "d111abcdef8.cloudfront.net=www.example.com"]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert started.stdout is not None
    try:
        line = started.stdout.readline()
        seconds = time.monotonic() - began
        if not line:
            raise RuntimeError("`prewarm local` ended before it was ready")
        return seconds
    finally:
        started.send_signal(signal.SIGTERM)
        started.communicate(timeout=30)


if __name__ == "__main__":
    print(markdown(measure()))
