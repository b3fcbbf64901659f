"""The simulated CloudFront's DNS over UDP and TCP."""

from collections.abc import Callable

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.support.edge_client import DARK, DOMAIN, HOST, POPS, TOKYO, Client


@pytest.fixture(scope="module")
def ask(client: Client) -> Callable[[str, str], tuple[int, list[str]]]:
    address, _, port = client.edge.settings()["PREWARM_NAMESERVERS"].partition(":")

    def ask(name: str, kind: str = "A") -> tuple[int, list[str]]:
        query = dns.message.make_query(name, kind)
        response = dns.query.udp(query, address, port=int(port), timeout=3)
        assert response.answer == dns.query.tcp(query, address, port=int(port), timeout=3).answer
        return response.rcode(), [record.to_text() for rrset in response.answer for record in rrset]

    return ask


def test_names_of_pops_distributions_and_aliases_resolve(
    client: Client, ask: Callable[..., tuple[int, list[str]]]
) -> None:
    addresses = client.edge.addresses
    assert all(address.startswith("127.64.0.") for pop in POPS for address in addresses[pop])
    for pop in (TOKYO, DARK):
        assert ask(f"d111abc.{pop}.cloudfront.net") == (dns.rcode.NOERROR, addresses[pop])
    assert ask("D222DEF.nrt57-p3.CloudFront.NET") == (dns.rcode.NOERROR, addresses[TOKYO])
    assert ask(f"d111abc.{TOKYO}.cloudfront.net", "AAAA") == (dns.rcode.NOERROR, [])
    assert ask(DOMAIN) == (dns.rcode.NOERROR, addresses[TOKYO])
    assert ask("a.img.example.com") == (dns.rcode.NOERROR, [DOMAIN + ".", *addresses[TOKYO]])
    assert ask(HOST, "CNAME") == (dns.rcode.NOERROR, [DOMAIN + "."])
    for name in ("d111abc.XYZ9-C1.cloudfront.net", f"d999.{TOKYO}.cloudfront.net", "example.com"):
        assert ask(name) == (dns.rcode.NXDOMAIN, [])


def test_ns_records_name_a_nameserver_at_the_same_port(
    ask: Callable[..., tuple[int, list[str]]],
) -> None:
    for name in (DOMAIN, "cloudfront.net"):
        assert ask(name, "NS") == (dns.rcode.NOERROR, ["ns.cloudfront.net."])
    assert ask("ns.cloudfront.net") == (dns.rcode.NOERROR, ["127.0.0.1"])
    assert ask(HOST, "NS") == (dns.rcode.NOERROR, [DOMAIN + "."])
