"""The speed of this project's worker, compared with other ways of warming.

    .venv/bin/python -m bench.warm --rounds 3
    .venv/bin/python -m bench.warm --quick      # a look whether it runs

nginx plays 64 POPs on one core; each client runs on another in a process of its own, several times in turn. CPU is
that of the client and its children, per 1,000 whole fetches, imports left out.
"""

import argparse
import datetime as dt
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.clients import CLIENTS
from bench.edges import SLOW_MS, Edges, edges, nginx

OURS, BARE = "this worker", "bare pycurl loop"
PEERS = ("curl processes", "requests, a connection each", "requests, sessions")
# Paths per POP for fast clients and for peers; 64 POPs each.
CASES = {"1k": (400, 4), "100k": (60, 2), "10m": (2, 1), "slow": (150, 2)}
NAMES = {"1k": "1 KB", "100k": "100 KB", "10m": "10 MB", "slow": f"{SLOW_MS} ms to first byte"}
QUICK = {"1k": (4, 1), "slow": (2, 1)}
QUICK_POPS = 8


@dataclass(frozen=True)
class Figure:
    """The run of one client: complete fetches, seconds, CPU seconds, peak memory in MB."""

    fetches: int
    seconds: float
    cpu: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Fetches per second."""
        return self.fetches / self.seconds

    @property
    def cpu_per_1000(self) -> float:
        """CPU seconds per 1,000 fetches."""
        return 1000 * self.cpu / self.fetches


def measured() -> None:
    """In the measured process: fetch, and print seconds and memory."""
    given = json.load(sys.stdin)
    fetch = CLIENTS[given["client"]]
    if given["core"] is not None:
        os.sched_setaffinity(0, {given["core"]})
    paths = [f"/{given['case']}/{number}" for number in range(given["paths"])]
    # Late imports and the first handshake are excluded from the comparison.
    fetch([f"/{given['case']}/first"], dict(list(given["addresses"].items())[:1]), given["port"], given["ca"])
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    before = sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds))
    began = time.monotonic()
    whole = fetch(paths, given["addresses"], given["port"], given["ca"])
    seconds = time.monotonic() - began
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, kinds)) - before
    wanted = len(paths) * len(given["addresses"])
    if whole != wanted:
        sys.exit(f"{given['client']}: {whole} of {wanted} came whole")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(asdict(Figure(whole, seconds, cpu, peak))))


def measure(client: str, case: str, paths: int, ready: Edges, ca: str, core: int | None) -> Figure:
    """Run one client once in its own process."""
    given = {"client": client, "case": case, "paths": paths, "port": ready.port, "ca": ca, "core": core}
    done = subprocess.run(
        [sys.executable, "-m", "bench.warm", "--measured"],
        input=json.dumps(given | {"addresses": ready.addresses}),
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    # The lines before it are the worker's metrics.
    return Figure(**json.loads(done.stdout.splitlines()[-1]))


def median(figures: list[Figure]) -> Figure:
    """Return the median of each figure."""
    middle = {name: statistics.median(asdict(each)[name] for each in figures) for name in asdict(figures[0])}
    return Figure(**middle)


def few_pops(ready: Edges) -> Edges:
    """Return the edges with few of their POPs."""
    return replace(ready, addresses=dict(list(ready.addresses.items())[:QUICK_POPS]))


def both_roots(ready: Edges) -> dict[str, str]:
    """Return the CA files by the name that the page has for them."""
    return {"one root": ready.one_root, "system roots": ready.system_roots}


def main() -> None:
    """Measure all clients in turn, so that a noisy moment affects all of them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--page", type=Path, help="write the tables there too")
    options.add_argument("--quick", action="store_true", help="few fetches, no page")
    options.add_argument("--measured", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.measured:
        measured()
        return
    if nginx() is None:
        sys.exit("nginx is not installed (Debian: nginx-light)")
    cores = sorted(os.sched_getaffinity(0))
    client_core, server_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    found: dict[tuple[str, str, str], list[Figure]] = {}
    with edges(server_core) as whole:
        ready = few_pops(whole) if chosen.quick else whole
        roots = {"system roots": ready.system_roots} if chosen.quick else both_roots(ready)
        for number in range(1 if chosen.quick else chosen.rounds):
            for case, (many, few) in (QUICK if chosen.quick else CASES).items():
                if case == "slow" and not ready.can_be_slow:
                    print("nginx has no echo module: nothing is measured at 150 ms to first byte")
                    continue
                for client in CLIENTS:
                    for bundle, ca in roots.items():
                        if client not in PEERS and bundle != "system roots":
                            continue
                        figure = measure(client, case, few if client in PEERS else many, ready, ca, client_core)
                        found.setdefault((case, client, bundle), []).append(figure)
                        print(
                            f"{number + 1}: {NAMES[case]}, {client}, {bundle}: {figure.rate:,.0f}/s, "
                            f"{figure.cpu_per_1000:.3f} s CPU per 1,000, {figure.peak_mb:.0f} MB",
                            flush=True,
                        )
    text = page({key: median(figures) for key, figures in found.items()}, chosen.rounds)
    print(text)
    if chosen.page:
        chosen.page.write_text(text, encoding="utf-8")


def page(found: dict[tuple[str, str, str], Figure], rounds: int) -> str:
    """Return the page: a table per case, and the ratios that the project promises."""
    today = dt.datetime.now(dt.UTC)
    lines = [
        "# Performance",
        "",
        "Made by `make bench`; do not edit. nginx plays 64 POPs over TLS (RSA-2048) on one core, each client runs on",
        f"another. Medians of {rounds}. CPU: seconds of the client, its children included, per 1,000 whole fetches.",
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {today:%Y-%m-%d}.",
        "*This worker* is the warm function's handler: it judges responses, writes records and the ledger item.",
        "*System roots*: the peers load the bundle that systems have; *one root*: a file with one certificate.",
    ]
    for case in dict.fromkeys(case for case, _, _ in found):
        lines += ["", f"## {NAMES[case]}", "", "| client | fetches/s | CPU per 1,000 | MB |", "|---|---|---|---|"]
        for (of_case, client, bundle), figure in found.items():
            if of_case == case:
                name = f"{client}, {bundle}" if client in PEERS else client
                lines.append(f"| {name} | {figure.rate:,.0f} | {figure.cpu_per_1000:.3f} | {figure.peak_mb:.0f} |")
    lines += ["", "## Ratios", "", "| what | ratio |", "|---|---|"]
    lines += [f"| {what} | {ratio:,.1f} |" for what, ratio in ratios(found)]
    return "\n".join(lines) + "\n"


def ratios(found: dict[tuple[str, str, str], Figure]) -> list[tuple[str, float]]:
    """Return the ratios of this worker's figures to its peers'."""
    lines = []
    for case in dict.fromkeys(case for case, _, _ in found):
        mine = found[case, OURS, "system roots"]
        bare = found[case, BARE, "system roots"]
        lines.append((f"{NAMES[case]}: CPU, this worker / bare loop", mine.cpu_per_1000 / bare.cpu_per_1000))
        for (of_case, client, bundle), figure in found.items():
            if of_case == case and client in PEERS:
                lines.append((f"{NAMES[case]}: CPU, {client} ({bundle}) / this worker",
                             figure.cpu_per_1000 / mine.cpu_per_1000))  # fmt: skip
                lines.append(
                    (f"{NAMES[case]}: fetches/s, this worker / {client} ({bundle})", mine.rate / figure.rate)
                )
    return lines


if __name__ == "__main__":
    main()
