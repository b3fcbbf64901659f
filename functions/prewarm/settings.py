"""The functions' settings: environment variables, read once into a typed object.

A frozen dataclass and not pydantic-settings: that import alone costs a quarter of a second of a cold start
(docs/decisions/0003-plain-settings.md).
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from prewarm.errors import BrokenSetting

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

HIGHEST_PORT = 65535
# Whose sites may be warmed: those that the account's CloudFront API lists, or whatever DNS says is CloudFront.
OWN_DISTRIBUTIONS, ANY_DISTRIBUTION = "account", "any"
DISTRIBUTION_DOMAIN = re.compile(r"[a-z0-9]+\.cloudfront\.net", re.ASCII)


@dataclass(frozen=True, slots=True)
class Nameserver:
    """A DNS server: IP address and port."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings.

    Empty `nameservers`: the system's; `edge_networks` None: CloudFront's published ranges; `allowed_distributions`:
    `account`, `any`, or the domains of those that may be warmed; `url_list_buckets`: those from which lists are read
    beside the service's own; `notices_topic`: who is told of ended runs (empty: nobody), of `all` or of `failures`,
    with links below `api_url`.
    """

    bucket: str
    table: str
    retention_days: int
    state_machine_arn: str
    resolve_function: str
    allowed_distributions: str | tuple[str, ...]
    url_list_buckets: tuple[str, ...]
    nameservers: tuple[Nameserver, ...]
    ca_bundle: str | None
    https_port: int
    http_port: int
    edge_networks: tuple[Network, ...] | None
    connect_timeout_ms: int
    stall_seconds: int
    error_cache_seconds: float
    notices_topic: str
    notices: str
    api_url: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read and check the PREWARM_* variables.

        Raises:
            BrokenSetting: a required variable is missing, or a value cannot be used; names the variable.

        """
        return cls(
            bucket=_required(environment, "PREWARM_BUCKET"),
            table=_required(environment, "PREWARM_TABLE"),
            retention_days=_number(environment, "PREWARM_RETENTION_DAYS", 30, 1, 3650),
            state_machine_arn=environment.get("PREWARM_STATE_MACHINE_ARN", ""),
            resolve_function=environment.get("PREWARM_RESOLVE_FUNCTION", ""),
            allowed_distributions=_allowed(environment.get("PREWARM_ALLOWED_DISTRIBUTIONS", "")),
            url_list_buckets=_words(environment.get("PREWARM_URL_LIST_BUCKETS", "")),
            nameservers=nameservers_of(environment.get("PREWARM_NAMESERVERS", "")),
            ca_bundle=environment.get("PREWARM_CA_BUNDLE") or None,
            https_port=_number(environment, "PREWARM_HTTPS_PORT", 443, 1, HIGHEST_PORT),
            http_port=_number(environment, "PREWARM_HTTP_PORT", 80, 1, HIGHEST_PORT),
            edge_networks=_networks(environment.get("PREWARM_EDGE_NETWORKS", "")),
            connect_timeout_ms=_number(environment, "PREWARM_CONNECT_TIMEOUT_MS", 5000, 50, 60_000),
            # CloudFront waits 30 s for an origin's response by default and tries three times (Developer Guide,
            # "Response timeout"), so silence is only a stall after that.
            stall_seconds=_number(environment, "PREWARM_STALL_SECONDS", 95, 1, 600),
            # The edge caches a 5xx for 10 s by default (Developer Guide, "How CloudFront caches HTTP 4xx and
            # 5xx status codes"): asking sooner rereads the cached error.
            error_cache_seconds=_number(environment, "PREWARM_ERROR_CACHE_SECONDS", 10, 0, 600),
            notices_topic=environment.get("PREWARM_NOTIFICATION_TOPIC", ""),
            notices=environment.get("PREWARM_NOTIFICATIONS", "failures"),
            api_url=environment.get("PREWARM_API_URL", ""),
        )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise BrokenSetting(f"{name} is not set")
    return value


def _number(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise BrokenSetting(f"{name} must be a whole number from {least} to {most}, not {text!r}")
    return int(text)


def nameservers_of(text: str) -> tuple[Nameserver, ...]:
    """Read `address[:port][, …]`; IPv6 addresses with a port in square brackets."""
    found = []
    for part in filter(None, (word.strip() for word in text.split(","))):
        address, _, port = part.rpartition(":") if part.count(":") == 1 or "]:" in part else (part, "", "53")
        try:
            ip = ipaddress.ip_address(address.strip("[]"))
        except ValueError as error:
            raise BrokenSetting(f"PREWARM_NAMESERVERS: {part!r} is no address or address:port") from error
        if not port.isdecimal() or not 1 <= int(port) <= HIGHEST_PORT:
            raise BrokenSetting(f"PREWARM_NAMESERVERS: {part!r} has no port from 1 to {HIGHEST_PORT}")
        found.append(Nameserver(str(ip), int(port)))
    return tuple(found)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _allowed(text: str) -> str | tuple[str, ...]:
    words = _words(text.lower())
    if words in {(), (OWN_DISTRIBUTIONS,)}:
        return OWN_DISTRIBUTIONS
    if words == (ANY_DISTRIBUTION,):
        return ANY_DISTRIBUTION
    for word in words:
        if not DISTRIBUTION_DOMAIN.fullmatch(word):
            raise BrokenSetting(
                f"PREWARM_ALLOWED_DISTRIBUTIONS: {word!r} is no domain such as d111abcdef8.cloudfront.net; "
                f"the setting is {OWN_DISTRIBUTIONS}, {ANY_DISTRIBUTION} or a list of such domains"
            )
    return words


def _networks(text: str) -> tuple[Network, ...] | None:
    words = _words(text)
    if not words:
        return None
    try:
        return tuple(ipaddress.ip_network(word) for word in words)
    except ValueError as error:
        raise BrokenSetting(f"PREWARM_EDGE_NETWORKS: {error}") from error
