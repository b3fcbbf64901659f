"""One owner per result: workers of one part at the same time, whichever answer Step Functions continues with."""

import gzip
import itertools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as bounded
from hypothesis import strategies as st

import prewarm.storage.run_end
import warm.handler
import warm.stop_rules
from aggregate.finish_run import finish_run
from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch, PopQueue
from prewarm.planning.batching import all_batches
from prewarm.planning.plan import Group, Plan, map_item
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import Verdict, roll_up
from prewarm.storage.run_store import Storage
from tests.support.builders import parsed, plan, response
from tests.support.handlers import BUCKET, Context, Machine, client, document, keys
from tests.support.turns import InTurns, Killed, Participant, pause
from warm.run_guard import RunNotActive

POPS = ("ATL56-C1", "NRT57-P3")
URLS = parsed(*(f"https://www.example.com/{number}" for number in range(3)))
TARGETS = len(POPS) * len(URLS)
FEW, ALL = 2, TARGETS
numbers = itertools.count()


@dataclass
class Edge:
    """A fetcher for one invocation: it fetches at most `most` targets, one a turn."""

    most: int
    fetched: set[tuple[str, str]]

    def fetched_since(self, moment: float) -> tuple[float, float]:
        return moment, moment

    def run(
        self,
        fetches: Iterable[Fetch],
        on_response: Callable[[Fetch, Response], float | None],
        *,
        queues: Iterable[PopQueue],
        should_stop: Callable[[], bool],
        admit: Callable[[Fetch], float | None],
        max_bytes: int | None,
    ) -> list[Fetch]:
        """Fetch in order of POPs."""
        assert (list(fetches), max_bytes) == ([], None)
        left = self.most
        for queue in queues:
            while left and not should_stop() and (fetch := queue.next_fetch()):
                pause()
                assert admit(fetch) == 0.0
                pop = POPS[fetch.owner.pop]
                self.fetched.add((fetch.url, pop))
                assert on_response(fetch, response(pop)) is None
                left -= 1
        return []

    def requeue(self, fetch: Fetch) -> None:
        """Fail: nothing is verified here."""
        raise AssertionError(fetch)


def make_plan(run: str) -> Plan:
    group = Group("d111.cloudfront.net", "E1", 0, len(URLS), POPS, len(POPS))
    return plan(
        run=run,
        region_type="pop",
        url_count=len(URLS),
        groups=(group,),
        targets=TARGETS,
        deadline=2e9,
        started_at=1e9,
    )


@dataclass
class StepFunctions:
    """A run of one batch: starts invocations, takes any of their answers, ends the run, redrives it."""

    storage: Storage
    run: str = field(default_factory=lambda: f"owned-{next(numbers)}")
    redrives: int = 0
    cursor: Any = None
    finished: bool = False
    ended: bool = False
    crashed: bool = False
    invocations: list[Participant] = field(default_factory=list)
    current: list[Participant] = field(default_factory=list)
    finishers: list[Participant] = field(default_factory=list)
    fetched: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.plan = make_plan(self.run)
        self.storage.put_plan(self.plan, [url.given for url in URLS], [{pop: ["192.0.2.1"] for pop in POPS}])
        block: dict[str, Any] = {"urls": [url.given for url in URLS], "headers": {}, "user_agent": None}
        self.storage.put_block(self.plan, 0, block)
        self.storage.ledger.open_run(self.run, self.plan.deadline)
        (batch,) = all_batches(self.plan)
        self.item = map_item(batch, self.plan.groups[0], URLS[0])

    def invoke(self, most: int) -> None:
        """Start a worker of the batch's current state, which fetches at most so many targets."""
        if self.ended or self.finished or len(self.live()) >= 3:
            return
        counts = {"redrives": 0, "childRedrives": self.redrives}
        event = json.loads(json.dumps({"run": self.run, "batch": self.item, "cursor": self.cursor} | counts))

        def work() -> Any:
            Participant.current().tool = Edge(most, self.fetched)
            return warm.handler.handler(event, Context())

        participant = Participant(work)
        self.invocations.append(participant)
        self.current.append(participant)

    def live(self) -> list[Participant]:
        return [each for each in self.invocations if not each.done]

    def step(self, index: int) -> None:
        """Let one of the workers, or the roll-up, run to its next call of a store."""
        if live := self.live() + [each for each in self.finishers if not each.done]:
            live[index % len(live)].step()

    def accept(self, index: int) -> None:
        """Continue with the answer of one of the invocations of the current state that have returned."""
        answers = [each for each in self.current if each.done and each.error is None]
        if self.ended or self.finished or not answers:
            return
        answer = json.loads(json.dumps(answers[index % len(answers)].answer))
        self.cursor, self.finished, self.current = answer["cursor"], answer["finished"], []

    def end(self, status: str | None = "ABORTED") -> None:
        """End the run from outside, or let it aggregate."""
        if self.ended:
            return
        self.ended = True
        store: Any = InTurns(self.storage)
        redrives = self.redrives
        self.finishers.append(Participant(lambda: finish_run(self.plan, store, redrives, status)))

    def redrive(self) -> None:
        """Redrive the ended run; the workers of its first start may still work."""
        if self.ended and self.redrives < 2:
            self.redrives += 1
            self.ended, self.current = False, []

    def kill(self, index: int) -> None:
        if live := self.live():
            live[index % len(live)].kill()
            self.crashed = True

    def drain(self) -> None:
        """Run every worker and every roll-up until it returns."""
        for _ in range(50):
            for each in self.live():
                each.finish()
            if self.ended or self.finished:
                break
            self.accept(0)
            self.invoke(FEW)
        self.end(None)
        for each in self.finishers:
            each.finish()
        errors = [each.error for each in [*self.invocations, *self.finishers] if each.error]
        assert [error for error in errors if not isinstance(error, (RunNotActive, Killed))] == []


