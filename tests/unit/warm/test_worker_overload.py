"""A worker's kindness to origins: its pace, and hosts that are left alone."""

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.storage.ledger_items import Control
from tests.support.builders import Clock, response
from tests.support.worker import overloaded, work


def test_fetches_begin_no_faster_than_the_limit(clock: Clock) -> None:
    began = clock.now
    work(clock, lambda _: response(), 41, rps=8.0)
    assert clock.now - began == pytest.approx(5.0, abs=0.2)


def test_an_overloaded_origin_is_slowed_then_left_alone_and_the_others_are_told(clock: Clock) -> None:
    worked = work(clock, overloaded, 300)
    assert worked.told == ["www.example.com"]
    assert set(worked.result.outcomes) == {"origin_overload"}
    assert len(worked.addresses) < 60
    assert clock.now - 1000.0 >= 19 / 10
    assert worked.result.finished


def test_a_host_that_others_found_overloaded_is_not_asked(clock: Clock) -> None:
    def control() -> Control:
        return Control(ended=False, open_hosts=frozenset({"www.example.com"}))

    worked = work(clock, lambda _: response(), 100, seconds=0.5, control=control)
    assert set(worked.result.outcomes) == {"warmed", "origin_overload"}
    assert 6 <= worked.result.outcomes["warmed"] <= 8


def test_a_few_broken_pages_among_many_are_no_overload(clock: Clock) -> None:
    def edge(fetch: Fetch) -> Response:
        return overloaded(fetch) if fetch.owner.url % 10 == 0 else response()

    worked = work(clock, edge, 300)
    assert worked.result.outcomes == {"warmed": 270, "server_error": 30}
    assert worked.told == []
