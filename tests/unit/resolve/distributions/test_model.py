"""The distribution that serves a host: the one that names it most closely, as the edge chooses it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolve.distributions.model import Distribution, NameIndex, names_exactly, why_idle

WIDE = Distribution("E1", "d111.cloudfront.net", ("*.example.com",))
DEEP = Distribution("E2", "d222.cloudfront.net", ("*.shop.example.com", "api.example.com"))
OTHER = Distribution("E3", "d333.cloudfront.net", ("www.example.org",))
ACCOUNT = [WIDE, DEEP, OTHER]
LABELS = st.text("abcdefgh-", min_size=1, max_size=6).filter(lambda label: label.strip("-") == label)


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("d111.cloudfront.net", True),
        ("www.example.com", True),
        ("a.b.example.com", True),
        ("example.com", False),
        ("notexample.com", False),
        ("www.example.com.evil.example", False),
        ("d1.d111.cloudfront.net", False),
        ("", False),
    ],
)
def test_wildcard_covers_every_subdomain_and_nothing_else(host: str, *, served: bool) -> None:
    assert bool(WIDE.serves(host)) is served


@given(st.lists(LABELS, min_size=1, max_size=4))
def test_wildcard_covers_names_below_its_parent_at_any_depth(labels: list[str]) -> None:
    host = ".".join(labels)
    assert WIDE.serves(f"{host}.example.com")
    assert not WIDE.serves(f"{host}.example.net")
    assert not WIDE.serves(f"{host}example.com") or host.endswith(".")


def test_exact_name_beats_wildcards_and_longer_wildcard_beats_shorter_one() -> None:
    assert DEEP.serves("api.example.com") > WIDE.serves("api.example.com") > 0
    assert DEEP.serves("x.shop.example.com") > WIDE.serves("x.shop.example.com") > 0


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("www.example.com", "E1"),
        ("api.example.com", "E2"),
        ("x.shop.example.com", "E2"),
        ("shop.example.com", "E1"),
        ("d222.cloudfront.net", "E2"),
        ("www.example.org", "E3"),
        ("www.example.net", None),
    ],
)
def test_closest_distribution_serves_the_host(host: str, served: str | None) -> None:
    for account in (ACCOUNT, ACCOUNT[::-1]):
        distribution = NameIndex(account).closest(host)
        assert (distribution.id if distribution else None) == served


def test_account_without_distributions_serves_no_host() -> None:
    assert NameIndex([]).closest("www.example.com") is None


NAMES = st.lists(LABELS, min_size=1, max_size=3).map(".".join)


@given(st.lists(st.lists(st.tuples(st.sampled_from(["", "*."]), NAMES), max_size=3), max_size=5), NAMES)
def test_index_returns_the_first_of_the_distributions_that_name_a_host_most_closely(
    listed: list[list[tuple[str, str]]], host: str
) -> None:
    names = [tuple(star + name for star, name in aliases) for aliases in listed]
    account = [Distribution(f"E{n}", f"d{n}.cloudfront.net", aliases) for n, aliases in enumerate(names)]
    best = max(account, key=lambda each: each.serves(host), default=None)
    expected = best if best is not None and best.serves(host) else None
    assert NameIndex(account).closest(host) == expected


def test_name_of_another_accounts_distribution_is_closer_than_a_wildcard() -> None:
    other = replace(DEEP, account="222222222222")
    for listed in ([WIDE, other], [other, WIDE]):
        index = NameIndex(listed)
        assert index.closest("api.example.com") is other
        assert index.closest("x.shop.example.com") is other
        assert index.closest("www.example.com") is WIDE
    assert names_exactly(other, "api.example.com")
    assert not names_exactly(other, "x.shop.example.com")


def test_prefix_is_the_first_label_of_the_domain() -> None:
    assert WIDE.prefix == "d111"


@pytest.mark.parametrize(
    ("idle", "words"),
    [
        (replace(WIDE, enabled=False), "disabled"),
        (replace(WIDE, staging=True), "staging"),
        (replace(WIDE, multi_tenant=True), "tenants' domains"),
    ],
)
def test_distribution_that_viewers_do_not_reach_has_a_reason(idle: Distribution, words: str) -> None:
    assert not idle.serves_viewers
    assert words in why_idle(idle)
    assert WIDE.serves_viewers