step = st.tuples(st.just("step"), st.integers(0, 3))
actions = st.lists(
    step
    | step
    | step
    | st.tuples(st.just("steps"), st.integers(0, 3))
    | st.tuples(st.just("invoke"), st.sampled_from([0, 1, FEW, 3, ALL]))
    | st.tuples(st.just("accept"), st.integers(0, 2))
    | st.tuples(st.sampled_from(["kill", "end", "redrive"]), st.integers(0, 3)),
    max_size=60,
)


@pytest.fixture
def step_functions(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Callable[[], StepFunctions]:
    """Return a maker of runs whose workers take turns."""
    monkeypatch.setattr(warm.handler, "storage", lambda: InTurns(machine.storage))
    monkeypatch.setattr(warm.handler, "_fetcher", lambda: Participant.current().tool)
    monkeypatch.setattr(warm.handler, "put_batch_metrics", lambda *_: None)
    monkeypatch.setattr(warm.stop_rules, "CONTROL_SECONDS", 0.0)
    monkeypatch.setattr(prewarm.storage.run_end, "WAIT_SECONDS", 0.0)
    return lambda: StepFunctions(machine.storage)


def perform(states: StepFunctions, chosen: list[tuple[str, int]]) -> None:
    for action, index in chosen:
        if action == "steps":
            for _ in range(8):
                states.step(index)
        elif action in {"end", "redrive"}:
            getattr(states, action)()
        else:
            getattr(states, action)(index)
    states.drain()


def check(states: StepFunctions) -> None:
    """Check that each target has one outcome, and that nothing is called warm that was not fetched."""
    run, storage = states.run, states.storage
    results = storage.ledger.results(run)
    rolled = roll_up(states.plan, results, Outcome.LOST)
    assert all(count > 0 for count in rolled.outcomes.values())
    assert rolled.outcomes.total() == TARGETS
    owned = {f"runs/{run}/records/{r.batch}/{r.part}-{r.attempt}.jsonl.gz" for r in results}
    stored = set(keys(f"runs/{run}/records/"))
    assert owned == stored or (states.crashed and owned <= stored)
    warm_targets = [(record["url"], record["pop"]) for record in records_of(owned)]
    assert len(set(warm_targets)) == len(warm_targets) == rolled.targets_done == rolled.outcomes["warmed"]
    assert set(warm_targets) <= states.fetched
    for index in rolled.indices(Verdict.SUCCESS):
        assert {(URLS[index].given, pop) for pop in POPS} <= set(warm_targets)
    summary = document(run, "summary.json")
    if summary["redrives"] == states.redrives:
        assert summary["outcomes"].get("warmed", 0) == rolled.outcomes["warmed"]
        assert summary["success"] == len(rolled.indices(Verdict.SUCCESS))
    if not states.crashed:
        assert not storage.ledger.has_open_attempts(run)


def records_of(owned: set[str]) -> list[dict[str, Any]]:
    bodies = [client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in owned]
    return [json.loads(line) for body in bodies for line in gzip.decompress(body).splitlines()]


Maker = Callable[[], StepFunctions]
TWO_AT_ONCE = [("invoke", ALL), ("invoke", FEW)]


@given(chosen=actions)
@example(chosen=[*TWO_AT_ONCE, *[("step", 0), ("step", 1)] * 30, ("accept", 1)])
@example(chosen=[*TWO_AT_ONCE, *[("steps", 0)] * 9, *[("steps", 0)] * 9, ("accept", 1)])
@example(chosen=[("invoke", FEW), ("invoke", 3), *[("step", 0), ("step", 1)] * 40, ("accept", 1)])
@example(chosen=[("invoke", FEW), *[("steps", 0)] * 9, ("end", 0), ("steps", 0), ("redrive", 0), ("invoke", FEW)])
@bounded(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_target_has_one_outcome_in_any_order(step_functions: Maker, chosen: list[tuple[str, int]]) -> None:
    states = step_functions()
    perform(states, chosen)
    check(states)


def test_losers_answer_is_the_owners(step_functions: Maker) -> None:
    """Both fetch at the same time; the second one writes later, and Step Functions continues with its answer."""
    states = step_functions()
    states.invoke(FEW)
    states.invoke(3)
    owner, loser = states.invocations
    for _ in range(6):
        owner.step()
        loser.step()
    owner.finish()
    loser.finish()
    assert loser.answer == owner.answer
    assert loser.answer["cursor"]["part"] == 1
    states.accept(1)
    states.drain()
    check(states)
    summary = document(states.run, "summary.json")
    assert (summary["warm"], summary["outcomes"]) == (True, {"warmed": TARGETS})


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", None])
def test_ended_run_keeps_what_its_worker_has_fetched(step_functions: Maker, status: str | None) -> None:
    states = step_functions()
    states.invoke(ALL)
    (worker,) = states.invocations
    while len(states.fetched) < 3:
        worker.step()
    states.end(status)
    while not states.storage.ledger.control(states.run).ended:
        states.finishers[0].step()
    states.drain()
    check(states)
    assert document(states.run, "summary.json")["outcomes"]["warmed"] == 3
