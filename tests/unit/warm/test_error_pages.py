"""Error pages with a status of success: when they are warm, and that they never count against the origin."""

import pytest

from prewarm.fetcher.response import Response
from tests.support.builders import Clock, response
from tests.support.worker import in_order, work
from warm.error_pages import FETCHES, MIN_KEPT_SECONDS


def page(age: str = "", status: int = 200) -> Response:
    return response(status=status, x_cache="Error from cloudfront", age=age)


def test_page_that_the_edge_keeps_is_warm_once_a_second_fetch_shows_its_age(clock: Clock) -> None:
    worked = work(clock, in_order(page(), page("1")), error_pages={200: MIN_KEPT_SECONDS})
    assert (worked.result.outcomes, worked.result.verified, len(worked.addresses)) == ({"warmed": 1}, 1, 2)
    assert clock.now - 1000.0 >= 1.0
    assert "error page" in worked.records[0]


def test_age_of_the_first_fetch_alone_is_not_enough(clock: Clock) -> None:
    worked = work(clock, in_order(page("50"), page("0")), error_pages={200: MIN_KEPT_SECONDS})
    assert worked.result.outcomes == {"error_page": 1}


def test_page_that_was_kept_before_the_run_is_warm_once_its_age_grows(clock: Clock) -> None:
    worked = work(clock, in_order(page("50"), page("51")), error_pages={200: MIN_KEPT_SECONDS})
    assert (worked.result.outcomes, worked.result.verified, len(worked.addresses)) == ({"warmed": 1}, 1, 2)


def test_origins_own_age_is_not_that_of_a_kept_page(clock: Clock) -> None:
    """A page that the edge keeps is a second older after a second."""
    worked = work(clock, lambda _: page("7"), error_pages={200: MIN_KEPT_SECONDS})
    assert (worked.result.outcomes, len(worked.addresses)) == ({"error_page": 1}, FETCHES)


@pytest.mark.parametrize("age", ["", "0", "-1", "\u00b2", "soon", "9" * 5000])
def test_page_without_an_age_is_not_warm(clock: Clock, age: str) -> None:
    worked = work(clock, lambda _: page(age), error_pages={200: 3600})
    assert (worked.result.outcomes, len(worked.addresses)) == ({"error_page": 1}, FETCHES)


@pytest.mark.parametrize("kept", [{}, {200: MIN_KEPT_SECONDS - 1}, {203: 3600}])
def test_page_that_the_distribution_keeps_too_briefly_is_not_warm(clock: Clock, kept: dict[int, int]) -> None:
    worked = work(clock, lambda _: page("200"), error_pages=kept)
    assert (worked.result.outcomes, len(worked.addresses)) == ({"error_page": 1}, 1)


@pytest.mark.parametrize("verify", ["none", "sample", "all"])
def test_single_page_application_does_not_stop_its_assets(clock: Clock, verify: str) -> None:
    """60 routes are error pages, 200 assets are healthy: no asset fails, and the origin is not called overloaded."""
    seen: set[int] = set()

    def edge(fetch: object) -> Response:
        owner = fetch.owner  # type: ignore[attr-defined]
        pop = ("ATL56-C1", "NRT57-P3", "SYD1-C1")[owner.pop]
        if owner.url < 60:
            return response(pop, "Error from cloudfront")
        kept = owner.number in seen
        seen.add(owner.number)
        return response(pop, "Hit from cloudfront" if kept else "Miss from cloudfront")

    worked = work(clock, edge, 260, 3, verify=verify)
    assert worked.result.outcomes == {"error_page": 180, "warmed": 600}
    assert worked.reported_hosts == []


def test_error_pages_prove_no_pop(clock: Clock) -> None:
    """The POP keeps error pages, and no other object."""

    def edge(fetch: object) -> Response:
        owner = fetch.owner  # type: ignore[attr-defined]
        return page("5" if owner.tries else "") if owner.url == 0 else response()

    worked = work(clock, edge, 5, verify="sample", error_pages={200: 600})
    assert worked.result.outcomes == {"warmed": 1, "unproven": 4}


def test_server_error_that_the_distribution_makes_of_a_missing_page_does_not_count_as_overload(clock: Clock) -> None:
    missing = response(status=503, x_cache="Error from cloudfront")
    assert work(clock, lambda _: missing, 100, error_pages={503: 10}).reported_hosts == []
    assert work(clock, lambda _: missing, 100).reported_hosts == ["www.example.com"]
