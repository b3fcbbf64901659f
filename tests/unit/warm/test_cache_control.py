"""Cache-Control: what a header says by RFC 9111's grammar, and whether a copy with it is certain to be kept."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from warm.cache_control import FORBIDDING, MOST_SECONDS, cache_control
from warm.copy_lifetime import may_not_be_kept

NOON, LATER = "Thu, 26 Nov 2026 12:00:00 GMT", "Thu, 26 Nov 2026 12:00:01 GMT"
TOKEN_CHARACTERS = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def elements(header: str) -> list[str]:
    """Return what is between a header's commas, without spaces and tabs around; commas in quoted strings are kept."""
    found, begin, quoted, escaped = [], 0, False, False
    for at, character in enumerate(header):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = quoted
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            found.append(header[begin:at])
            begin = at + 1
    return [element.strip(" \t") for element in (*found, header[begin:])]


def is_token(text: str) -> bool:
    return bool(text) and TOKEN_CHARACTERS.issuperset(text)


def is_quoted(text: str) -> bool:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return False
    inner = text[1:-1].replace("\\\\", "").replace('\\"', "")
    return '"' not in inner and not inner.endswith("\\") and "\n" not in inner


def read(header: str) -> list[tuple[str, str]] | None:
    """Return a header's directives in order; None if the grammar does not allow it.

    RFC 9111, 5.2: Cache-Control = #cache-directive; cache-directive = token [ "=" ( token / quoted-string ) ]. A
    recipient accepts empty elements (RFC 9110, 5.6.1.2), and spaces and tabs around the commas.
    """
    found = []
    for element in filter(None, elements(header)):
        name, equals, value = element.partition("=")
        if not is_token(name) or (equals and not is_token(value) and not is_quoted(value)):
            return None
        found.append((name.lower(), value))
    return found


def lifetime_is_certain(directives: list[tuple[str, str]]) -> bool:
    """Return whether the header alone makes a copy certain, with a default TTL of a day and no minimum."""
    names = [name for name, _ in directives]
    if FORBIDDING & set(names):
        return False

    def positive(value: str) -> bool:
        return value.isascii() and value.isdigit() and int(value) > 0

    counts = "s-maxage" if "s-maxage" in names else "max-age"
    values = [value for name, value in directives if name == counts]
    stale = [value for name, value in directives if name == "stale-while-revalidate"]
    numbers = all(value.isascii() and value.isdigit() for value in values)
    return all(map(positive, values)) or (numbers and bool(stale) and all(map(positive, stale)))


value = st.one_of(
    st.sampled_from(["0", "00", "60", "007", "-1", "+5", "1.5", "1e3", '"0"', '"60"', "", "x", '"a, no-store"', "²"]),
    st.integers(0, 10**6).map(str),
)
name = st.sampled_from(
    [
        *("max-age", "Max-Age", "s-maxage", "s-maxage", "stale-while-revalidate"),
        *("public", "no-store", "no-cache", "PRIVATE", "x-no-store", "x.private", "x"),
    ]
)
element = st.one_of(
    name,
    st.tuples(name, st.sampled_from(["=", "=", "=", " = ", "= ", ":"]), value).map("".join),
    st.text('abz"\\=,; \t09', max_size=8),
)
separator = st.sampled_from([", ", ", ", ",", " ,", ";", " ", ",,", "\t,"])
header = st.lists(st.tuples(element, separator).map("".join), max_size=4).map("".join)


@given(header)
@example('private="a, max-age=60')
@example('x="\\", max-age=0, "')
@example('x="\\"", max-age=0')
def test_directives_are_those_of_the_grammar_and_doubt_follows_from_them(text: str) -> None:
    control, expected = cache_control(text), read(text)
    assert control.well_formed == (expected is not None)
    if expected is None:
        assert may_not_be_kept(text, "", "")
        return
    assert [(name, value) for name, values in control.values.items() for value in values] == sorted(
        expected, key=lambda directive: [each for each, _ in expected].index(directive[0])
    )
    assert may_not_be_kept(text, "", "") is not lifetime_is_certain(expected)


@given(st.text(max_size=1_024))
@example('x="' + "\\" * 1_020)
@example("a=" * 500)
@example(" ," * 512)
@example("a, " * 340 + ";")
def test_any_header_is_read(text: str) -> None:
    assert cache_control(text).well_formed is (read(text) is not None)
    assert isinstance(may_not_be_kept(text, "", ""), bool)


def test_more_digits_than_a_number_has_count_as_the_longest_lifetime() -> None:
    assert cache_control("max-age=" + "9" * 1_000).seconds("max-age") == MOST_SECONDS


@pytest.mark.parametrize(
    ("expires", "date", "control", "doubtful"),
    [
        (NOON, NOON, "", True),
        (NOON, LATER, "public", True),
        ("-1", NOON, "", True),
        (LATER, NOON, "", False),
        (NOON, LATER, "max-age=60", False),
        (LATER, NOON, "max-age=0", True),
    ],
)
def test_expires_counts_without_a_lifetime_in_cache_control(
    expires: str, date: str, control: str, *, doubtful: bool
) -> None:
    assert may_not_be_kept(control, expires, date) is doubtful


@pytest.mark.parametrize(
    ("control", "ttls", "longest", "doubtful"),
    [
        ("", (0, 86_400), math.inf, False),
        ("", (0, 0), math.inf, True),
        # A minimum TTL of a second keeps nothing for long.
        ("", (1, 0), math.inf, True),
        ("no-store", (1, 86_400), math.inf, True),
        ("no-store", (2, 0), math.inf, False),
        ("max-age=x", (2, 0), math.inf, False),
        ("max-age=60", (0, 0), math.inf, False),
        ("max-age=60", (0, 86_400), 0, True),
        # All headers in a legacy key: nothing is cached, whatever the minimum TTL is.
        ("max-age=60", (2, 86_400), 0, True),
        ("stale-while-revalidate=60", (0, 0), math.inf, False),
    ],
)
def test_ttls_decide_where_the_origin_gives_no_lifetime(
    control: str, ttls: tuple[int, int], longest: float, *, doubtful: bool
) -> None:
    assert may_not_be_kept(control, "", "", ttls, longest) is doubtful
