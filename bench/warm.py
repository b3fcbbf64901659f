"""The speed of this project's worker, compared with other ways of warming.

    .venv/bin/python -m bench.warm --rounds 3                     # prints, and leaves the page as it is
    .venv/bin/python -m bench.warm --rounds 1 --case 1k --client "this worker" --client h2load
    .venv/bin/python -m bench.warm --quick                        # a look whether it runs

nginx plays 64 POPs on one core; each client runs on another in a process of its own, several times in turn. CPU is
that of the client and its children, per 1,000 whole fetches, imports and the start of programs left out.
"""

import argparse
import os
import sys
from collections.abc import Collection
from dataclasses import dataclass, replace

from bench.comparison import OURS, Run, section_of
from bench.edges import SLOW_MS, Edges, edges
from bench.job import PeerFailed
from bench.measured import run_once
from bench.page import markdown
from bench.peers import CLIENTS, versions
from bench.section import Section

# Of the clients that targets compare, and of those that are far from any target.
ROUNDS, FAR_ROUNDS = 9, 3
# Paths per POP, 64 POPs each.
CASES = {"1k": 100, "100k": 40, "10m": 2, "slow": 100}
NAMES = {"1k": "1 KB", "100k": "100 KB", "10m": "10 MB", "slow": f"{SLOW_MS} ms to first byte"}
QUICK = {"1k": 4}
QUICK_POPS = 4
NOTES = (
    "nginx plays 64 POPs over TLS (RSA-2048) on one core, each client runs on another; they take turns {rounds}",
    "times, those that no target is about {far} times. Figures are medians; *spread*, the machine's noise, is the",
    "distance of the largest from the smallest run in percent of the median. CPU: seconds per 1,000 whole fetches;",
    "its ratio is the median of the rounds' ratios. Imports, the start of a program and the first handshake are left",
    "out. A client with a number in its description was tried with several, and has the fastest; nginx's own counter",
    "confirms the number of requests. *This worker* is the warm function's handler: it judges each answer, measures,",
    "and writes records and the ledger's item; the other clients only fetch. It and the bare loop load the bundle of",
    "roots that systems have, the peers a file with one root. *h2load* is the limit: it verifies nothing, and",
    "connects to one address.",
)


@dataclass(frozen=True)
class Setting:
    """What one call measures: cases with paths per POP, clients, rounds, the client's core, whether to try forms."""

    cases: dict[str, int]
    clients: Collection[str]
    rounds: int
    core: int | None
    tries_forms: bool


def measure(*, quick: bool = False) -> Section:
    """Measure all clients at all sizes, or quickly with few fetches."""
    return compared(QUICK if quick else CASES, tuple(CLIENTS), 1 if quick else ROUNDS, quick=quick)


def compared(cases: dict[str, int], clients: Collection[str], rounds: int, *, quick: bool = False) -> Section:
    """Serve, and let the clients take turns, so that a noisy moment affects all of them."""
    cores = sorted(os.sched_getaffinity(0))
    client_core, server_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    notes = [line.format(rounds=rounds, far=min(rounds, FAR_ROUNDS)) for line in NOTES]
    with edges(server_core) as whole:
        if "slow" in cases and not whole.can_be_slow:
            cases = {case: paths for case, paths in cases.items() if case != "slow"}
            notes.append(f"nginx has no echo module (Debian: libnginx-mod-http-echo): no row of {NAMES['slow']}.")
        ready = replace(whole, addresses=dict([*whole.addresses.items()][:QUICK_POPS])) if quick else whole
        runs = in_turn(Setting(cases, clients, rounds, client_core, not quick), ready)
    return section_of(runs, NAMES, notes, versions())


def in_turn(setting: Setting, ready: Edges) -> list[Run]:
    """Return the runs, by case and client; each client has its best form."""
    runs: list[Run] = []
    for case, most in setting.cases.items():
        paths = {name: max(1, most // CLIENTS[name].part) for name in setting.clients}
        best = {name: best_form(name, case, paths[name], setting, ready) for name in setting.clients}
        of_case: dict[str, list[Run]] = {name: [] for name in setting.clients}
        for number in range(1, setting.rounds + 1):
            for name in setting.clients:
                if number > FAR_ROUNDS and CLIENTS[name].far:
                    continue
                form = best[name]
                run = Run(case, name, CLIENTS[name].form.format(form), number)
                of_client = of_case[name]
                try:
                    done = replace(run, figure=run_once(name, case, paths[name], form, ready, setting.core))
                except PeerFailed as failed:
                    if name == OURS:
                        raise
                    done = replace(run, failed=str(failed))
                of_client.append(done)
                print(f"{number}: {NAMES[case]}, {name}: {_shown(done)}", file=sys.stderr, flush=True)
        runs += [run for name in setting.clients for run in of_case[name]]
    return runs


def best_form(name: str, case: str, paths: int, setting: Setting, ready: Edges) -> int:
    """Return the form that takes the fewest seconds; the first if all fail, so that the row has the reason."""
    forms = CLIENTS[name].forms
    seconds: dict[int, float] = {}
    for form in forms if len(forms) > 1 and setting.tries_forms else ():
        try:
            seconds[form] = run_once(name, case, paths, form, ready, setting.core).seconds
        except PeerFailed as failed:
            print(f"{NAMES[case]}, {name}, {form}: {failed}", file=sys.stderr, flush=True)
    return min(seconds, key=seconds.__getitem__) if seconds else forms[0]


def _shown(run: Run) -> str:
    if not run.figure:
        return run.failed
    return f"{run.figure.rate:,.0f}/s, {run.figure.cpu_per_1000:.3f} s CPU per 1,000"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--quick", action="store_true", help="few fetches")
    options.add_argument("--case", action="append", choices=CASES, help="only this size; may be repeated")
    options.add_argument("--client", action="append", choices=CLIENTS, help="only this client; may be repeated")
    chosen = options.parse_args()
    cases = {case: paths for case, paths in CASES.items() if case in (chosen.case or CASES)}
    rounds = 1 if chosen.quick else chosen.rounds
    section = compared(QUICK if chosen.quick else cases, chosen.client or tuple(CLIENTS), rounds, quick=chosen.quick)
    print(markdown(section))


if __name__ == "__main__":
    main()
