import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from prewarm.diagnosis import (
    FAILURE,
    OK,
    RESULTS,
    WARNING,
    Check,
    Group,
    Row,
    Texts,
    in_one_line,
    row_of,
    run_checks,
    worst,
)
from prewarm.errors import BrokenSetting

FIRST, SECOND, THIRD = (Check(name, Texts("shows", "means", "do")) for name in ("first", "second", "third"))


def test_rows_have_the_order_of_the_checks_and_their_times() -> None:
    def slow() -> Iterator[Row]:
        time.sleep(0.05)
        yield FIRST.ok("here")
        yield SECOND.warning("there")

    rows = run_checks([Group([FIRST, SECOND], slow), Group([THIRD], lambda: iter([THIRD.ok("last")]))], 5)
    assert [(row.check, row.result) for row in rows] == [("first", OK), ("second", WARNING), ("third", OK)]
    assert rows[0].seconds >= 0.05
    assert rows[1].seconds < 0.05


def test_check_that_hangs_fails_in_time_and_the_others_have_their_rows() -> None:
    def hangs() -> Iterator[Row]:
        yield FIRST.ok("began")
        time.sleep(30)
        yield SECOND.ok("never")

    began = time.monotonic()
    rows = run_checks([Group([FIRST, SECOND, THIRD], hangs), Group([], lambda: iter(()))], 0.2)
    assert time.monotonic() - began < 5
    assert [(row.check, row.result) for row in rows] == [("first", OK), ("second", FAILURE), ("third", WARNING)]
    assert rows[1].detail == "no response within 0.2 s"
    assert rows[1].action == "do"
    assert rows[2].detail.startswith("not checked")


def test_exception_is_the_failure_of_the_check_that_was_next() -> None:
    def fails() -> Iterator[Row]:
        yield FIRST.ok("fine")
        raise KeyError("Items")

    rows = run_checks([Group([FIRST, SECOND, THIRD], fails)], 5)
    assert [row.result for row in rows] == [OK, FAILURE, WARNING]
    assert rows[1].detail == "KeyError: 'Items'"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListDistributions"),
         "An error occurred (AccessDenied) when calling the ListDistributions operation: no"),
        (BrokenSetting("PREWARM_BUCKET is not set"), "PREWARM_BUCKET is not set"),
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (TimeoutError(), "TimeoutError"),
    ],
)  # fmt: skip
def test_error_is_one_readable_line(error: Exception, text: str) -> None:
    assert in_one_line(error) == text


def test_worst_result_decides() -> None:
    assert worst([]) == OK
    assert worst([FIRST.ok(""), SECOND.warning("")]) == WARNING
    assert worst([FIRST.failure(""), SECOND.warning("")]) == FAILURE


@given(st.builds(Row, st.text(min_size=1), st.sampled_from(RESULTS), st.text(), st.text(), st.text(), st.just(1.5)))
def test_row_survives_json(row: Row) -> None:
    assert row_of(row.as_json()) == row


@given(
    st.dictionaries(
        st.sampled_from(["check", "result", "detail", "seconds", "action"]), st.none() | st.integers() | st.text()
    )
)
def test_row_of_another_version_is_read_and_never_better_than_it_says(document: dict[str, object]) -> None:
    row = row_of(document)
    assert row.result == (document.get("result") if document.get("result") in RESULTS else FAILURE)
