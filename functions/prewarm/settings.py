"""The functions' settings: environment variables, read once into a typed object.

This is a frozen dataclass because importing pydantic-settings adds a quarter of a second to a cold start
(docs/decisions/0003-plain-settings.md).
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from prewarm.distribution_roles import EXTERNAL_ID_NAME, ROLES_NAME, DistributionRole, roles_of
from prewarm.errors import BrokenSetting

# An IP network of either family.
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_STALL_SECONDS = 95
HIGHEST_PORT = 65535
# Which distributions may be warmed: those that the account's CloudFront API lists, or any that DNS resolves to
# CloudFront.
OWN_DISTRIBUTIONS, ANY_DISTRIBUTION = "account", "any"
# Where AWS publishes its networks (VPC User Guide, "AWS IP address ranges"), and the setting's value for never.
PUBLISHED_NETWORKS, OFF = "https://ip-ranges.amazonaws.com/ip-ranges.json", "off"
DISTRIBUTION_DOMAIN = re.compile(r"[a-z0-9]+\.cloudfront\.net", re.ASCII)


@dataclass(frozen=True, slots=True)
class Nameserver:
    """A DNS server: IP address and port."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings.

    - `nameservers`: empty for the system's
    - `edge_networks`: None for CloudFront's published ranges
    - `edge_networks_url`: where these are published, empty to use the shipped and the stored ones only
    - `edge_nameserver_port`: the port of CloudFront's own nameservers; another one than 53 is for simulations
    - `allowed_distributions`: `account`, `any`, or the domains of the distributions that may be warmed
    - `invalidation_patterns`: whether a request may invalidate path patterns (AllowInvalidationPatterns)
    - `url_list_buckets`: buckets from which URL lists are read, in addition to the service's own
    - `notification_topic`: the SNS topic for ended runs, empty for none; `notifications`: `all` or `failures`
    - `api_url`: base of the links in notifications
    - `own_machine`: whether the service runs on a machine of the user, where AWS charges for CloudFront only
    - `distribution_roles`: the roles of further accounts whose distributions may be warmed (DistributionRoles);
      `distribution_external_id`: the external id with which they are assumed
    """

    bucket: str
    table: str
    retention_days: int
    state_machine_arn: str
    resolve_function: str
    allowed_distributions: str | tuple[str, ...]
    invalidation_patterns: bool
    url_list_buckets: tuple[str, ...]
    nameservers: tuple[Nameserver, ...]
    ca_bundle: str | None
    https_port: int
    http_port: int
    edge_networks: tuple[Network, ...] | None
    connect_timeout_ms: int
    stall_seconds: int
    error_cache_seconds: float
    notification_topic: str
    notifications: str
    api_url: str
    own_machine: bool = False
    distribution_roles: tuple[DistributionRole, ...] = ()
    distribution_external_id: str = ""
    edge_networks_url: str = ""
    edge_nameserver_port: int = 53

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read and check the PREWARM_* variables.

        Raises:
            BrokenSetting: a required variable is missing or a value is invalid; the message names the variable.

        """
        return cls(
            bucket=_required(environment, "PREWARM_BUCKET"),
            table=_required(environment, "PREWARM_TABLE"),
            retention_days=_number(environment, "PREWARM_RETENTION_DAYS", 30, 1, 3650),
            state_machine_arn=environment.get("PREWARM_STATE_MACHINE_ARN", ""),
            resolve_function=environment.get("PREWARM_RESOLVE_FUNCTION", ""),
            allowed_distributions=_allowed(environment.get("PREWARM_ALLOWED_DISTRIBUTIONS", "")),
            invalidation_patterns=_flag(environment, "PREWARM_ALLOW_INVALIDATION_PATTERNS"),
            url_list_buckets=_words(environment.get("PREWARM_URL_LIST_BUCKETS", "")),
            nameservers=nameservers_of(environment.get("PREWARM_NAMESERVERS", "")),
            ca_bundle=environment.get("PREWARM_CA_BUNDLE") or None,
            https_port=_number(environment, "PREWARM_HTTPS_PORT", 443, 1, HIGHEST_PORT),
            http_port=_number(environment, "PREWARM_HTTP_PORT", 80, 1, HIGHEST_PORT),
            edge_networks=_networks(environment.get("PREWARM_EDGE_NETWORKS", "")),
            connect_timeout_ms=_number(environment, "PREWARM_CONNECT_TIMEOUT_MS", 5000, 50, 60_000),
            # CloudFront waits 30 s for an origin's response by default and tries three times (Developer Guide,
            # "Response timeout"), so only longer silence is a stall. The default grows with the distribution.
            stall_seconds=_number(environment, "PREWARM_STALL_SECONDS", DEFAULT_STALL_SECONDS, 1, 600),
            # The edge caches a 5xx for 10 s by default (Developer Guide, "How CloudFront processes HTTP 4xx and
            # 5xx status codes"): an earlier retry rereads the cached error.
            error_cache_seconds=_number(environment, "PREWARM_ERROR_CACHE_SECONDS", 10, 0, 600),
            notification_topic=environment.get("PREWARM_NOTIFICATION_TOPIC", ""),
            notifications=environment.get("PREWARM_NOTIFICATIONS", "failures"),
            api_url=environment.get("PREWARM_API_URL", ""),
            own_machine=_flag(environment, "PREWARM_OWN_MACHINE"),
            distribution_roles=roles_of(environment.get(ROLES_NAME, ""), environment.get(EXTERNAL_ID_NAME, "")),
            distribution_external_id=environment.get(EXTERNAL_ID_NAME, ""),
            edge_networks_url=_https_url(environment, "PREWARM_EDGE_NETWORKS_URL", PUBLISHED_NETWORKS),
            edge_nameserver_port=_number(environment, "PREWARM_EDGE_NAMESERVER_PORT", 53, 1, HIGHEST_PORT),
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
        raise BrokenSetting(f"{name} must be a whole number from {least} to {most}, got {text!r}")
    return int(text)


def _flag(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name, "")
    if text not in {"", "true", "false"}:
        raise BrokenSetting(f"{name} must be true or false, got {text!r}")
    return text == "true"


def _https_url(environment: Mapping[str, str], name: str, default: str) -> str:
    """Return an https address, or an empty text for `off`."""
    text = environment.get(name, "") or default
    if text == OFF:
        return ""
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d{1,5})?/[\x21-\x7e]*", text, re.ASCII):
        raise BrokenSetting(f"{name} must be an https address with a path, or {OFF}; got {text!r}")
    return text


def nameservers_of(text: str) -> tuple[Nameserver, ...]:
    """Parse `address[:port][, …]`; an IPv6 address with a port is in square brackets."""
    servers = []
    for part in filter(None, (word.strip() for word in text.split(","))):
        address, _, port = part.rpartition(":") if part.count(":") == 1 or "]:" in part else (part, "", "53")
        try:
            ip = ipaddress.ip_address(address.strip("[]"))
        except ValueError as error:
            raise BrokenSetting(f"PREWARM_NAMESERVERS: {part!r} is not an address such as 192.0.2.1:53") from error
        if not port.isdecimal() or not 1 <= int(port) <= HIGHEST_PORT:
            raise BrokenSetting(f"PREWARM_NAMESERVERS: {part!r} must have a port from 1 to {HIGHEST_PORT}")
        servers.append(Nameserver(str(ip), int(port)))
    return tuple(servers)


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
                f"PREWARM_ALLOWED_DISTRIBUTIONS: {word!r} is not a distribution domain; set {OWN_DISTRIBUTIONS}, "
                f"{ANY_DISTRIBUTION} or a list of domains such as d111abcdef8.cloudfront.net"
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
