"""A batch's targets: their order, headers and addresses."""

from typing import Any

import pytest

from prewarm import __version__
from prewarm.planning.plan import Batch, Group
from tests.support.builders import POP_NAMES, plan, targets_of, tile_of
from warm.tile import Tile


def test_targets_are_ordered_by_variant_url_and_pop() -> None:
    _, tile = tile_of(2, 3, variants=("br", "identity"))
    order = [(target.variant, target.url, target.pop) for target in targets_of(tile)]
    assert order == [(variant, url, pop) for variant in range(2) for url in range(2) for pop in range(3)]
    assert [target.number for target in targets_of(tile)] == list(range(12))


@pytest.mark.parametrize(("urls", "pops"), [(1, 1), (5, 2), (2, 5), (4, 4)])
def test_sample_verifies_a_diagonal_of_each_variant(urls: int, pops: int) -> None:
    _, tile = tile_of(urls, pops, verify="sample", variants=("br", "gzip"))
    for variant in range(2):
        sample = [target for target in targets_of(tile) if target.verify and target.variant == variant]
        assert {target.url for target in sample} == set(range(urls))
        assert {target.pop for target in sample} == set(range(pops))
        assert len(sample) == max(urls, pops)


@pytest.mark.parametrize(("verify", "verified"), [("none", 0), ("all", 6)])
def test_verify_none_and_all_select_no_target_and_every_target(verify: str, verified: int) -> None:
    _, tile = tile_of(2, 3, verify=verify)
    assert sum(target.verify for target in targets_of(tile)) == verified


def test_tile_has_the_pops_and_addresses_of_its_batch() -> None:
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


@pytest.mark.parametrize(("stored", "stall"), [({"first_byte_seconds": 180}, 185), ({}, 0)])
def test_queue_waits_a_little_longer_than_the_edge_for_its_origin(stored: dict[str, int], stall: int) -> None:
    group = Group("d111.cloudfront.net", "E1", 0, 1, POP_NAMES[:1], 1)
    batch = Batch("1-000000", 0, 0, 0, 1, 0, 1, 1)
    block: dict[str, Any] = {"urls": ["https://www.example.com/"], "headers": {}, "user_agent": None}
    (queue,) = Tile.build(plan(groups=(group,)), batch, block | stored, [{POP_NAMES[0]: ["192.0.2.1"]}]).queues
    assert queue is not None
    assert queue.stall_seconds == stall


def test_each_variant_has_its_encoding_and_the_request_headers() -> None:
    _, tile = tile_of(variants=("br, gzip", "identity"), headers={"X-Country": "NZ", "Cookie": "a=1"})
    assert tile.headers == [
        [
            f"Accept-Encoding: {variant}",
            f"User-Agent: CloudFront-Prewarm/{__version__}",
            "X-Country: NZ",
            "Cookie: a=1",
            "Pragma: server-timing",
        ]
        for variant in ("br, gzip", "identity")
    ]


def test_http_urls_are_fetched_with_their_own_variants() -> None:
    _, tile = tile_of(2, variants=("br, gzip",), over_http=(1,), http_variants=("gzip",))
    secure, plain = targets_of(tile)
    assert [tile.variant_of(target) for target in (secure, plain)] == ["br, gzip", "gzip"]
    queue = tile.queues[0]
    assert queue is not None
    assert tile.fetch(secure, queue).headers[0] == "Accept-Encoding: br, gzip"
    assert tile.fetch(plain, queue).headers == ["Accept-Encoding: gzip", *tile.headers[0][1:]]


def test_http_urls_are_fetched_with_the_variants_of_all_without_their_own() -> None:
    _, tile = tile_of(1, variants=("br, gzip", "identity"), over_http=(0,))
    assert [tile.variant_of(target) for target in targets_of(tile)] == ["br, gzip", "identity"]


def test_pragma_is_not_sent_where_it_selects_another_copy_or_the_request_has_its_own() -> None:
    _, tile = tile_of(headers={"pragma": "no-cache"})
    assert [line for line in tile.headers[0] if "ragma" in line] == ["pragma: no-cache"]
    _, tile = tile_of(server_timing=False)
    assert not [line for line in tile.headers[0] if "ragma" in line]
    assert "User-Agent: me" in tile_of(user_agent="me")[1].headers[0]


@pytest.mark.parametrize("value", ["", "  "])
def test_empty_header_is_sent_empty(value: str) -> None:
    """libcurl drops a header given as `Name:`, which would be another cache key."""
    assert "X-Flag;" in tile_of(headers={"X-Flag": value})[1].headers[0]


def test_urls_are_spread_over_a_pops_addresses() -> None:
    _, tile = tile_of(4, 1, variants=("br", "gzip"))
    queue = tile.queues[0]
    assert queue is not None
    fetches = [tile.fetch(target, queue) for target in targets_of(tile)]
    assert [fetch.address % 2 for fetch in fetches] == [0, 1, 0, 1] * 2
    assert [fetch.url for fetch in fetches] == tile.urls * 2
    assert [fetch.headers for fetch in fetches] == [tile.headers[0]] * 4 + [tile.headers[1]] * 4
