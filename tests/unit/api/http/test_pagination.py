"""Pages of a status: everything once, in order, and never more than a response may hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.pagination import Line, Page, cut, read_page, token_of
from prewarm.errors import InvalidRequest

lines = st.lists(
    st.builds(
        Line,
        st.text(min_size=1, max_size=30),
        st.sampled_from(["success", "failed"]),
        st.none() | st.just({"timeout": 3}),
    ),
    max_size=40,
)


@given(lines, st.none() | st.integers(1, 9), st.integers(1, 600))
def test_the_pages_together_are_the_whole(found: list[Line], limit: int | None, room: int) -> None:
    seen: list[Line] = []
    token: str | None = token_of(0)
    while token is not None:
        page, token = cut(found, read_page(None if limit is None else str(limit), token), room)
        assert page or not found
        assert limit is None or len(page) <= limit
        told = {"urls": [line.url for line in page], "failures": [line.failure() for line in page if line.reasons]}
        if len(page) > 1:
            assert len(json.dumps(json.dumps(told))) <= room + 60
        seen += page
    assert seen == found


def test_without_a_limit_all_that_fits_is_one_page() -> None:
    many = [Line(f"https://www.example.com/{number}", "success") for number in range(10_000)]
    assert cut(many, Page(), 5_500_000) == (many, None)


def test_a_page_from_beyond_the_end_is_empty() -> None:
    assert cut([Line("a", "success")], Page(7), 100) == ([], None)


@pytest.mark.parametrize("limit", ["0", "-1", "ten", "1.5", "", "٣"])
def test_a_limit_that_is_no_number_is_refused(limit: str) -> None:
    with pytest.raises(InvalidRequest, match="limit: "):
        read_page(limit, None)


@pytest.mark.parametrize("token", ["", "x", "ZnJvbSAtMQ", "é", "ZnJvbSB4", "////"])
def test_a_token_that_was_never_given_is_refused(token: str) -> None:
    with pytest.raises(InvalidRequest, match="nextToken: "):
        read_page("5", token)
