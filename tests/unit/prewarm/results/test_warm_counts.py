"""Run lengths of how many targets URLs are warm at."""

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from prewarm.results.warm_counts import ENTRY_BYTES, each_count, run_lengths

COUNTS = st.lists(st.tuples(st.integers(0, 3), st.integers(3, 5)))


@given(COUNTS)
def test_run_lengths_have_every_count_in_order(counts: list[tuple[int, int]]) -> None:
    stretches = run_lengths(counts)
    assert list(each_count(stretches)) == counts
    assert all(one[:2] != other[:2] for one, other in itertools.pairwise(stretches))


def test_million_urls_that_are_warm_everywhere_take_one_entry() -> None:
    assert run_lengths((297, 297) for _ in range(1_000_000)) == [[297, 297, 1_000_000]]


def test_largest_entry_fits_its_share_of_a_response() -> None:
    assert len(json.dumps([999_999_999] * 3) + ", ") <= ENTRY_BYTES
