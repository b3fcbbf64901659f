"""Queries with a client subnet, asked of CloudFront's own nameservers, which the resolver finds."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

import resolve.dns_lookup
import resolve.edge_nameservers
import resolve.subnet_lookup
from prewarm.catalogue import client_subnets
from prewarm.settings import Settings
from prewarm_local.edge.process import SimulatedCloudFront
from resolve.subnet_lookup import NO_RESPONSE, SubnetResponse, addresses_for_subnets
from tests.support.edge_urls import HOST
from tests.support.handlers import DOMAIN
from tests.support.nameservers import answer_with, failing, nameserver
from tests.support.strict_edge import strict_cloudfront

SUBNET = "198.51.100.0/24"
NEAR, FAR = "192.0.2.1", "192.0.2.99"
SERVED_NEAR = {(DOMAIN, SUBNET): SubnetResponse([NEAR], scoped=True)}
SERVED_FAR = {(DOMAIN, SUBNET): SubnetResponse([FAR], scoped=False)}
Responder = Callable[[dns.message.Message, int], dns.message.Message | None]


def scoped(query: dns.message.Message, *addresses: str) -> dns.message.Message:
    """The response of one of CloudFront's nameservers, which used the whole subnet."""
    response = answer_with(query, *addresses)
    response.flags |= dns.flags.AA
    (option,) = [each for each in query.options if isinstance(each, dns.edns.ECSOption)]
    response.use_edns(0, 0, 1232, options=[dns.edns.ECSOption(option.address, option.srclen, option.srclen)])
    return response


def add(response: dns.message.Message, owner: str, kind: str, *data: str) -> dns.message.Message:
    response.answer.append(dns.rrset.from_text_list(dns.name.from_text(owner), 60, "IN", kind, data))
    return response


def referral(query: dns.message.Message, zone: str, host: str) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.authority.append(dns.rrset.from_text(dns.name.from_text(zone), 60, "IN", "NS", host))
    return response


@dataclass
class World:
    """A resolver that drops client subnets, and nameservers of CloudFront at one port of the loopback.

    `edge`: responds to queries without RD; `servers`: hosts of NS records with their addresses, by zone.
    """

    edge: Responder
    servers: dict[str, dict[str, str]] = field(default_factory=lambda: {DOMAIN: {"ns1.example.": "127.0.0.1"}})
    asked: list[str] = field(default_factory=list)

    def respond(self, query: dns.message.Message, _: int) -> dns.message.Message | None:
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True)
        if not query.flags & dns.flags.RD:
            self.asked.append(name)
            return self.edge(query, len(self.asked))
        response = dns.message.make_response(query)
        if question.rdtype == dns.rdatatype.NS:
            return add(response, name, "NS", *self.servers[name]) if name in self.servers else response
        hosts = {host.rstrip("."): address for hosts in self.servers.values() for host, address in hosts.items()}
        return add(response, name, "A", hosts.get(name, FAR))


@pytest.fixture
def settings(edge: SimulatedCloudFront) -> Settings:
    return Settings.from_environment(edge.settings() | {"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t"})


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve.dns_lookup, "SECONDS_PER_QUERY", 0.5)
    monkeypatch.setattr(resolve.edge_nameservers, "SECONDS_PER_TRY", 0.2)


def found(world: World, settings: Settings, domain: str = DOMAIN) -> dict[tuple[str, str], SubnetResponse]:
    with nameserver(world.respond) as server:
        changed = replace(settings, nameservers=(server,), edge_nameserver_port=server.port)
        return addresses_for_subnets([(domain, SUBNET)], changed)


def test_nameservers_of_the_delegation_are_asked_where_the_resolver_drops_the_subnet(settings: Settings) -> None:
    world = World(lambda query, _: scoped(query, NEAR))
    assert found(world, settings) == SERVED_NEAR
    assert world.asked == [DOMAIN]


def test_nameservers_of_the_zone_refer_to_those_of_the_delegation(settings: Settings) -> None:
    def responder(query: dns.message.Message, times: int) -> dns.message.Message:
        return referral(query, DOMAIN, "ns1.example.") if times == 1 else scoped(query, NEAR)

    zones = {"cloudfront.net": {"ns.example.": "127.0.0.1"}, "other": {"ns1.example.": "127.0.0.1"}}
    world = World(responder, zones)
    assert found(world, settings) == SERVED_NEAR
    assert world.asked == [DOMAIN, DOMAIN]


def test_cname_below_cloudfront_is_followed(settings: Settings) -> None:
    def responder(query: dns.message.Message, _: int) -> dns.message.Message:
        if query.question[0].name.to_text() == f"{DOMAIN}.":
            return add(scoped(query), DOMAIN, "CNAME", "group.cloudfront.net.")
        return scoped(query, NEAR)

    world = World(responder, {"cloudfront.net": {"ns.example.": "127.0.0.1"}})
    assert found(world, settings) == SERVED_NEAR
    assert world.asked == [DOMAIN, "group.cloudfront.net"]


