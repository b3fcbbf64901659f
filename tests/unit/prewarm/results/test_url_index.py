"""The index of a run's URLs: every URL is found with its result, no other one is, in few bounded reads."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prewarm.results.rollup import UrlResult, Verdict
from prewarm.results.url_index import RECORD, WINDOW, IndexedUrl, build_index, find_url, url_hash


def result(index: int, *, warm: int = 2) -> UrlResult:
    return UrlResult(index, Verdict.SUCCESS if warm == 2 else Verdict.FAILED, 2, warm, {})


class Reads:
    """Reads of an index, which it counts."""

    def __init__(self, index: bytes) -> None:
        self.index, self.count, self.longest = index, 0, 0

    def __call__(self, first: int, last: int) -> bytes:
        self.count, self.longest = self.count + 1, max(self.longest, last - first)
        return self.index[first:last]


def index_of(count: int, prefix: str = "https://www.example.com/") -> Reads:
    urls = [f"{prefix}{number}" for number in range(count)]
    return Reads(build_index((result(number, warm=number % 3) for number in range(count)), urls, {}))


@pytest.mark.parametrize("count", [0, 1, 2, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW + 7])
def test_every_url_is_found_with_its_result_and_no_other(count: int) -> None:
    reads = index_of(count)
    for number in {0, 1, count // 2, count - 1} & set(range(count)):
        found = find_url(url_hash(f"https://www.example.com/{number}"), count, reads)
        assert found == IndexedUrl(number, number % 3 == 2, number % 3, 2)
    for other in ("https://www.example.com/x", "https://www.example.com/0?", ""):
        assert find_url(url_hash(other), count, reads) is None


def test_url_of_a_large_run_is_found_in_one_short_read() -> None:
    count = 100_000
    reads = index_of(count)
    for number in range(0, count, 1_000):
        assert find_url(url_hash(f"https://www.example.com/{number}"), count, reads) is not None
    assert reads.count <= 105
    assert reads.longest <= WINDOW * RECORD.size


def test_url_is_found_by_its_fetched_form() -> None:
    index = Reads(build_index([result(0)], ["https://www.example.com/a b"], {0: "https://www.example.com/a%20b"}))
    assert find_url(url_hash("https://www.example.com/a%20b"), 1, index) is not None
    assert find_url(url_hash("https://www.example.com/a b"), 1, index) is None


@settings(max_examples=15)
@given(st.sets(st.binary(min_size=8, max_size=8), max_size=30), st.binary(min_size=8, max_size=8))
def test_search_ends_and_is_right_for_hashes_that_are_not_spread_evenly(hashes: set[bytes], wanted: bytes) -> None:
    """Hashes in a corner of the range: the guesses are wrong, and the search halves what is left."""
    crowd = [b"\xff" * 6 + number.to_bytes(2) for number in range(3 * WINDOW)]
    records = sorted({*hashes, *crowd})
    index = Reads(b"".join(RECORD.pack(each, number, 1, 1, 1) for number, each in enumerate(records)))
    found = find_url(wanted, len(records), index)
    assert (found is not None) == (wanted in records)
    middle = records[len(records) // 2]
    assert find_url(middle, len(records), index) == IndexedUrl(len(records) // 2, True, 1, 1)
    assert index.count < 30


def test_expired_or_cut_off_index_is_missing_and_not_an_absent_url() -> None:
    reads = index_of(10)
    for index in (b"", reads.index[:-1]):
        with pytest.raises(FileNotFoundError):
            find_url(url_hash("https://www.example.com/1"), 10, Reads(index))
