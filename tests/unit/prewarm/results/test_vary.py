"""Headers that responses name in Vary and that the cache key does not have."""

import pytest

from prewarm.results.vary import NAMES_AT_MOST, Varied, add, count, unkeyed_names, vary_warnings


@pytest.mark.parametrize(
    ("vary", "names"),
    [
        ("", ()),
        ("*", ()),
        ("Accept-Encoding", ()),
        ("Origin", ("origin",)),
        ("origin , ORIGIN,Accept-Language", ("origin", "accept-language")),
        ("Origin, Access-Control-Request-Headers, Access-Control-Request-Method", ("origin",)),
        ("Cookie, in the key", ()),
        ("a b, ,é, " + "x" * 65, ()),
    ],
)
def test_names_are_those_without_the_harmless_ones(vary: str, names: tuple[str, ...]) -> None:
    assert unkeyed_names(vary, frozenset({"cookie"})) == names


def test_nothing_is_named_where_the_key_is_unknown() -> None:
    assert unkeyed_names("Origin", frozenset({"*"})) == ()


def test_counts_are_added_with_the_first_url_and_bounded() -> None:
    varied: Varied = {}
    count(varied, ["origin"], 4)
    add(varied, {"origin": (2, 1), "cookie": (1, 9)})
    assert varied == {"origin": (3, 1), "cookie": (1, 9)}
    count(varied, (f"x-{number}" for number in range(100)), 0)
    assert len(varied) == NAMES_AT_MOST


def test_warning_has_header_number_url_and_what_to_do_without_secrets() -> None:
    urls = ["https://www.example.com/a?token=s3cret", "https://www.example.com/b"]
    first, second = vary_warnings({"cookie": (1, 1), "origin": (3, 0)}, urls)
    assert first.startswith(
        "3 responses name origin in Vary, such as the one for https://www.example.com/a?token=…, but"
    )
    assert "add it to the cache key, or to headers" in first
    assert second.startswith("1 response names cookie in Vary, such as the one for https://www.example.com/b, but")
