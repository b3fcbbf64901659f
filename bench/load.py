"""Load: many runs at once, each polled every second, and one run of a million targets of which 1 % fail.

The embedded stack in front of nginx as 64 POPs. Each poll is checked: completed + inProgress = total, nothing that is
finished becomes unfinished. After a run's end each target has one outcome, and each URL is in one list.

    .venv/bin/python -m bench.load                          # 50 runs, then a million targets; some minutes
    .venv/bin/python -m bench.load --runs 5 --urls 200      # a look whether it runs
    .venv/bin/python -m bench.load --page docs/reliability.md

The exit status is 1 if a check fails, or if the memory of a process of the service grows after the first tenth.
"""

import argparse
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bench.edges import HOST, ONE_PERCENT, POPS
from bench.nginx_stack import stack_with_nginx
from bench.page import put_between
from bench.processes import STACK, Watch
from prewarm.catalogue import catalogue
from prewarm_local.stack.stack import EmbeddedStack

POLL_SECONDS = 1.0
# What the largest of a process's samples after the first tenth of the targets may exceed those of before by: garbage
# that is not collected yet, and a worker that begins later than the first ones.
GROWTH_MB, GROWTH = 16.0, 1.10
# The functions that read the results of a whole run at once; half of their memory setting is their limit.
OF_THE_WHOLE_RUN = frozenset({"aggregate.handler.handler", "api.handler.handler"})
# Answers that a client repeats: limits of AWS, and a busy machine that lets API Gateway time out.
BUSY = frozenset({429, 503, 504})


@dataclass
class Seen:
    """What the polls of all runs saw: their seconds, the answers other than 200, and broken promises."""

    seconds: list[float] = field(default_factory=list)
    busy: Counter[int] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    targets: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def slowest(self, share: float) -> float:
        """Return the seconds that so large a share of the polls did not exceed."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


class Client:
    """One caller of the API: starts a run and polls it until its end."""

    def __init__(self, stack: EmbeddedStack, pops: list[str], seen: Seen) -> None:
        self._stack, self._pops, self._seen = stack, pops, seen
        self._session = requests.Session()
        self._session.headers["x-api-key"] = stack.api_key

    def start(self, name: str, urls: int, concurrency: int) -> str:
        """Start a run of so many URLs x all POPs; return its requestID."""
        listed = "\n".join(f"https://{HOST}/1k/{name}-{number:06}.js" for number in range(urls))
        place = f"lists/{name}.txt"
        self._stack.client("s3").put_object(Bucket=self._stack.bucket, Key=place, Body=listed.encode())
        request: dict[str, Any] = {
            "url_list_s3": f"s3://{self._stack.bucket}/{place}",
            "region_type": "pop",
            "region": self._pops,
            "max_concurrency": concurrency,
        }
        while True:
            # Repeating a start whose answer was lost must not start another run.
            key = {"Idempotency-Key": f"load-{name}"}
            response = self._session.post(f"{self._stack.api}/prewarm", json=request, headers=key, timeout=60)
            if response.status_code in BUSY:
                self._note(response.status_code)
                time.sleep(POLL_SECONDS)
                continue
            response.raise_for_status()
            return str(response.json()["requestID"])

    def poll(self, request_id: str, watch: Watch | None = None, limit: int | None = None) -> None:
        """Poll a run every second until its end; note what the answers break. `limit`: URLs of a page."""
        done = finished = 0
        while True:
            began = time.monotonic()
            query = {"requestID": request_id} | ({} if limit is None else {"limit": str(limit)})
            response = self._session.get(f"{self._stack.api}/status", params=query, timeout=60)
            took = time.monotonic() - began
            if response.status_code != 200:
                self._note(response.status_code)
            else:
                status = response.json()
                with self._seen.lock:
                    self._seen.seconds.append(took)
                done, finished = self._check(status, done, finished, paged=limit is not None)
                total = status["targets"]["total"]
                if watch is not None and total and status["targets"]["done"] >= total / 10:
                    watch.mark()
                if status["status"] != "IN_PROGRESS":
                    self._end(status)
                    return
            time.sleep(max(0.0, POLL_SECONDS - (time.monotonic() - began)))

    def _check(self, status: dict[str, Any], done: int, finished: int, *, paged: bool) -> tuple[int, int]:
        """Note what one answer breaks; return its finished targets and URLs."""
        lists = status["successUrl"] + status["failedUrl"] + status["inProgressUrl"]
        now, total = status["targets"]["done"], status["total"]
        broken = {
            "completed + inProgress is not total": status["completed"] + status["inProgress"] != total,
            "a URL is missing or listed twice": not paged and (len(lists) != total or len(set(lists)) != total),
            "finished targets became fewer": now < done,
            "finished URLs became fewer": status["completed"] < finished,
        }
        with self._seen.lock:
            self._seen.problems += [f"{status['run']}: {problem}" for problem, is_so in broken.items() if is_so]
        return now, status["completed"]

    def _end(self, status: dict[str, Any]) -> None:
        targets = status["targets"]
        with self._seen.lock:
            self._seen.targets += targets["total"]
            self._seen.outcomes.update(targets["outcomes"])
            if not targets["total"] == targets["done"] == sum(targets["outcomes"].values()):
                self._seen.problems.append(f"{status['run']}: {targets} do not add up")

    def _note(self, code: int) -> None:
        with self._seen.lock:
            self._seen.busy[code] += 1
            if code not in BUSY:
                self._seen.problems.append(f"an answer {code}")


def grown(watch: Watch, stack: EmbeddedStack) -> list[str]:
    """Return the functions whose memory grew; moto keeps all histories, so the stack's own process may grow.

    Roll-up and status hold the results of the whole run: theirs must stay below half of the function's setting.
    """
    settings = {function.handler: float(function.memory) for function in stack.template.functions}
    problems = []
    for kind, before, after in watch.rows():
        if kind in settings:
            most = settings[kind] / 2 if kind in OF_THE_WHOLE_RUN else before * GROWTH + GROWTH_MB
            if before and after > most:
                problems.append(f"memory of {kind} grew from {before:.0f} to {after:.0f} MB")
    return problems


def report(title: str, seconds: float, seen: Seen, watch: Watch) -> list[str]:
    """Return one part's result as Markdown."""
    not_warm = {
        name: count for name, count in sorted(seen.outcomes.items()) if name not in {"warmed", "already_warm"}
    }
    faults = sum(not_warm.values())
    named = ", ".join(f"{count:,} {name}" for name, count in not_warm.items())
    busy = ", ".join(f"{count} x {code}" for code, count in sorted(seen.busy.items())) or "none"
    lines = [
        f"**{title}**: {seen.targets:,} targets in {seconds:.0f} s, {faults:,} of them not warm ({named or 'none'}).",
        (
            f"{len(seen.seconds):,} polls, median {seen.slowest(0.5):.2f} s, 99 % within {seen.slowest(0.99):.2f} s, "
            f"slowest {max(seen.seconds):.2f} s; other answers: {busy}; broken promises: {len(seen.problems)}."
        ),
        "",
        "| process | MB until a tenth was done | MB afterwards |",
        "|---|---|---|",
    ]
    for kind, before, after in sorted(watch.rows()):
        if kind.endswith(".handler") or kind == STACK:
            lines.append(f"| {kind} | {f'{before:.0f}' if before else '-'} | {f'{after:.0f}' if after else '-'} |")
    return [*lines, ""]


