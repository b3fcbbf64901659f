"""A batch's targets: their order, their headers, their addresses, and the cursor between two workers."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm import __version__
from prewarm.planning.plan import Batch, Group
from tests.support.builders import POP_NAMES, plan, targets_of, tile_of
from warm.cursor import Cursor
from warm.tile import Tile


def test_targets_go_variant_by_variant_url_by_url_through_all_pops() -> None:
    _, tile = tile_of(2, 3, variants=("br", "identity"))
    order = [(target.variant, target.url, target.pop) for target in targets_of(tile)]
    assert order == [(variant, url, pop) for variant in range(2) for url in range(2) for pop in range(3)]
    assert [target.number for target in targets_of(tile)] == list(range(12))


@given(st.integers(1, 7), st.integers(1, 6), st.integers(1, 3), st.randoms(use_true_random=False), st.integers(0, 9))
@bounded(max_examples=50)
def test_a_cursor_brings_back_exactly_the_unfinished_targets(
    urls: int, pops: int, variants: int, dice: random.Random, part: int
) -> None:
    names = tuple(f"v{number}" for number in range(variants))
    _, tile = tile_of(urls, pops, variants=names)
    whole = list(range(urls * pops * variants))
    finished = set(dice.sample(whole, dice.randint(0, len(whole))))
    for number in finished:
        tile.mark_done(number)
    cursor = Cursor.from_json(json.loads(json.dumps(Cursor(part, bytes(tile.done)).as_json())))
    assert cursor == Cursor(part, bytes(tile.done))
    _, again = tile_of(urls, pops, variants=names, done=cursor.done)
    assert [target.number for target in targets_of(again)] == [number for number in whole if number not in finished]
    assert [again.is_done(number) for number in whole] == [number in finished for number in whole]


def test_a_cursor_takes_an_eighth_of_a_byte_per_target() -> None:
    _, tile = tile_of(7, 3)
    assert len(tile.done) == 3
    assert Cursor.from_json(None) == Cursor(0, b"")


@pytest.mark.parametrize(("urls", "pops"), [(1, 1), (5, 2), (2, 5), (4, 4)])
def test_the_sample_proves_a_diagonal_of_each_variant(urls: int, pops: int) -> None:
    _, tile = tile_of(urls, pops, verify="sample", variants=("br", "gzip"))
    for variant in range(2):
        proven = [target for target in targets_of(tile) if target.prove and target.variant == variant]
        assert {target.url for target in proven} == set(range(urls))
        assert {target.pop for target in proven} == set(range(pops))
        assert len(proven) == max(urls, pops)


@pytest.mark.parametrize(("verify", "proven"), [("none", 0), ("all", 6)])
def test_none_and_all_are_taken_at_their_word(verify: str, proven: int) -> None:
    _, tile = tile_of(2, 3, verify=verify)
    assert sum(target.prove for target in targets_of(tile)) == proven


def test_a_batch_warms_its_own_urls_through_its_own_pops() -> None:
    group = Group("d111.cloudfront.net", "E1", 0, 9, POP_NAMES, 6)
    batch = Batch("2-000003", 0, 1, 4, 6, 2, 5, 6)
    addresses = [{name: [f"192.0.2.{number}"] for number, name in enumerate(POP_NAMES) if number != 3}]
    block: dict[str, Any] = {
        "urls": ["https://www.example.com/4", "https://www.example.com/5"],
        "headers": {},
        "user_agent": None,
    }
    tile = Tile.build(plan(groups=(group,)), batch, block, addresses)
    assert tile.pops == list(POP_NAMES[2:5])
    assert [queue and queue.addresses for queue in tile.queues] == [["192.0.2.2"], None, ["192.0.2.4"]]


def test_each_variant_has_its_encoding_and_the_requests_headers() -> None:
    _, tile = tile_of(variants=("br, gzip", "identity"), headers={"X-Country": "NZ", "Cookie": "a=1"})
    assert tile.headers == [
        [
            f"Accept-Encoding: {variant}",
            f"User-Agent: CloudFront-Prewarm/{__version__}",
            "X-Country: NZ",
            "Cookie: a=1",
        ]
        for variant in ("br, gzip", "identity")
    ]
    assert "User-Agent: me" in tile_of(user_agent="me")[1].headers[0]


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_header_is_sent_empty_and_not_dropped(value: str) -> None:
    """The engine reads `Name:` as a wish to leave the header out, which would be another cache key."""
    assert "X-Flag;" in tile_of(headers={"X-Flag": value})[1].headers[0]


def test_a_pops_urls_are_spread_over_its_addresses() -> None:
    _, tile = tile_of(4, 1, variants=("br", "gzip"))
    queue = tile.queues[0]
    assert queue is not None
    fetches = [tile.fetch(target, queue) for target in targets_of(tile)]
    assert [fetch.address % 2 for fetch in fetches] == [0, 1, 0, 1] * 2
    assert [fetch.url for fetch in fetches] == tile.urls * 2
    assert [fetch.headers for fetch in fetches] == [tile.headers[0]] * 4 + [tile.headers[1]] * 4
