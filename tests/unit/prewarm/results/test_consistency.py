"""Consistency: how contents are compared within a batch and between batches."""

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
def test_contents_differ_by_etag_and_by_uncompressed_length(
    one: dict[str, Any], other: dict[str, Any], *, same: bool
) -> None:
    assert (content_of(response(**one)) == content_of(response(**other))) is same


def test_different_contents_of_a_variant_are_mixed() -> None:
    contents = Contents(2)
    contents.add(0, 0, 0, response(etag='"br"'))
    contents.add(0, 1, 0, response(etag='"plain"'))
    contents.add(0, 0, 1, response(etag='"br"'))
    assert contents.mixed == {}
    contents.add(0, 1, 2, response(etag='"old"'))
    contents.add(0, 1, 3, response(etag='"older"'))
    assert contents.mixed == {0: (0, 2)}


def test_content_without_etag_or_comparable_length_is_unknown() -> None:
    contents = Contents(1)
    contents.add(1, 0, 0, response(encoding="br"))
    contents.add(2, 0, 0, response(etag='"a"'))
    checksums = contents.checksums(3)
    assert checksums[: 2 * DIGITS] == "0" * 2 * DIGITS
    assert checksums[2 * DIGITS :] != "0" * DIGITS
    assert len(checksums) == 3 * DIGITS


def part(batch: str, pop_from: int, contents: str, **more: Any) -> BatchResult:
    return BatchResult(batch, 0, 0, 0, 3, 1, True, 3, {}, 0, 0, pop_from=pop_from, contents=contents, **more)


WHOLE = plan(url_count=3, groups=(Group("d1.cloudfront.net", "E1", 0, 3, POP_NAMES, 6),))
A, B, UNKNOWN = "11111111", "22222222", "00000000"


def test_batches_of_the_same_urls_are_compared_by_url() -> None:
    parts = [part("1-0", 0, A + A + UNKNOWN), part("1-1", 2, A + B + B), part("1-2", 4, A + UNKNOWN + A)]
    assert mixed_contents(WHOLE, parts) == {1: (POP_NAMES[0], POP_NAMES[2])}


def test_warning_has_the_count_and_a_redacted_example() -> None:
    parts = [part("1-0", 0, A * 3), part("1-1", 2, A * 3, mixed={2: ("FRA2-C1", "LHR3-C1"), 1: ("A1", "B1")})]
    rolled = roll_up(WHOLE, parts)
    (warning,) = warnings_of(
        rolled, ["https://x.example/0", "https://x.example/1?token=s3cret", "https://x.example/2"]
    )
    assert warning.startswith("2 URLs have different contents")
    assert "https://x.example/1?token=… at A1 and B1" in warning
    assert warnings_of(roll_up(WHOLE, parts[:1]), []) == []