def many_runs(stack: EmbeddedStack, pops: list[str], runs: int, urls: int) -> tuple[list[str], list[str]]:
    """Start so many runs at once and poll each; return the report and what was broken."""
    seen = Seen()
    began = time.monotonic()
    with Watch() as watch, ThreadPoolExecutor(runs) as pool:

        def one(number: int) -> None:
            client = Client(stack, pops, seen)
            client.poll(client.start(f"run{number:03}", urls, 1))
            if number == runs // 10:
                watch.mark()

        list(pool.map(one, range(runs)))
    title = f"{runs} runs at once, {urls} URLs x {len(pops)} POPs each"
    return report(title, time.monotonic() - began, seen, watch), seen.problems


def large_run(stack: EmbeddedStack, pops: list[str], urls: int) -> tuple[list[str], list[str]]:
    """Make one run of so many URLs; return the report and what was broken."""
    seen = Seen()
    began = time.monotonic()
    with Watch() as watch:
        client = Client(stack, pops, seen)
        client.poll(client.start("large", urls, 2), watch, limit=100)
    title = f"One run with 1 % faults, {urls:,} URLs x {len(pops)} POPs"
    return report(title, time.monotonic() - began, seen, watch), seen.problems + grown(watch, stack)


def main() -> None:
    """Make both parts, print the result, and exit with 1 if anything was broken."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=50, help="runs at once; 0: none")
    options.add_argument("--run-urls", type=int, default=20, help="URLs of each of them")
    options.add_argument("--urls", type=int, default=15_625, help="URLs of the large run, each through 64 POPs")
    options.add_argument("--page", type=Path, help="a page that receives the result")
    chosen = options.parse_args()
    pops = list(catalogue().pops)[:POPS]
    text: list[str] = []
    problems: list[str] = []
    with stack_with_nginx(pops, ONE_PERCENT) as stack:
        for part in (
            (lambda: many_runs(stack, pops, chosen.runs, chosen.run_urls)) if chosen.runs else None,
            (lambda: large_run(stack, pops, chosen.urls)) if chosen.urls else None,
        ):
            if part is not None:
                lines, broken = part()
                print("\n".join(lines), flush=True)
                text += lines
                problems += broken
    print("\n".join(problems))
    if chosen.page:
        put_between(chosen.page, "load", "\n".join(text))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