def test_truncated_response_is_read_over_tcp(settings: Settings) -> None:
    many = [f"192.0.2.{number}" for number in range(120)]

    def responder(query: dns.message.Message, times: int) -> dns.message.Message:
        if times > 1:
            return scoped(query, *many)
        response = scoped(query)
        response.flags |= dns.flags.TC
        return response

    assert found(World(responder), settings) == {(DOMAIN, SUBNET): SubnetResponse(many, scoped=True)}


def test_next_nameserver_is_asked_where_the_first_does_not_respond(settings: Settings) -> None:
    servers = {"ns1.example.": "127.0.0.2", "ns2.example.": "127.0.0.1"}  # nothing listens at 127.0.0.2
    assert found(World(lambda query, _: scoped(query, NEAR), {DOMAIN: servers}), settings) == SERVED_NEAR


def loop(query: dns.message.Message, _: int) -> dns.message.Message:
    response = add(scoped(query), DOMAIN, "CNAME", "a.cloudfront.net.")
    return add(response, "a.cloudfront.net", "CNAME", f"{DOMAIN}.")


def endless(query: dns.message.Message, times: int) -> dns.message.Message:
    name = query.question[0].name.to_text()
    return add(scoped(query), name, "CNAME", f"d{times}.cloudfront.net.")


def foreign(query: dns.message.Message, _: int) -> dns.message.Message:
    """The answer to another question."""
    response = scoped(query)
    return add(response, "www.example.com", "A", NEAR)


FAULTS: dict[str, Responder] = {
    "silent": lambda _query, _times: None,
    "SERVFAIL": lambda query, _: failing(query, dns.rcode.SERVFAIL),
    "REFUSED": lambda query, _: failing(query, dns.rcode.REFUSED),
    "a loop of CNAMEs": loop,
    "CNAMEs without end": endless,
    "referrals without end": lambda query, _: referral(query, DOMAIN, "ns1.example."),
    "a referral to another zone": lambda query, _: referral(query, "example.com", "ns1.example."),
    "another name's address": foreign,
    "no client subnet": lambda query, _: answer_with(query, FAR),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_resolver_responds_where_the_nameservers_do_not(fault: str, settings: Settings) -> None:
    began = time.monotonic()
    world = World(
        FAULTS[fault], {DOMAIN: {"ns1.example.": "127.0.0.1"}, "cloudfront.net": {"ns1.example.": "127.0.0.1"}}
    )
    assert found(world, settings) == SERVED_FAR
    assert 0 < len(world.asked) <= resolve.edge_nameservers.STEPS_AT_MOST
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.2", "169.254.169.253", "100.64.0.1", "224.0.0.1"])
def test_nameserver_without_a_public_address_is_not_asked(address: str, settings: Settings) -> None:
    world = World(lambda query, _: scoped(query, NEAR), {DOMAIN: {"ns1.example.": address}})
    networks = tuple(each for each in settings.edge_networks or () if not each.is_loopback)
    assert found(world, replace(settings, edge_networks=networks)) == SERVED_FAR
    assert world.asked == []


def test_host_of_another_domain_is_left_to_the_resolver(settings: Settings) -> None:
    world = World(lambda query, _: scoped(query, NEAR))
    assert found(world, settings, "www.example.com") == {("www.example.com", SUBNET): SubnetResponse([FAR], False)}
    assert world.asked == []


def test_queries_end_when_their_time_ends(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve.dns_lookup, "SECONDS_PER_QUERY", 20.0)
    monkeypatch.setattr(resolve.subnet_lookup, "SECONDS_AT_MOST", 1.0)
    world = World(lambda query, times: scoped(query, NEAR) if times == 1 else None)

    def without_addresses(query: dns.message.Message, times: int) -> dns.message.Message | None:
        (question,) = query.question
        is_address = question.rdtype == dns.rdatatype.A and question.name.to_text() == f"{DOMAIN}."
        return None if is_address and query.flags & dns.flags.RD else world.respond(query, times)

    queries = [(DOMAIN, f"198.51.{number}.0/24") for number in range(100)]
    began = time.monotonic()
    with nameserver(without_addresses) as server:
        changed = replace(settings, nameservers=(server,), edge_nameserver_port=server.port)
        responses = addresses_for_subnets(queries, changed)
    assert time.monotonic() - began < 5
    assert responses.keys() == set(queries)
    assert [each for each in responses.values() if each != NO_RESPONSE] == [SubnetResponse([NEAR], scoped=True)]


@pytest.fixture(scope="module")
def cloudfront() -> Iterator[SimulatedCloudFront]:
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": ["FRA50-C1", "DXB50-C1"],
        "client_subnets": {client_subnets()["DOH"]: "DXB50-C1"},
    }
    with strict_cloudfront(config) as running:
        yield running


def test_simulated_resolver_drops_the_subnet_and_its_nameservers_use_it(cloudfront: SimulatedCloudFront) -> None:
    environment = cloudfront.settings() | {"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t"}
    query = (DOMAIN, client_subnets()["DOH"])
    direct = addresses_for_subnets([query], Settings.from_environment(environment))[query]
    elsewhere = replace(Settings.from_environment(environment), edge_nameserver_port=9)
    resolved = addresses_for_subnets([query], elsewhere)[query]
    assert direct.scoped
    assert not resolved.scoped
    assert direct.addresses != resolved.addresses
