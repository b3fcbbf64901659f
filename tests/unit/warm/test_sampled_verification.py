"""Verification of a sample: which targets it makes warm, and which are verified by themselves."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from tests.support.builders import Clock, response
from tests.support.worker import Edge, not_kept, work
from warm.cursor import FETCHED
from warm.judge import MOST_FETCHES


def test_failed_sample_verifies_every_target_by_itself(clock: Clock) -> None:
    worked = work(clock, not_kept, 3, 3, verify="sample")
    assert worked.result.outcomes == {"unproven": 9}
    # The sample is fetched the full number of times, each target that follows from it once more.
    assert len(worked.addresses) == 3 * (MOST_FETCHES) + 6 * 2


def test_verified_sample_makes_held_targets_warm(clock: Clock) -> None:
    worked = work(clock, Edge(), 3, 3, verify="sample")
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 9}, 3)


def test_sampled_target_that_fails_is_replaced_by_another(clock: Clock) -> None:
    keeping = Edge()

    def edge(fetch: Fetch) -> Response:
        return response("ATL56-C1", status=404) if fetch.owner.number == 0 else keeping(fetch)

    worked = work(clock, edge, 1, 3, verify="sample", region_type="pop")
    assert worked.result.outcomes == {"client_error": 1, "warmed": 2}
    assert worked.result.verified == 2 or Counter(keeping.asked).total() == 4


@pytest.mark.parametrize(("urls", "pops"), [(1, 3), (3, 1), (2, 3), (7, 2)])
def test_target_is_believed_only_with_proofs_of_its_url_and_its_pop(clock: Clock, urls: int, pops: int) -> None:
    worked = work(clock, Edge(), urls, pops, verify="sample")
    proven = [json.loads(line) for line in worked.records if json.loads(line)["verified"]]
    assert worked.result.outcomes == {"warmed": urls * pops}
    assert {record["url"] for record in proven} == {f"https://www.example.com/{n}" for n in range(urls)}
    assert len({record["pop"] for record in proven}) == pops


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 7), st.integers(1, 3), st.sampled_from(["sample", "all"]), st.data())
def test_warm_is_only_what_the_edge_kept_unless_a_single_copy_was_dropped(
    urls: int, pops: int, verify: str, data: st.DataObject
) -> None:
    """POPs and URLs that are never kept are never warm, in any combination; all others are."""
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr("warm.worker.time", clock)
        bad_pops = data.draw(st.sets(st.integers(0, pops - 1)))
        bad_urls = data.draw(st.sets(st.integers(0, urls - 1)))
        keeping = Edge()

        def edge(fetch: Fetch) -> Response:
            owner = fetch.owner
            return not_kept(fetch) if owner.pop in bad_pops or owner.url in bad_urls else keeping(fetch)

        worked = work(clock, edge, urls, pops, verify=verify)
    kept = (urls - len(bad_urls)) * (pops - len(bad_pops))
    expected = {"warmed": kept, "unproven": urls * pops - kept}
    assert worked.result.outcomes == {name: count for name, count in expected.items() if count}
    assert worked.result.finished


def test_targets_beyond_the_bound_of_held_ones_are_verified_by_themselves(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warm.verification.MAX_HELD", 4)
    worked = work(clock, Edge(), 1, 3, variants=tuple(f"gzip;q=0.{n}" for n in range(1, 10)), verify="sample")
    assert worked.result.outcomes == {"warmed": 27}
    assert worked.result.verified >= 9
    keeping = Edge()
    bad = work(
        clock, lambda fetch: not_kept(fetch) if fetch.owner.pop == 1 else keeping(fetch), 40, 3, verify="sample"
    )
    assert bad.result.outcomes == {"unproven": 40, "warmed": 80}


def test_proofs_of_an_earlier_worker_do_not_count(clock: Clock) -> None:
    """The samples of this part's URL and POPs were finished by the earlier worker."""
    worked = work(clock, not_kept, 2, 2, done=bytes([0b1001]), verify="sample")
    assert worked.result.outcomes == {"unproven": 2}


def test_held_targets_are_left_to_the_next_worker_as_fetched(clock: Clock) -> None:
    worked = work(clock, Edge(), 3, 3, seconds=10, own=95, verify="sample")
    assert not worked.result.finished
    assert set(worked.result.outcomes) <= {"warmed"}
    unproven = [number for number in range(9) if not worked.tile.is_done(number)]
    assert unproven
    assert {worked.progress.get(number) for number in unproven} == {FETCHED}


def test_target_not_proven_at_the_deadline_is_not_warm(clock: Clock) -> None:
    worked = work(clock, not_kept, 3, 3, seconds=10, run=95, verify="sample")
    assert (set(worked.result.outcomes), worked.result.finished) == ({"deadline"}, True)
    assert any("not verified" in line for line in worked.records)
