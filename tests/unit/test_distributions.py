"""Which distribution serves a host: the one that names it most closely, if the request allows that one."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.errors import InvalidRequest
from resolve.distributions import Distribution, distribution_of_hosts

WIDE = Distribution("E1", "d111.cloudfront.net", ("*.example.com",))
DEEP = Distribution("E2", "d222.cloudfront.net", ("*.shop.example.com", "api.example.com"))
OFF = Distribution("E3", "d333.cloudfront.net", ("*.off.example.com", "gone.example.org"), enabled=False)
ACCOUNT = [WIDE, DEEP, OFF]


def found(host: str, cf_domain: str | None = None, account: Sequence[Distribution] = ACCOUNT) -> str | None:
    served = distribution_of_hosts([host], list(account), cf_domain).get(host)
    return served.id if served else None


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
def test_a_wildcard_covers_every_subdomain_and_nothing_else(host: str, *, served: bool) -> None:
    assert bool(WIDE.serves(host)) is served


def test_an_exact_name_beats_any_wildcard_and_a_longer_wildcard_a_shorter_one() -> None:
    assert DEEP.serves("api.example.com") > WIDE.serves("api.example.com") > 0
    assert DEEP.serves("x.shop.example.com") > WIDE.serves("x.shop.example.com") > 0


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("www.example.com", "E1"),
        ("api.example.com", "E2"),
        ("x.shop.example.com", "E2"),
        ("d222.cloudfront.net", "E2"),
        ("gone.example.org", None),
        ("d333.cloudfront.net", None),
        ("www.example.net", None),
    ],
)
def test_each_host_gets_the_enabled_distribution_that_names_it_most_closely(host: str, served: str | None) -> None:
    assert found(host) == served
    assert found(host, account=ACCOUNT[::-1]) == served


@given(st.permutations(ACCOUNT), st.sampled_from(["d111.cloudfront.net", "d222.cloudfront.net"]))
def test_the_domain_given_allows_only_what_that_distribution_serves(
    account: list[Distribution], cf_domain: str
) -> None:
    for host in ("www.example.com", "api.example.com", "x.shop.example.com", "d111.cloudfront.net", "other.example"):
        anybody, allowed = found(host, None, account), found(host, cf_domain, account)
        by_id = {each.id: each.domain for each in account}
        assert allowed == (anybody if anybody and by_id[anybody] == cf_domain else None)


def test_a_host_that_another_distribution_names_more_closely_is_not_warmed_through_a_wildcard() -> None:
    """The edge routes by Host: it would answer, and cache, for the other distribution."""
    assert found("api.example.com", "d111.cloudfront.net") is None


@pytest.mark.parametrize(
    ("cf_domain", "words"),
    [
        ("d999.cloudfront.net", "cf_domain: d999.cloudfront.net is no distribution of this account"),
        ("d333.cloudfront.net", "cf_domain: d333.cloudfront.net is disabled"),
    ],
)
def test_a_domain_that_cannot_be_used_is_told_with_the_reason(cf_domain: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        found("www.example.com", cf_domain)
    assert str(caught.value) == words


def test_an_account_without_distributions_serves_nothing() -> None:
    assert distribution_of_hosts(["www.example.com"], [], None) == {}


def test_the_prefix_is_the_first_label() -> None:
    assert WIDE.prefix == "d111"
