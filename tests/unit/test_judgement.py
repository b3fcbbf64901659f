"""What an edge's answer means, and what the worker does about it."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from prewarm.fetch import Fetch, Lane
from prewarm.outcome import Answer, Outcome, judge
from prewarm.plan import Batch, Group
from tests.unit.test_tiling_and_roll_up import plan_of
from warm.tally import Tally
from warm.targets import Tile
from warm.worker import TRIES, Halt, Limits, Worker

POP = "NRT57-P3"


def answer(x_cache: str = "Miss from cloudfront", **more: Any) -> Answer:
    given: dict[str, Any] = {"status": 200, "cf_pop": POP, "x_cache": x_cache, "connected": True}
    return Answer(**given | more)


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (answer(), Outcome.WARMED),
        (answer("Hit from cloudfront"), Outcome.ALREADY_WARM),
        (answer("RefreshHit from cloudfront"), Outcome.ALREADY_WARM),
        (answer(cf_pop="NRT57"), Outcome.WARMED),
        (answer(cf_pop="NRT57-P4"), Outcome.WRONG_POP),
        (answer(cf_pop="NRT5"), Outcome.WRONG_POP),
        (answer(cf_pop=""), Outcome.WRONG_POP),
        (answer("Error from cloudfront", status=404), Outcome.CLIENT_ERROR),
        (answer("Error from cloudfront", status=403, server="AmazonS3"), Outcome.CLIENT_ERROR),
        (answer("Error from cloudfront", status=403, server="CloudFront"), Outcome.BLOCKED),
        (answer("Error from cloudfront", status=502), Outcome.SERVER_ERROR),
        (answer(status=429), Outcome.SERVER_ERROR),
        (answer("Error from cloudfront", status=200), Outcome.SERVER_ERROR),
        (answer("LimitExceeded from cloudfront"), Outcome.SERVER_ERROR),
        (answer(status=301), Outcome.REDIRECT),
        (answer("Redirect from cloudfront", status=307), Outcome.REDIRECT),
        (answer("FunctionGeneratedResponse from cloudfront"), Outcome.UNPROVEN),
        (answer(""), Outcome.UNPROVEN),
        (answer(content_length="10", bytes=9), Outcome.TRUNCATED),
        (answer(content_length="10", bytes=10), Outcome.WARMED),
        (answer(error=18, bytes=5), Outcome.TRUNCATED),
        (answer(error=92, bytes=5), Outcome.TRUNCATED),
        (Answer(error=56, connected=True), Outcome.CONNECT_ERROR),
        (Answer(error=7), Outcome.CONNECT_ERROR),
        (Answer(error=28), Outcome.CONNECT_ERROR),
        (answer(error=28), Outcome.TIMEOUT),
        (Answer(error=60), Outcome.TLS_ERROR),
        (answer(error=63), Outcome.TOO_LARGE),
        (Answer(error=999), Outcome.CONNECT_ERROR),
    ],
)
def test_an_answer_has_one_meaning(given: Answer, outcome: Outcome) -> None:
    found, detail = judge(given, POP)
    assert found is outcome
    assert bool(detail) == (outcome not in {Outcome.WARMED, Outcome.ALREADY_WARM})


class Script:
    """Plays the engine: gives each fetch the answers written for it, and notes when it was fetched again."""

    def __init__(self, play: Callable[[Fetch, int], Answer], stop_after: int = 10_000) -> None:
        self.play, self.stop_after = play, stop_after
        self.pauses: list[float] = []
        self.addresses: list[int] = []
        self.made = 0

    def run(self, fetches: Iterable[Fetch], on_answer: Any, *, halt: Any, max_bytes: Any) -> list[Fetch]:
        waiting = list(fetches)
        for fetch in waiting:
            fetch.lane.waiting.append(fetch)
        left = []
        for fetch in waiting:
            number = 0
            while fetch in fetch.lane.waiting or number:
                if not number:
                    fetch.lane.waiting.remove(fetch)
                if halt() or self.made >= self.stop_after:
                    left.append(fetch)
                    break
                self.made += 1
                self.addresses.append(fetch.address)
                pause = on_answer(fetch, self.play(fetch, number))
                if pause is None:
                    break
                self.pauses.append(pause)
                number += 1
        return left


def work(
    play: Callable[[Fetch, int], Answer],
    urls: int = 1,
    pops: tuple[str, ...] = (POP,),
    *,
    verify: str = "none",
    region_type: str = "region",
    limits: Limits | None = None,
    goes_on: bool = True,
    without: tuple[str, ...] = (),
) -> SimpleNamespace:
    group = Group("d.cloudfront.net", "E1", 0, urls, pops, len(pops))
    plan = plan_of((group,))
    object.__setattr__(plan, "verify", verify)
    object.__setattr__(plan, "region_type", region_type)
    batch = Batch("1-000000", 0, 0, 0, urls, 0, len(pops), urls * len(pops))
    block = {
        "urls": [f"https://www.example.com/{n}" for n in range(urls)],
        "headers": {"X-A": "b"},
        "user_agent": None,
    }
    addresses = [{pop: ["127.0.0.1", "127.0.0.2"] for pop in pops if pop not in without}]
    tile = Tile.build(plan, batch, block, addresses, b"")
    tally, script = Tally(plan, tile), Script(play)
    limits = limits or Limits(60.0, 60.0, 10.0)
    worker = Worker(tile, tally, script, limits, None, lambda: goes_on)  # type: ignore[arg-type]
    worker.run()
    return SimpleNamespace(worker=worker, script=script, result=tally.result(0), tile=tile, tally=tally)


def test_a_miss_is_proven_by_a_hit() -> None:
    done = work(lambda _, n: answer("Hit from cloudfront" if n else "Miss from cloudfront", bytes=7), verify="all")
    assert done.result.outcomes == {"warmed": 1}
    assert (done.result.verified, done.result.bytes, done.script.pauses) == (1, 14, [0.0])


def test_a_second_miss_is_asked_again_elsewhere_and_stays_unproven() -> None:
    done = work(lambda *_: answer(), verify="all")
    assert done.result.outcomes == {"unproven": 1}
    assert done.result.failed == {0: {"unproven": 1}}
    assert done.script.made == TRIES + 1
    assert len({address % 2 for address in done.script.addresses}) == 2


def test_a_server_error_is_asked_again_only_after_the_edge_has_forgotten_it() -> None:
    done = work(lambda _, n: answer(status=503) if n < 2 else answer())
    assert done.result.outcomes == {"warmed": 1}
    assert all(10.0 <= pause <= 15.0 for pause in done.script.pauses)
    assert len(done.script.pauses) == 2


def test_a_client_error_is_not_asked_again() -> None:
    done = work(lambda *_: answer("Error from cloudfront", status=404))
    assert (done.script.made, done.result.outcomes) == (1, {"client_error": 1})


def test_a_failure_that_stays_is_tried_three_times_at_other_addresses() -> None:
    done = work(lambda *_: answer(error=18, bytes=3))
    assert (done.script.made, done.result.outcomes) == (3, {"truncated": 1})
    assert done.script.addresses == [0, 1, 2]


def test_a_pop_that_refuses_everything_is_given_up_and_is_dark_in_a_region() -> None:
    done = work(lambda *_: Answer(error=7), urls=50)
    assert done.script.made < 20
    assert done.result.finished
    assert done.result.outcomes == {}
    assert [(entry.pop, entry.reason) for entry in done.result.dark] == [(POP, "connect_error")]


def test_a_pop_asked_for_by_name_is_never_dark_it_fails() -> None:
    done = work(lambda *_: Answer(error=7), urls=3, region_type="pop")
    assert (done.result.dark, done.result.outcomes) == ((), {"connect_error": 3})


def test_one_url_that_cannot_be_reached_does_not_make_a_pop_dark() -> None:
    done = work(lambda fetch, _: Answer(error=7) if fetch.url.endswith("/0") else answer(), urls=3)
    assert (done.result.dark, done.result.failed) == ((), {0: {"connect_error": 1}})


def test_a_pop_without_addresses_fails_without_a_fetch() -> None:
    done = work(lambda *_: answer(), urls=2, without=(POP,))
    assert (done.script.made, done.result.outcomes) == (0, {"unresolved_pop": 2})


def test_what_the_deadline_leaves_is_said_to_be_so() -> None:
    done = work(lambda *_: answer(), urls=3, limits=Limits(60.0, 0.0, 10.0))
    assert done.worker.halted is Halt.DEADLINE
    assert (done.result.finished, done.result.outcomes) == (True, {"deadline": 3})


def test_what_a_worker_has_no_time_for_is_left_to_the_next() -> None:
    done = work(lambda *_: answer(), urls=3, limits=Limits(0.0, 60.0, 10.0))
    assert done.worker.halted is Halt.OUT_OF_TIME
    assert (done.result.finished, done.result.done, bytes(done.tile.done)) == (False, 0, b"\0")


def test_the_order_is_url_by_url_through_all_pops_and_a_cursor_skips_what_is_done() -> None:
    done = work(lambda *_: answer(), urls=3, pops=("AAA1-C1", "BBB1-C1"), limits=Limits(0.0, 60.0, 10.0))
    assert [(target.url, target.pop) for target in done.tile.targets()] == [
        (0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1),
    ]  # fmt: skip
    done.tile.mark_done(1)
    assert [target.number for target in done.tile.targets()] == [0, 2, 3, 4, 5]
    assert "X-A: b" in done.tile.headers[0]
    assert any(line.startswith("User-Agent: CloudFront-Prewarm/") for line in done.tile.headers[0])
    assert isinstance(done.tile.lanes[0], Lane)
