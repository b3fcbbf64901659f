"""The query of GET /runs: times, bounded filters, and tokens that are bound to them."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.run_query import MAX_TOKEN, Position, RunQuery, parse_run_query
from prewarm.errors import InvalidRequest

POSITIONS = [
    Position(),
    Position(listed="2026-11-25T09:30:00.123Z#run"),
    Position(listed="2026-11~"),
    Position(executions=True),
    Position(executions=True, token="x" * 1_024, after="r" * 80, started="2026-11-25T09:30:00Z"),
]


@pytest.mark.parametrize("position", POSITIONS)
def test_token_leads_to_its_position(position: Position) -> None:
    token = RunQuery(label="main").token(position)
    assert len(token) <= MAX_TOKEN
    assert parse_run_query({"label": "main", "nextToken": token}).position == position


@pytest.mark.parametrize(
    "other", [{}, {"label": "x"}, {"label": "main", "host": "a"}, {"label": "main", "since": "2026-01-01"}]
)
def test_token_of_other_filters_is_refused(other: dict[str, str]) -> None:
    token = RunQuery(label="main").token(Position(listed="2026-11-25T09:30:00.123Z#run"))
    with pytest.raises(InvalidRequest, match="nextToken"):
        parse_run_query(other | {"nextToken": token})


def test_host_is_that_of_urls_without_a_final_dot() -> None:
    assert parse_run_query({"host": "WWW.example.com."}).host == "www.example.com"


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=7))


@given(JSON)
def test_forged_token_is_refused_or_read(document: Any) -> None:
    """Whatever a token contains, it is a position with bounded texts, or a problem of the caller."""
    digest = RunQuery()._digest()
    for parts in (document, [digest, *document] if isinstance(document, list) else [digest, document]):
        token = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()
        try:
            position = parse_run_query({"nextToken": token}).position
        except InvalidRequest:
            continue
        assert len(position.listed) <= 210
        assert len(position.token) <= 1_024


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({}, "0", "9999"),
        ({"since": "2026-11-25"}, "2026-11-25T00:00:00.000", "9999"),
        ({"until": "2026-11-25"}, "0", "2026-11-26T00:00:00.000"),
        ({"until": "2026-11-25T09:30:00Z"}, "0", "2026-11-25T09:30:00.000"),
        ({"since": "2026-11-25T01:30:00+02:00"}, "2026-11-24T23:30:00.000", "9999"),
        ({"since": "2026-11-25", "until": "2026-11-25"}, "2026-11-25T00:00:00.000", "2026-11-26T00:00:00.000"),
    ],
)
def test_window_is_in_utc_and_includes_the_whole_day_of_a_date(query: dict[str, str], first: str, last: str) -> None:
    window = parse_run_query(query).window
    assert (window.first, window.last) == (first, last)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"since": "yesterday"}, "since: must be a date or time such as 2026-11-25"),
        ({"until": "0001-01-01T00:00:00+14:00"}, "until: must be a date or time"),
        ({"until": "9999-12-31"}, "until: must be a date or time"),
        ({"since": "2026-11-26", "until": "2026-11-25"}, "until: must be later than since"),
        ({"label": ""}, "label: must have 1 to 200 characters, got 0"),
        ({"label": "x" * 201}, "label: must have 1 to 200 characters, got 201"),
        ({"host": "https://www.example.com/"}, "host: must be a host such as www.example.com"),
        ({"host": "a" * 300}, "host: must be a host"),
        ({"status": "DONE"}, "status: must be one of COMPLETED, FAILED, IN_PROGRESS, TIMEOUT, CANCELLED"),
        ({"limit": "101"}, "limit: must be a whole number from 1 to 100"),
    ],
)
def test_invalid_parameter_is_named_with_the_fix(query: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        parse_run_query(query)
