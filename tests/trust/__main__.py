"""Run the fault matrix: `python -m tests.trust`; `--only NAME --seed N` replays one case."""

import argparse
import json
import math
import sys
import time
from dataclasses import asdict

from tests.trust.case import Outcome
from tests.trust.cases import all_cases
from tests.trust.record import write_record
from tests.trust.runner import BUILD, run_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trust", description=__doc__)
    parser.add_argument("--only", action="append", help="a case's name, or the beginning of several")
    parser.add_argument("--seed", type=int, action="append", help="a seed; may be repeated")
    parser.add_argument("--seeds", type=int, default=2, help="how many seeds, from 1")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no case after so many minutes")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="list the cases")
    parser.add_argument("--quick", action="store_true", help="the part that runs in `make test`")
    parser.add_argument("--record", action="store_true", help="write the figures into docs/reliability.md")
    options = parser.parse_args()
    names = {case.name for case in all_cases()}

    def is_chosen(name: str) -> bool:
        return not options.only or any(
            name == only if only in names else name.startswith(only) for only in options.only
        )

    cases = [case for case in all_cases() if is_chosen(case.name) and (case.quick or not options.quick)]
    if options.list or not cases:
        print("\n".join(f"{case.group}: {case.name}" for case in cases or all_cases()))
        return 0 if cases else 2
    seeds = options.seed or list(range(1, options.seeds + 1))
    began = time.monotonic()
    outcomes: list[Outcome] = []
    for outcome in run_all(cases, seeds, min(options.jobs, len(cases) * len(seeds)), options.minutes):
        outcomes.append(outcome)
        print(line(outcome, len(outcomes), len(cases) * len(seeds)), flush=True)
    seconds = time.monotonic() - began
    failed = [outcome for outcome in outcomes if outcome.problems]
    BUILD.mkdir(parents=True, exist_ok=True)
    document = {"seconds": round(seconds), "seeds": seeds, "outcomes": [asdict(each) for each in outcomes]}
    (BUILD / "trust.json").write_text(json.dumps(document, indent=1) + "\n")
    if options.record:
        write_record(cases, outcomes, len(cases) * len(seeds), seconds)
    share = f"{len(outcomes)} of {len(cases) * len(seeds)} cases"
    print(f"{share}, {len(failed)} failed, {seconds:.0f} s; {BUILD / 'trust.json'}")
    for outcome in failed:
        print(f"replay: {outcome.replay}")
    return 1 if failed else 0


def line(outcome: Outcome, number: int, count: int) -> str:
    """Return a case's line, with its problems and the command that replays it."""
    status = "FAILED" if outcome.problems else "ok"
    first = (
        f"[{number}/{count}] {status:6} {outcome.seconds:5.1f} s  {outcome.case} (seed {outcome.seed}):"
        f" {', '.join(outcome.statuses)}, {outcome.polls} polls, {outcome.targets} targets"
    )
    details = [f"    {problem}" for problem in outcome.problems[:8]]
    return "\n".join([first, *details, *([f"    replay: {outcome.replay}"] if outcome.problems else [])])


if __name__ == "__main__":
    sys.exit(main())
