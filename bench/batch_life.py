"""A batch's life around its fetches: from start to the first fetch, from the last response to the ledger item.

    .venv/bin/python -m bench.batch_life

Each round is a new process: its first batch is a cold start, the next ones are warm. nginx plays the POPs and the
stores are stubs, so network time to S3 and DynamoDB is not included. The warm function emits the same figures as
metrics.
"""

import json
import statistics
import subprocess
import sys

from bench.clients import ours
from bench.edges import edges
from bench.page import markdown
from bench.section import Section

ROUNDS, WARM_BATCHES, PATHS = 5, 4, 20


def measured() -> None:
    """In the measured process: warm several batches; their metrics go to standard output."""
    given = json.load(sys.stdin)
    for number in range(1 + WARM_BATCHES):
        # Each batch is one of another run, whose plan has to be read first.
        paths = [f"/1k/{number}-{path}" for path in range(PATHS + number)]
        ours(paths, given["addresses"], given["port"], given["ca"])


def figures(rounds: int) -> dict[str, float]:
    """Return the medians of all rounds in milliseconds, by the metric's name."""
    found: dict[str, list[float]] = {}
    with edges(None) as ready:
        given = json.dumps({"addresses": ready.addresses, "port": ready.port, "ca": ready.system_roots})
        for _ in range(rounds):
            command = [sys.executable, "-m", "bench.batch_life", "--measured"]
            done = subprocess.run(command, input=given, text=True, stdout=subprocess.PIPE, check=True)
            for line in done.stdout.splitlines():
                document = json.loads(line)
                for name, values in document.items():
                    if name.startswith(("StartToFirstFetch", "LastResponseToStored")):
                        found.setdefault(name, []).extend(values)
    return {name: statistics.median(values) for name, values in found.items()}


def measure(*, quick: bool = False) -> Section:
    """Measure cold and warm starts."""
    found = figures(1 if quick else ROUNDS)
    rows = tuple(
        (kind, f"{found[f'StartToFirstFetch{suffix}']:.1f}", f"{found[f'LastResponseToStored{suffix}']:.1f}")
        for kind, suffix in (("cold", "Cold"), ("warm", ""))
    )
    notes = ("Milliseconds in the worker, medians; S3 and DynamoDB are stubs, so their round trips come on top.",)
    columns = ("start", "start to first fetch", "last response to ledger item")
    return Section("A batch's life", columns, rows, notes, raw=found)


def main() -> None:
    """Print the figures."""
    if "--measured" in sys.argv:
        measured()
        return
    print(markdown(measure()))


if __name__ == "__main__":
    main()
