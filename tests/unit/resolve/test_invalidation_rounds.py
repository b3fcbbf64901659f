"""The rounds of a long list of paths within CloudFront's quotas, and their pace."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.planning.plan import Group
from resolve.invalidation_rounds import (
    FIRST_WAIT,
    GROWTH,
    INVALIDATION_PATHS,
    INVALIDATIONS_PER_ROUND,
    LONGEST_FIRST_WAIT,
    LONGEST_WAIT,
    InvalidationBatch,
    Round,
    first_wait,
    next_wait,
    paths_of,
    rounds_of,
)


def group(number: int, tenant: str = "") -> Group:
    return Group(f"d{number}.cloudfront.net", f"E{number}", 0, 1, (), 0, tenant=tenant)


@given(st.lists(st.integers(0, 3 * INVALIDATION_PATHS + 1), min_size=1, max_size=3))
@bounded(max_examples=20, deadline=None)
def test_every_path_is_invalidated_once_in_rounds_within_the_quota(sizes: list[int]) -> None:
    paths = [[f"/{n}" for n in range(size)] for size in sizes]
    created = rounds_of("run", [group(n) for n in range(len(sizes))], paths)
    assert len(created) == max(-(-size // INVALIDATION_PATHS) for size in sizes)
    assert all(0 < len(batch.paths) <= INVALIDATION_PATHS for each in created for batch in each)
    assert paths_of(created) == sum(sizes)
    for number, listed in enumerate(paths):
        of_this = [batch for each in created for batch in each if batch.distribution_id == f"E{number}"]
        assert [path for batch in of_this for path in batch.paths] == listed
    references = [batch.reference for each in created for batch in each]
    assert len(set(references)) == len(references)


@pytest.mark.parametrize("tenants", [1, INVALIDATIONS_PER_ROUND, INVALIDATIONS_PER_ROUND + 1, 350])
def test_round_has_a_limited_number_of_invalidations_of_distinct_tenants(tenants: int) -> None:
    groups = [group(1, f"dt_{n}") for n in range(tenants)]
    created = rounds_of("run", groups, [["/a", "/b"]] * tenants)
    assert max(map(len, created)) <= INVALIDATIONS_PER_ROUND
    assert len(created) == -(-tenants // INVALIDATIONS_PER_ROUND)
    assert {batch.tenant for each in created for batch in each} == {f"dt_{n}" for n in range(tenants)}


def test_groups_of_one_distribution_share_an_invalidation_and_tenants_do_not() -> None:
    groups = [group(1), group(1), group(9, "dt_1"), group(9, "dt_2")]
    ((first, second, third),) = rounds_of("run", groups, [["/a"], ["/b", "/a"], ["/c"], ["/d"]])
    assert (first.distribution_id, first.tenant, first.paths) == ("E1", "", ["/a", "/b"])
    assert [(each.tenant, each.reference, each.paths) for each in (second, third)] == [
        ("dt_1", "run-dt_1-0", ["/c"]),
        ("dt_2", "run-dt_2-0", ["/d"]),
    ]


def test_stored_invalidation_is_read_back() -> None:
    batch = InvalidationBatch("E1", "dt_1", "run-dt_1-0", ["/a", "/b*"])
    assert InvalidationBatch.from_json(batch.as_json()) == batch
    other = replace(batch, account="222222222222")
    assert InvalidationBatch.from_json(other.as_json()) == other


def test_invalidation_that_an_earlier_version_stored_is_of_the_services_own_account() -> None:
    stored = {"distribution": "E1", "tenant": "", "reference": "run-E1-0", "paths": ["/a"]}
    assert InvalidationBatch.from_json(stored) == InvalidationBatch("E1", "", "run-E1-0", ["/a"], account="")


def test_rounds_name_the_account_of_each_group() -> None:
    groups = [group(1), replace(group(2), account="222222222222")]
    ((own, other),) = rounds_of("run", groups, [["/a"], ["/b"]])
    assert (own.account, other.account) == ("", "222222222222")


def test_no_groups_have_no_rounds() -> None:
    empty: list[Round] = rounds_of("run", [], [])
    assert empty == []


# ---- the pace ----


def test_waits_grow_to_their_limit() -> None:
    waits = [FIRST_WAIT]
    while waits[-1] < LONGEST_WAIT:
        waits.append(next_wait(waits[-1]))
    assert all(later > earlier for earlier, later in pairwise(waits))
    assert waits[:4] == [5, 8, 12, 18]
    assert next_wait(LONGEST_WAIT) == LONGEST_WAIT
    assert next_wait(FIRST_WAIT) == round(FIRST_WAIT * GROWTH)


@given(st.integers(0, 10_000), st.integers(0, 100_000))
def test_first_wait_follows_the_last_round_within_its_limits(last_first: int, waited: int) -> None:
    assert FIRST_WAIT <= first_wait(last_first, waited) <= LONGEST_FIRST_WAIT


def test_later_round_waits_half_of_the_last_one_before_its_first_check() -> None:
    assert (first_wait(5, 0), first_wait(5, 64), first_wait(32, 32), first_wait(60, 864)) == (5, 32, 16, 60)
