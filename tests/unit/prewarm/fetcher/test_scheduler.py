"""When a response is judged: a copy once the next fetch has started, what may stop or slow fetching before."""

from typing import TYPE_CHECKING, cast

import pytest

from prewarm.fetcher import scheduler
from prewarm.fetcher.response import Response
from prewarm.fetcher.scheduler import Scheduler
from prewarm.fetcher.transfer import Fetch, PopQueue

if TYPE_CHECKING:
    from prewarm.fetcher.curl import CurlPool

OK = Response(status=200)


class Handle:
    def __init__(self, fetch: Fetch) -> None:
        self.fetch = fetch

    def getinfo(self, _what: int) -> int:
        return 0


class Pool:
    """A pool whose fetches finish one by one, in their order."""

    def __init__(self, events: list[str]) -> None:
        self._events, self._flying = events, list[Handle]()

    def start(self, fetch: Fetch, _max_bytes: int | None) -> Handle:
        self._events.append(f"start {fetch.url}")
        self._flying.append(Handle(fetch))
        return self._flying[-1]

    def release(self, handle: Handle) -> None:
        assert handle not in self._flying

    def perform(self) -> None:
        self._events.append("perform")

    def finished(self, _wait: float) -> list[tuple[Handle, int, str]]:
        return [(self._flying.pop(0), 0, "")] if self._flying else []


def events_of(
    response: Response, monkeypatch: pytest.MonkeyPatch, *, suspected: bool = False, stop_after: int = 99
) -> list[str]:
    """Return what happens when two fetches, of which one is active at a time, get the same response."""
    events: list[str] = []
    monkeypatch.setattr(scheduler, "MAX_ACTIVE", 1)
    monkeypatch.setattr(scheduler, "read_response", lambda *_: response)
    queue = PopQueue(["127.0.0.1"], suspected=suspected)
    queue.waiting.extend(Fetch(url, [], queue) for url in ("a", "b"))
    steps = iter(range(99))
    pool = cast("CurlPool", Pool(events))
    run = Scheduler(pool, lambda fetch, _: events.append(f"judge {fetch.url}"), None, {queue: None}, None)
    assert [fetch.url for fetch in run.run(lambda: next(steps) >= stop_after)] == (["b"] if stop_after == 1 else [])
    return [event for event in events if event != "perform"] if stop_after == 99 else events


def test_a_copy_is_judged_once_the_next_fetch_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert events_of(OK, monkeypatch) == ["start a", "start b", "judge a", "judge b"]


@pytest.mark.parametrize("status", [0, 202, 206, 302, 403, 404, 429, 503])
def test_any_other_response_is_judged_before_the_next_fetch(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    events = events_of(Response(status=status), monkeypatch)
    assert events == ["start a", "judge a", "start b", "judge b"]


def test_a_response_of_a_suspected_pop_is_judged_before_the_next_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    events = events_of(OK, monkeypatch, suspected=True)
    assert events == ["start a", "judge a", "start b", "judge b"]


def test_a_copy_is_judged_although_the_run_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    assert events_of(OK, monkeypatch, stop_after=1) == ["start a", "perform", "judge a"]


def test_first_requests_are_sent_before_all_have_started(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    class Slow(Pool):
        """A pool whose first answer comes once the scheduler waits for one."""

        def finished(self, wait: float) -> list[tuple[Handle, int, str]]:
            waits.append(wait)
            return super().finished(wait) if len(waits) >= 4 else []

    events: list[str] = []
    monkeypatch.setattr(scheduler, "FIRST_STARTS", 1)
    monkeypatch.setattr(scheduler, "read_response", lambda *_: OK)
    queue = PopQueue(["127.0.0.1"], multiplexed=True)
    queue.waiting.extend(Fetch(url, [], queue) for url in ("a", "b", "c"))
    Scheduler(cast("CurlPool", Slow(events)), lambda *_: None, None, {queue: None}, None).run(lambda: False)
    assert events[:6] == ["start a", "perform", "start b", "perform", "start c", "perform"]
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert waits[3] > 0
