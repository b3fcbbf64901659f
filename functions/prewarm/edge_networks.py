"""CloudFront's networks as AWS publishes them: read the list, and judge whether it can be true. Pure.

These networks decide which addresses the service connects to, so a list is used only if it is plausible.
"""

import datetime as dt
import functools
import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prewarm.catalogue import data_text
from prewarm.settings import Network

# The service's name in the list (VPC User Guide, "AWS IP address ranges"). CLOUDFRONT_ORIGIN_FACING is another one.
SERVICE = "CLOUDFRONT"
MOST_NETWORKS = 2_000
# CloudFront's largest network of 2026-08 is a /13; larger ones than these are not credible.
SHORTEST_PREFIXES = {4: 10, 6: 24}
# The share of the shipped networks that must still be listed, and the most addresses that the list may have, as a
# multiple of theirs.
LEAST_SHARE, MOST_TIMES = 0.5, 4
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
# Blocks that are not public (IANA IPv4 and IPv6 Special-Purpose Address Registries), and multicast.
SPECIAL = tuple(
    ipaddress.ip_network(text)
    for text in [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    ]
)
DATE_FORMAT = "%Y-%m-%d-%H-%M-%S"


@dataclass(frozen=True)
class Published:
    """CloudFront's networks, and when AWS published them (`createDate`, as in the list)."""

    created: str
    networks: tuple[Network, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the list as it is stored."""
        texts = [(network.version, str(network)) for network in self.networks]
        return {
            "createDate": self.created,
            "ipv4": [text for version, text in texts if version == 4],  # noqa: PLR2004
            "ipv6": [text for version, text in texts if version == 6],  # noqa: PLR2004
        }


@functools.cache
def shipped() -> Published:
    """Return the networks that ship with the functions (data/edge_networks.json)."""
    document = json.loads(data_text("edge_networks.json"))
    texts = document["ipv4"] + document["ipv6"]
    return Published(document["createDate"], tuple(map(ipaddress.ip_network, texts)))


def read_stored(document: object) -> Published:
    """Return a list in the form of `Published.as_json`.

    Raises:
        ValueError: it is damaged, or implausible.

    """
    if not isinstance(document, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - any damage is a ValueError to the caller
    texts = [*_list(document, "ipv4"), *_list(document, "ipv6")]
    return _checked(document.get("createDate"), texts)


def read_published(document: object) -> Published:
    """Return CloudFront's networks of AWS's `ip-ranges.json`, adjacent ones joined.

    Raises:
        ValueError: it is not such a list, or what it says of CloudFront is implausible.

    """
    if not isinstance(document, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - any damage is a ValueError to the caller
    texts = []
    for name, key in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")):
        for entry in _list(document, name):
            if not isinstance(entry, dict):
                raise ValueError(f"has an entry in {name} that is not an object")  # noqa: TRY004
            if entry.get("service") == SERVICE:
                texts.append(entry.get(key))
    return _checked(document.get("createDate"), texts)


def _list(document: dict[str, Any], name: str) -> list[Any]:
    entries = document.get(name)
    if not isinstance(entries, list):
        raise ValueError(f"has no list {name}")  # noqa: TRY004 - as above
    return entries


def _checked(created: object, texts: Sequence[object]) -> Published:
    """Return the list if it is plausible; raises ValueError that says what is not."""
    try:
        dt.datetime.strptime(str(created), DATE_FORMAT)  # noqa: DTZ007 - only the form is checked
    except ValueError as error:
        raise ValueError(f"has no createDate, but {str(created)[:40]!r}") from error
    if len(texts) > MOST_NETWORKS:
        raise ValueError(f"lists {len(texts):,} networks of CloudFront; at most {MOST_NETWORKS:,} are credible")
    networks: list[Network] = []
    for text in texts:
        try:
            # A number would be read as an address.
            networks.append(ipaddress.ip_network(text if isinstance(text, str) else ""))
        except ValueError as error:
            raise ValueError(f"lists {str(text)[:60]!r}, which is not a network") from error
    for network in networks:
        if problem := _problem(network):
            raise ValueError(f"lists {network}, which {problem}")
    joined = _joined(networks)
    _compare(joined, shipped().networks)
    return Published(str(created), joined)


def _problem(network: Network) -> str:
    shortest = SHORTEST_PREFIXES[network.version]
    if network.prefixlen < shortest:
        return f"is larger than a /{shortest}"
    if any(network.version == block.version and network.overlaps(block) for block in SPECIAL):
        return "is not public"
    if isinstance(network, ipaddress.IPv6Network) and not network.subnet_of(PUBLIC_IPV6):
        return "is not public"
    return ""


def _joined(networks: Sequence[Network]) -> tuple[Network, ...]:
    four = ipaddress.collapse_addresses(each for each in networks if isinstance(each, ipaddress.IPv4Network))
    six = ipaddress.collapse_addresses(each for each in networks if isinstance(each, ipaddress.IPv6Network))
    return (*four, *six)


def _compare(networks: Sequence[Network], known: Sequence[Network]) -> None:
    """Compare IPv4, the family that POPs are reached by, with the shipped networks; raises ValueError."""
    listed = [each for each in networks if isinstance(each, ipaddress.IPv4Network)]
    before = [each for each in known if isinstance(each, ipaddress.IPv4Network)]
    whole = sum(each.num_addresses for each in before)
    if sum(each.num_addresses for each in listed) > MOST_TIMES * whole:
        raise ValueError(f"lists more than {MOST_TIMES} times the addresses of the networks that ship")
    # Both lists are joined, so of two networks that overlap one lies within the other.
    common = sum(
        min(each.num_addresses, other.num_addresses) for each in listed for other in before if each.overlaps(other)
    )
    if common < LEAST_SHARE * whole:
        raise ValueError(f"lists only {common / whole:.0%} of the networks that ship, of {LEAST_SHARE:.0%} at least")
