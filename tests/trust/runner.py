"""Run cases in several processes, each with a world of its own."""

import contextlib
import math
import multiprocessing
import multiprocessing.util
import random
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.trust.case import Case, Outcome, perform
from tests.trust.cases import all_cases
from tests.trust.world import World, keep_logs

BUILD = Path("build/trust")
_worlds: dict[str, World] = {}


def _begin() -> None:
    """Start this process's world; it ends with the process."""
    stack = contextlib.ExitStack()
    _worlds["this"] = stack.enter_context(World())
    multiprocessing.util.Finalize(None, stack.close, exitpriority=100)


def _perform(name: str, seed: int) -> Outcome:
    case = next(each for each in all_cases() if each.name == name)
    outcome = perform(_worlds["this"], case, seed)
    if outcome.problems:
        keep_logs(_worlds["this"], BUILD / "logs" / f"{name.replace('/', '_')} {seed}")
    return outcome


def run_all(cases: list[Case], seeds: list[int], jobs: int, minutes: float = math.inf) -> Iterator[Outcome]:
    """Run each case with each seed, in `jobs` processes with a world each; begin none after so many minutes.

    With a limit the cases run in a random order, so that each group is represented.
    """
    every = [(case.name, seed) for seed in seeds for case in cases]
    if minutes < math.inf:
        random.Random(len(every)).shuffle(every)
    end = time.monotonic() + 60 * minutes
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _begin) as pool:
        started = [pool.submit(_perform, *each) for each in every]
        for each in as_completed(started):
            if not each.cancelled():
                yield each.result()
            if time.monotonic() >= end:
                for waiting in started:
                    waiting.cancel()
