"""Pages of a status: each URL once, in order, and never more than a response may contain."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.pagination import Page, UrlStatus, page_token, paginate, parse_page
from prewarm.errors import InvalidRequest

url_lists = st.lists(
    st.builds(
        UrlStatus,
        st.text(min_size=1, max_size=30),
        st.sampled_from(["success", "failed"]),
        st.none() | st.just({"timeout": 3}),
    ),
    max_size=40,
)


@given(url_lists, st.none() | st.integers(1, 9), st.integers(1, 600))
def test_all_pages_together_have_each_url_once(urls: list[UrlStatus], limit: int | None, max_bytes: int) -> None:
    seen: list[UrlStatus] = []
    token: str | None = page_token(0)
    while token is not None:
        page, token = paginate(urls, parse_page(None if limit is None else str(limit), token), max_bytes)
        assert page or not urls
        assert limit is None or len(page) <= limit
        document = {
            "urls": [each.url for each in page],
            "failures": [each.failure() for each in page if each.reasons],
        }
        if len(page) > 1:
            assert len(json.dumps(json.dumps(document))) <= max_bytes + 60
        seen += page
    assert seen == urls


def test_without_a_limit_one_page_has_all_urls_that_fit() -> None:
    many = [UrlStatus(f"https://www.example.com/{number}", "success") for number in range(10_000)]
    assert paginate(many, Page(), 5_500_000) == (many, None)


def test_page_after_the_end_is_empty() -> None:
    assert paginate([UrlStatus("a", "success")], Page(7), 100) == ([], None)


@pytest.mark.parametrize("limit", ["0", "-1", "ten", "1.5", "", "٣"])
def test_limit_that_is_not_a_number_is_rejected(limit: str) -> None:
    with pytest.raises(InvalidRequest, match="limit: must be a whole number of at least 1, got "):
        parse_page(limit, None)


@pytest.mark.parametrize("token", ["", "x", "ZnJvbSAtMQ", "é", "ZnJvbSB4", "////"])
def test_token_that_was_not_issued_is_rejected(token: str) -> None:
    with pytest.raises(InvalidRequest, match="nextToken: invalid or expired; omit it"):
        parse_page("5", token)
