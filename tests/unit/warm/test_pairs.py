"""A worker on a batch of pairs: it fetches those and no others, and proves each URL and each POP."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import Verdict, roll_up
from prewarm.storage.ledger_items import result_as_item, result_from_item
from tests.support.builders import POP_NAMES, Clock, refused, response
from tests.support.worker import HIT, MISS, Worked, work
from warm.cursor import Cursor
from warm.stop_rules import StopReason

# URLs 2, 5 and 9 of the run: the first at two POPs, the others at one each; the third POP has none of them.
ROWS, MASKS = (2, 5, 9), (0b1001, 0b0010, 0b1000)
SPARSE: dict[str, Any] = {"rows": ROWS, "masks": MASKS}
PAIRS = {(2, 0), (2, 3), (5, 1), (9, 3)}


class Keeping:
    """POPs that keep what they fetched."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[int, int, int]] = Counter()

    def __call__(self, fetch: Fetch) -> Response:
        target = fetch.owner
        self.asked[target.url, target.pop, target.variant] += 1
        seen = self.asked[target.url, target.pop, target.variant] > 1
        return response(POP_NAMES[target.pop], HIT if seen else MISS)


def recorded(worked: Worked) -> list[tuple[str, str]]:
    return [(line["url"], line["pop"]) for line in map(json.loads, worked.records)]


def test_only_the_pairs_are_fetched_and_each_url_and_pop_is_proven(clock: Clock) -> None:
    edge = Keeping()
    worked = work(clock, edge, 3, 4, verify="sample", **SPARSE)
    assert {(ROWS[url], pop) for url, pop, _ in edge.asked} == PAIRS
    result = worked.result
    assert (result.outcomes, result.done, result.targets, result.finished) == ({"warmed": 4}, 4, 4, True)
    # The proofs are those of each URL: POPs 0, 1 and 3 are among theirs.
    assert (result.verified, sum(edge.asked.values())) == (3, 7)
    assert result.servers.split(";")[2] == "0/0"
    rolled = roll_up(worked.plan, [result_from_item(result_as_item(result))])
    assert [url.verdict for url in rolled.urls if url.index in ROWS] == [Verdict.SUCCESS] * 3
    assert [url.reachable for url in rolled.urls if url.index in ROWS] == [2, 1, 1]
    assert rolled.servers.addresses == 6


batches = st.integers(1, 6).flatmap(
    lambda pops: st.tuples(st.just(pops), st.lists(st.integers(1, (1 << pops) - 1), min_size=1, max_size=8))
)


@given(batches, st.integers(1, 2), st.sampled_from(["none", "sample", "all"]), st.data())
@bounded(max_examples=60, deadline=None)
def test_workers_that_stop_and_continue_warm_each_pair_once(
    batch: tuple[int, list[int]], variants: int, verify: str, data: st.DataObject
) -> None:
    pops, masks = batch
    rows = tuple(sorted(data.draw(st.sets(st.integers(0, 40), min_size=len(masks), max_size=len(masks)))))
    scene: dict[str, Any] = {
        "rows": rows, "masks": tuple(masks), "verify": verify, "variants": ("br, gzip", "identity")[:variants],
    }  # fmt: skip
    edge, parts, clock = Keeping(), [], Clock()
    cursor = Cursor()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("warm.stop_rules.time", clock)
        patched.setattr("warm.worker.time", clock)
        for part in range(200):
            own = data.draw(st.sampled_from([2.0, 5.0, 600.0])) if part < 9 else 600.0
            worked = work(clock, edge, len(masks), pops, seconds=1.0, own=own, done=cursor.done,
                          progress=cursor.progress, **scene)  # fmt: skip
            parts.append(worked.result)
            if worked.result.finished:
                break
            cursor = Cursor.from_json(Cursor(part + 1, bytes(worked.tile.done), worked.progress).as_json())
    expected = {
        (row, pop, variant)
        for row, mask in enumerate(masks)
        for pop in range(pops)
        if mask >> pop & 1
        for variant in range(variants)
    }
    assert set(edge.asked) == expected
    assert sum(part.done for part in parts) == len(expected) == parts[-1].targets
    assert sum((Counter(part.outcomes) for part in parts), Counter()).total() == len(expected)


def test_dark_pop_takes_out_its_own_pairs_only(clock: Clock) -> None:
    keeping = Keeping()

    def edge(fetch: Fetch) -> Response:
        return refused() if fetch.owner.pop == 3 else keeping(fetch)

    worked = work(clock, edge, 3, 4, verify="sample", **SPARSE)
    (dark,) = worked.result.dark
    assert (dark.pop, dark.reason) == (POP_NAMES[3], "connect_error")
    rolled = roll_up(worked.plan, [worked.result])
    by_index = {url.index: url for url in rolled.urls}
    assert (by_index[2].verdict, by_index[2].reachable) == (Verdict.SUCCESS, 1)
    assert by_index[5].verdict is Verdict.SUCCESS
    # Its only POP is dark: it is known to be warm nowhere.
    assert (by_index[9].verdict, by_index[9].failures) == (Verdict.FAILED, {"connect_error": 1})


def test_all_used_pops_silent_is_not_taken_for_dark_pops(clock: Clock) -> None:
    worked = work(clock, lambda _: Response(error=28, connected=True), 3, 4, **SPARSE)
    assert worked.result.dark == ()
    assert worked.result.outcomes == {"timeout": 4}


def test_deadline_leaves_no_pair_unaccounted(clock: Clock) -> None:
    worked = work(clock, Keeping(), 3, 4, verify="all", seconds=3.0, run=7.0, **SPARSE)
    assert worked.stopped is StopReason.DEADLINE
    assert worked.result.done == 4
    assert worked.result.outcomes.keys() <= {"warmed", Outcome.DEADLINE.value}


def test_failed_pairs_are_named_by_the_run_s_own_urls(clock: Clock) -> None:
    missing = response(status=404, x_cache="Error from cloudfront")

    def edge(fetch: Fetch) -> Response:
        answer = missing if fetch.owner.url == 1 else response()
        answer.cf_pop = POP_NAMES[fetch.owner.pop]
        return answer

    worked = work(clock, edge, 3, 4, **SPARSE)
    assert worked.result.failed == {5: {"client_error:404": 1}}
    assert [example.url for example in worked.result.examples] == [5]
    assert len(recorded(worked)) == 4
