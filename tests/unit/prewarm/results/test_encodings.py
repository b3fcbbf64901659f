"""Plain copies: counted by URL and POP in and between batches, and never compared with compressed ones."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prewarm.planning.plan import Group
from prewarm.results.batch_result import BatchResult
from prewarm.results.consistency import Contents, mixed_contents
from prewarm.results.encodings import PlainPops, pack, unpack
from prewarm.results.rollup import roll_up, sums
from tests.support.builders import POP_NAMES, plan, response
from tests.support.contents import uncompressed_pops

PLAN = plan(url_count=2, groups=(Group("d1.cloudfront.net", "E1", 0, 2, POP_NAMES, 6),))
URLS = ["https://www.example.com/a", "https://www.example.com/b"]


def part(pop_from: int, *copies: tuple[int, str], unexpected: bool = False) -> BatchResult:
    """Return the result of both URLs at three POPs; `copies`: URL and encoding, at one POP after another."""
    contents, plain_pops = Contents(1), PlainPops()
    for pop, (url, encoding) in enumerate(copies):
        contents.add(url, 0, pop, response(encoding=encoding, etag='"a"' if not encoding else 'W/"a"'))
        plain_pops.add(url, pop, encoding, unexpected=unexpected)
    more: dict[str, Any] = {
        "contents": contents.checksums(2),
        "encodings": plain_pops.mark(contents.encodings(2)),
        "uncompressed": plain_pops.uncompressed(),
        "plain_copies": plain_pops.plain(),
        "mixed": {url: (POP_NAMES[a], POP_NAMES[b]) for url, (a, b) in contents.mixed.items()},
    }
    return BatchResult(f"1-{pop_from:06}", 0, 0, 0, 2, 3, True, 6, {}, 0, 0, pop_from=pop_from, **more)


def test_pops_of_one_batch_are_compared() -> None:
    assert uncompressed_pops(PLAN, [part(0, (0, ""), (0, "br"), (0, ""))]) == {0: (POP_NAMES[0], POP_NAMES[2])}


def test_plain_copies_of_another_batch_are_uncompressed() -> None:
    parts = [part(0, (0, ""), (0, ""), (1, "")), part(3, (0, "gzip"), (0, "br"), (1, ""))]
    assert uncompressed_pops(PLAN, parts) == {0: tuple(sorted(POP_NAMES[:2]))}


def test_objects_that_are_plain_everywhere_are_not_named() -> None:
    assert uncompressed_pops(PLAN, [part(0, (0, ""), (0, "")), part(3, (0, ""))]) == {}


def test_plain_copies_that_the_settings_exclude_are_named_alone() -> None:
    assert uncompressed_pops(PLAN, [part(0, (1, ""), unexpected=True)]) == {1: (POP_NAMES[0],)}


def test_results_of_earlier_versions_name_nothing() -> None:
    assert uncompressed_pops(PLAN, [BatchResult("1-000000", 0, 0, 0, 2, 3, True, 6, {}, 0, 0)]) == {}


def test_plain_and_compressed_copies_are_not_different_contents() -> None:
    parts = [part(0, (0, ""), (0, "br")), part(3, (0, "br"), (0, ""))]
    assert mixed_contents(PLAN, parts) == {}


def test_summary_names_url_and_pops() -> None:
    rolled = roll_up(PLAN, [part(0, (0, ""), (0, "br"), (0, ""))])
    summary = sums(PLAN, rolled, URLS, 0.0)
    expected = {"url": URLS[0], "pops": 2, "examples": sorted([POP_NAMES[0], POP_NAMES[2]])}
    assert (summary["uncompressedUrls"], summary["uncompressed"]) == (1, [expected])
    assert any("one URL was served uncompressed" in each and "2 POPs" in each for each in summary["warnings"])


@given(st.dictionaries(st.integers(0, 5000), st.integers(1, 2**100 - 1), max_size=50))
def test_bitmaps_survive_packing(bitmaps: dict[int, int]) -> None:
    assert unpack(pack(bitmaps)) == bitmaps
