"""DNS lookups with slow, lossy, wrong or dead nameservers, and queries with a client subnet."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

import resolve.dns_lookup
from prewarm.settings import Nameserver, Settings
from prewarm_local.edge.process import SimulatedCloudFront
from resolve.distributions import cnames
from resolve.distributions.cnames import cname_chains
from resolve.dns_lookup import NameserversSilent, addresses_of
from resolve.subnet_lookup import SubnetResponse, addresses_for_subnets
from tests.support.edge_urls import HOST
from tests.support.handlers import DOMAIN
from tests.support.nameservers import answer_with, failing, nameserver


@pytest.fixture
def settings(edge: SimulatedCloudFront) -> Settings:
    return Settings.from_environment(edge.settings() | {"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t"})


@pytest.fixture
def silent() -> Iterator[Nameserver]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unanswered:
        unanswered.bind(("127.0.0.1", 0))
        yield Nameserver(*unanswered.getsockname())


def test_lost_packets_are_retried(settings: Settings) -> None:
    names = [f"n{number}.example.com" for number in range(50)]
    with nameserver(lambda query, times: answer_with(query, "192.0.2.1") if times > 1 else None) as lossy:
        found = addresses_of(names, replace(settings, nameservers=(lossy,)))
    assert found == {name: ["192.0.2.1"] for name in names}


def test_servfail_is_retried(settings: Settings) -> None:
    def failing_once(query: dns.message.Message, times: int) -> dns.message.Message:
        return answer_with(query, "192.0.2.1") if times > 1 else failing(query, dns.rcode.SERVFAIL)

    with nameserver(failing_once) as failing_server:
        assert addresses_of(["a.example.com"], replace(settings, nameservers=(failing_server,))) == {
            "a.example.com": ["192.0.2.1"]
        }


def test_unanswered_name_differs_from_a_name_without_addresses(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve.dns_lookup, "SECONDS_PER_TRY", 0.2)
    monkeypatch.setattr(resolve.dns_lookup, "SECONDS_PER_QUERY", 1.0)

    def partial(query: dns.message.Message, _: int) -> dns.message.Message | None:
        name = query.question[0].name.to_text()
        if name.startswith("there"):
            return answer_with(query, "192.0.2.1", "192.0.2.2")
        if name.startswith("empty"):
            return answer_with(query)
        return failing(query, dns.rcode.NXDOMAIN) if name.startswith("gone") else None

    with nameserver(partial) as some:
        names = ["there.example.com", "empty.example.com", "gone.example.com", "silent.example.com"]
        found = addresses_of(names, replace(settings, nameservers=(some,)))
    assert list(found.values()) == [["192.0.2.1", "192.0.2.2"], [], [], None]


@pytest.mark.parametrize("code", ["YXDOMAIN", "FORMERR", "REFUSED", "NOTIMP", "NOTAUTH", "SERVFAIL"])
def test_error_for_one_name_leaves_that_name_unanswered_and_resolves_the_others(
    code: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve.dns_lookup, "SECONDS_PER_QUERY", 1.0)

    def answerer(query: dns.message.Message, _: int) -> dns.message.Message:
        odd = query.question[0].name.to_text().startswith("odd")
        return failing(query, dns.rcode.from_text(code)) if odd else answer_with(query, "192.0.2.1")

    with nameserver(answerer) as some:
        found = addresses_of(["odd.example.com", "a.example.com"], replace(settings, nameservers=(some,)))
    assert found == {"odd.example.com": None, "a.example.com": ["192.0.2.1"]}


def test_name_that_no_query_can_hold_is_unanswered(settings: Settings) -> None:
    long = ".".join(["x" * 64, "example.com"])
    with nameserver(lambda query, _: answer_with(query, "192.0.2.1")) as some:
        found = addresses_of([long, "a.example.com"], replace(settings, nameservers=(some,)))
    assert found == {long: None, "a.example.com": ["192.0.2.1"]}


def test_all_names_resolve_with_one_dead_nameserver_of_two(settings: Settings, silent: Nameserver) -> None:
    names = [f"n{number}.example.com" for number in range(200)]
    with nameserver(lambda query, _: answer_with(query, "192.0.2.1")) as living:
        found = addresses_of(names, replace(settings, nameservers=(silent, living)))
    assert found == {name: ["192.0.2.1"] for name in names}


def test_dead_nameservers_raise_within_seconds(settings: Settings, silent: Nameserver) -> None:
    names = [f"n{number}.example.com" for number in range(541)]
    began = time.monotonic()
    with pytest.raises(NameserversSilent, match="none of 541 DNS queries was answered"):
        addresses_of(names, replace(settings, nameservers=(silent,)))
    assert time.monotonic() - began < 3 * resolve.dns_lookup.SECONDS_PER_QUERY


def test_truncated_response_is_retried_over_tcp(settings: Settings) -> None:
    many = [f"192.0.2.{number}" for number in range(100)]

    def truncated(query: dns.message.Message, times: int) -> dns.message.Message:
        if times > 1:
            return answer_with(query, *many)
        response = answer_with(query)
        response.flags |= dns.flags.TC
        return response

    with nameserver(truncated) as wide:
        assert addresses_of(["a.example.com"], replace(settings, nameservers=(wide,))) == {"a.example.com": many}


# ---- queries with a client subnet ----


def test_response_without_scope_is_not_scoped(settings: Settings) -> None:
    with nameserver(lambda query, _: answer_with(query, "192.0.2.1")) as plain:
        near = addresses_for_subnets([(DOMAIN, "198.51.100.0/24")], replace(settings, nameservers=(plain,)))
    assert near == {(DOMAIN, "198.51.100.0/24"): SubnetResponse(["192.0.2.1"], scoped=False)}


def test_silent_nameserver_returns_no_addresses_for_subnets(
    settings: Settings, silent: Nameserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve.dns_lookup, "SECONDS_PER_QUERY", 0.3)
    near = addresses_for_subnets([(DOMAIN, "198.51.100.0/24")], replace(settings, nameservers=(silent,)))
    assert near[DOMAIN, "198.51.100.0/24"] == SubnetResponse([], scoped=False)


# ---- CNAMEs ----


def test_cname_chain_is_followed_to_its_end(settings: Settings) -> None:
    def chained(query: dns.message.Message, _: int) -> dns.message.Message:
        response = dns.message.make_response(query)
        for name, kind, target in (
            ("www.shop.example.", "CNAME", "edge.example.net."),
            ("edge.example.net.", "CNAME", "D999.cloudfront.net."),
            ("d999.cloudfront.net.", "A", "192.0.2.1"),
        ):
            response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, target))
        return response

    with nameserver(chained) as some:
        chains = cname_chains(["www.shop.example"], replace(settings, nameservers=(some,)), 30)
    assert chains.found == {"www.shop.example": ["edge.example.net", "d999.cloudfront.net"]}


def test_host_without_cname_has_an_empty_chain(settings: Settings) -> None:
    chains = cname_chains([HOST, DOMAIN, "unserved.example"], settings, 30)
    assert chains.found == {HOST: [DOMAIN], DOMAIN: [], "unserved.example": []}
    assert chains.unasked == ""
    assert cname_chains([], settings, 30).found == {}


MANY = [f"h{number}.example" for number in range(40_000)]


def test_hosts_in_front_of_a_silent_nameserver_are_given_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cnames, "SECONDS_PER_QUERY", 0.2)
    started = time.monotonic()
    with nameserver(lambda _query, _count: None) as silent:
        chains = cname_chains(MANY, replace(settings, nameservers=(silent,)), 60)
    assert time.monotonic() - started < 20
    assert len(chains.found) < 300
    assert "no nameserver answered the first 128 DNS queries" in chains.unasked


def test_hosts_in_front_of_a_slow_nameserver_are_looked_up_until_the_time_ends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_in_ten(query: dns.message.Message, _count: int) -> dns.message.Message | None:
        return answer_with(query, "192.0.2.1") if str(query.question[0].name)[1] == "1" else None

    started = time.monotonic()
    with nameserver(one_in_ten) as slow:
        chains = cname_chains(MANY, replace(settings, nameservers=(slow,)), 2)
    assert time.monotonic() - started < 10
    assert 0 < len(chains.found) < 5_000
    assert "a run may spend 180 s on looking up hosts" in chains.unasked
