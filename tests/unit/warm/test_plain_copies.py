"""Copies that the edge should have compressed: fetched again a few times, warm, and named."""

from collections import Counter
from typing import Any

import pytest

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from tests.support.builders import POP_NAMES, Clock, response
from tests.support.contents import uncompressed_pops
from tests.support.worker import HIT, Worked, work
from warm.plain_copies import LARGEST, PLAIN_FETCHES, SMALLEST, STUCK_TARGETS

TEXT = {"content_type": "text/html; charset=utf-8", "bytes": 5000, "content_length": "5000"}
BR = {"encoding": "br", "content_length": "", "bytes": 900}
ON = {0: "0"}


class Pops:
    """POPs that keep what they have; `plain`: those whose copy is not compressed, each with how many of them."""

    def __init__(self, plain: dict[int, int] | None = None, **headers: Any) -> None:
        self.plain, self.headers = plain or {}, TEXT | headers
        self.asked: Counter[int] = Counter()

    def __call__(self, fetch: Fetch) -> Response:
        target = fetch.owner
        self.asked[target.number] += 1
        plain = self.asked[target.number] <= self.plain.get(target.pop, 0)
        first = self.asked[target.number] == 1 or self.asked[target.number] == self.plain.get(target.pop, 0) + 1
        headers = self.headers if plain else self.headers | BR | {"etag": 'W/"a"'}
        return response(POP_NAMES[target.pop], "Miss from cloudfront" if first else HIT, **{"etag": '"a"'} | headers)


def named(worked: Worked) -> dict[int, tuple[str, ...]]:
    return uncompressed_pops(worked.plan, [worked.result])


ALWAYS = 99


@pytest.mark.parametrize("verify", ["sample", "all"])
def test_plain_copy_that_stays_is_warm_and_named(clock: Clock, verify: str) -> None:
    edge = Pops({0: ALWAYS})
    worked = work(clock, edge, 1, 1, verify=verify, compressed=ON)
    assert worked.result.outcomes == {"warmed": 1}
    assert edge.asked == {0: 1 + PLAIN_FETCHES}
    assert named(worked) == {0: (POP_NAMES[0],)}


def test_plain_copy_of_a_busy_pop_is_replaced_by_a_compressed_one(clock: Clock) -> None:
    edge = Pops({0: 1})
    worked = work(clock, edge, 1, 1, verify="all", compressed=ON, addresses={POP_NAMES[0]: ["192.0.2.1"]})
    assert (worked.result.outcomes, worked.result.verified) == ({"warmed": 1}, 1)
    assert named(worked) == {}
    assert '"encoding":"br"' in worked.records[0]


def test_pop_with_a_plain_copy_is_named_where_other_pops_have_a_compressed_one(clock: Clock) -> None:
    """Without settings that say so, and whichever POP answers first."""
    for plain in (0, 2):
        worked = work(clock, Pops({plain: ALWAYS}), 2, 3, verify="sample")
        assert worked.result.outcomes == {"warmed": 6}
        assert named(worked) == {0: (POP_NAMES[plain],), 1: (POP_NAMES[plain],)}
        assert worked.result.mixed == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "image/png"},
        {"content_type": ""},
        {"content_length": ""},
        {"content_length": str(SMALLEST - 1), "bytes": SMALLEST - 1},
        {"content_length": str(LARGEST + 1), "bytes": LARGEST + 1},
        {"status": 203},
    ],
)
def test_copy_that_the_edge_does_not_compress_is_fetched_and_named_as_before(
    clock: Clock, headers: dict[str, Any]
) -> None:
    edge = Pops({0: ALWAYS}, **headers)
    worked = work(clock, edge, 1, 1, verify="all", compressed=ON)
    assert (worked.result.outcomes, named(worked), edge.asked) == ({"warmed": 1}, {}, {0: 2})


def test_variant_that_is_not_compressed_is_not_named(clock: Clock) -> None:
    edge = Pops({0: ALWAYS})
    worked = work(clock, edge, verify="all", compressed={0: "0"}, variants=("br, gzip", "identity"))
    assert worked.result.outcomes == {"warmed": 2}
    assert edge.asked == {0: 1 + PLAIN_FETCHES, 1: 2}


def test_objects_that_are_never_compressed_are_not_fetched_again_forever(clock: Clock) -> None:
    urls = 40
    edge = Pops({0: ALWAYS})
    worked = work(clock, edge, urls, 1, verify="sample", compressed=dict.fromkeys(range(urls), "0"))
    assert worked.result.outcomes == {"warmed": urls}
    assert edge.asked.total() <= 2 * urls + STUCK_TARGETS * PLAIN_FETCHES + PLAIN_FETCHES
    assert len(named(worked)) == urls


def test_verify_none_names_plain_copies_without_another_fetch(clock: Clock) -> None:
    edge = Pops({0: ALWAYS})
    worked = work(clock, edge, verify="none", compressed=ON)
    assert (edge.asked, named(worked)) == ({0: 1}, {0: (POP_NAMES[0],)})
