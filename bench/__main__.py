"""Measure the sections of docs/performance.md and write the page.

    make bench                                  # all sections, one after another; needs two idle cores
    .venv/bin/python -m bench --only warm       # one, or several; the page keeps the last figures of the others
    .venv/bin/python -m bench --page-only       # write the page from docs/performance.json

The exit status is 1 if a section could not be measured; a target that is missed is a row of the page.
"""

import argparse
import datetime as dt
import importlib
import os
import sys
from pathlib import Path

from bench.page import load, markdown, save
from bench.section import Machine, Result
from bench.termination import exit_on_sigterm, output_of_errors

STORED = Path(__file__).parents[1] / "docs/performance.json"
# In the order of the page. Each is a module of this package with `measure(*, quick) -> Section`.
SECTIONS = (
    "warm",
    "batch_life",
    "large_files",
    "rates",
    "polls",
    "plans",
    "traffic",
    "traffic_memory",
    "next_day",
    "starts",
    "imports",
    "workflow",
    "scale",
    "staging",
)


def main() -> None:
    """Measure what is chosen; each of several sections in a process of its own."""
    options = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--only", action="append", choices=SECTIONS, help="measure this section; may be repeated")
    options.add_argument("--quick", action="store_true", help="small sizes: a look whether it runs")
    options.add_argument("--page-only", action="store_true", help="measure nothing")
    options.add_argument("--stored", type=Path, default=STORED, help="the results; the page is next to it, as .md")
    chosen = options.parse_args()
    if chosen.page_only:
        save(chosen.stored, in_order(load(chosen.stored)))
        return
    names = chosen.only or list(SECTIONS)
    if len(names) == 1:
        one(names[0], chosen.stored, quick=chosen.quick)
        return
    failed = [name for name in names if not several(name, chosen.stored, quick=chosen.quick)]
    text = chosen.stored.with_suffix(".md").read_text(encoding="utf-8")
    print(text.partition("## Targets")[2].partition("\n## ")[0].strip())
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}; {chosen.stored.with_suffix('.md')} has the reasons")


def one(name: str, stored: Path, *, quick: bool) -> None:
    """Measure one section in this process, print it and store it."""
    module = importlib.import_module(f"bench.{name}")
    began, load_before = dt.datetime.now(dt.UTC), os.getloadavg()[0]
    with exit_on_sigterm():
        section = module.measure(quick=quick)
    machine = Machine.now(began, load_before)
    print(f"{section.title}\n{markdown(section)}\n{machine}", flush=True)
    save(stored, in_order(load(stored) | {name: Result(section, machine)}))


def several(name: str, stored: Path, *, quick: bool) -> bool:
    """Measure one section in a new process; if it fails, store why, and return False."""
    print(f"{name} ...", flush=True)
    command = [sys.executable, "-m", "bench", "--only", name, "--stored", str(stored), *(["--quick"] * quick)]
    status, errors = output_of_errors(command)
    sys.stderr.write(errors)
    if status == 0:
        return True
    results = load(stored)
    last = results.get(name, Result())
    reason = ([line for line in errors.splitlines() if line.strip()] or [f"exit status {status}"])[-1]
    failed = f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC: {reason.strip()}"
    save(stored, in_order(results | {name: Result(last.section, last.machine, failed)}))
    return False


def in_order(results: dict[str, Result]) -> dict[str, Result]:
    """Return the results in the order of the page; those of sections that are not measured any more are dropped."""
    return {name: results[name] for name in SECTIONS if name in results}


if __name__ == "__main__":
    main()
