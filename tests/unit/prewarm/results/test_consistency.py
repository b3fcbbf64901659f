"""Different contents at POPs: what tells them apart, within a batch and between batches."""

from typing import Any

import pytest

from prewarm.planning.plan import Group
from prewarm.results.batch_result import BatchResult
from prewarm.results.consistency import DIGITS, Contents, content_of, mixed_contents
from prewarm.results.rollup import roll_up, warnings_of
from tests.support.builders import POP_NAMES, plan, response


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"etag": '"a"'}, {"etag": '"a"'}, True),
        ({"etag": '"a"'}, {"etag": '"b"'}, False),
        ({"etag": '"a"'}, {"etag": 'W/"a"'}, True),
        ({"bytes": 10}, {"bytes": 11}, False),
        ({"etag": '"a"', "bytes": 10, "encoding": "br"}, {"etag": '"a"', "bytes": 11, "encoding": "br"}, True),
        ({"bytes": 10, "encoding": "gzip"}, {"bytes": 11, "encoding": "gzip"}, True),
    ],
)
def test_contents_differ_by_etag_and_by_length_where_nothing_was_compressed(
    one: dict[str, Any], other: dict[str, Any], *, same: bool
) -> None:
    assert (content_of(response(**one)) == content_of(response(**other))) is same


def test_variants_of_a_url_may_differ_and_pops_may_not() -> None:
    contents = Contents(2)
    contents.note(0, 0, 0, response(etag='"br"'))
    contents.note(0, 1, 0, response(etag='"plain"'))
    contents.note(0, 0, 1, response(etag='"br"'))
    assert contents.mixed == {}
    contents.note(0, 1, 2, response(etag='"old"'))
    contents.note(0, 1, 3, response(etag='"older"'))
    assert contents.mixed == {0: (0, 2)}


def test_nothing_is_known_of_what_has_neither_etag_nor_a_length_that_counts() -> None:
    contents = Contents(1)
    contents.note(1, 0, 0, response(encoding="br"))
    contents.note(2, 0, 0, response(etag='"a"'))
    known = contents.checksums(3)
    assert known[: 2 * DIGITS] == "0" * 2 * DIGITS
    assert known[2 * DIGITS :] != "0" * DIGITS
    assert len(known) == 3 * DIGITS


def part(batch: str, pop_from: int, contents: str, **more: Any) -> BatchResult:
    return BatchResult(batch, 0, 0, 0, 3, 1, True, 3, {}, 0, 0, pop_from=pop_from, contents=contents, **more)


WHOLE = plan(url_count=3, groups=(Group("d1.cloudfront.net", "E1", 0, 3, POP_NAMES, 6),))
A, B, UNKNOWN = "11111111", "22222222", "00000000"


def test_batches_of_the_same_urls_are_compared_url_by_url() -> None:
    parts = [part("1-0", 0, A + A + UNKNOWN), part("1-1", 2, A + B + B), part("1-2", 4, A + UNKNOWN + A)]
    assert mixed_contents(WHOLE, parts) == {1: (POP_NAMES[0], POP_NAMES[2])}


def test_a_warning_says_how_many_and_shows_one_without_its_secrets() -> None:
    parts = [part("1-0", 0, A * 3), part("1-1", 2, A * 3, mixed={2: ("FRA2-C1", "LHR3-C1"), 1: ("A1", "B1")})]
    rolled = roll_up(WHOLE, parts)
    (told,) = warnings_of(rolled, ["https://x.example/0", "https://x.example/1?token=s3cret", "https://x.example/2"])
    assert told.startswith("2 URLs have different contents")
    assert "https://x.example/1?token=… at A1 and B1" in told
    assert warnings_of(roll_up(WHOLE, parts[:1]), []) == []
