"""The configuration of the simulated CloudFront: typed, read from JSON, and validated."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

POP_NAME = re.compile(r"[A-Z]{3}\d{1,3}-[A-Z]\d{1,3}")
DOMAIN = re.compile(r"[a-z0-9]+\.cloudfront\.net")
HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)+")
STATUSES = range(200, 600)
ADDRESSES_PER_POP = range(1, 5)
TLS_FAULTS = ("expired", "wrong_name")
FIRST_ADDRESS = ipaddress.IPv4Address("127.64.0.1")
T = TypeVar("T")


class ConfigError(ValueError):
    """The configuration is invalid; the message names the field and its valid values."""


@dataclass(frozen=True)
class Distribution:
    """A distribution.

    `aliases` are alternate domain names; a leading `*.` is a wildcard for one label. `server_timing`: the response
    headers policy has Server-Timing enabled, at a sampling rate of `server_timing_rate` percent.
    `config`: CloudFront's DistributionConfig in the JSON form of its API; without it, one cache behaviour with all
    query strings and the Accept-Encoding in its key.
    """

    domain: str
    aliases: tuple[str, ...] = ()
    server_timing: bool = False
    server_timing_rate: float = 100
    config: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Reject names that a distribution cannot have."""
        if not DOMAIN.fullmatch(self.domain):
            raise ConfigError(f"distributions.domain: {self.domain!r} is not like d111abc.cloudfront.net")
        for alias in self.aliases:
            if not HOST.fullmatch(alias):
                raise ConfigError(f"distributions.aliases: {alias!r} is not a lower-case host name")
        if not 0 <= (rate := self.server_timing_rate) <= 100:  # noqa: PLR2004
            raise ConfigError(f"distributions.server_timing_rate: {rate} is not between 0 and 100")

    @property
    def prefix(self) -> str:
        """The `d111abc` of `d111abc.cloudfront.net`."""
        return self.domain.partition(".")[0]


@dataclass(frozen=True)
class StoredObject:
    """An object at the origin.

    `size` is in bytes, `ttfb_ms` in milliseconds before its first byte.
    `document`: fixed content in base64, which determines the size; otherwise the content follows from the ETag.
    `cors`: the origin adds CORS headers where the request has Origin, as an S3 bucket does.
    """

    size: int = 1024
    document: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None
    chunked: bool = False
    fault: str | None = None
    ttfb_ms: float = 0
    revision: int = 0
    cors: bool = False

    def __post_init__(self) -> None:
        """Reject values that are impossible in an HTTP response."""
        if self.size < 0:
            raise ConfigError(f"objects.size: {self.size} is negative")
        if self.status not in STATUSES:
            raise ConfigError(f"objects.status: {self.status} is not between {STATUSES[0]} and {STATUSES[-1]}")


@dataclass(frozen=True)
class EdgeConfig:
    """The whole simulated CloudFront.

    TTLs and timeouts in seconds, latencies in milliseconds; port 0: any free.
    `more_addresses`: the number of addresses of POPs that have another one than `addresses_per_pop`.
    `regional_collapsing`: a regional edge cache combines concurrent fetches of a key into one;
    `client_subnets`: client networks, each with the POP that DNS returns for it (EDNS client subnet), to queries of
    CloudFront's own nameservers (without RD), and of a resolver if `resolver_passes_subnets`. `pop_names`: whether
    `d111abc.NRT57-P3.cloudfront.net` resolves.
    `cache_policies`: CachePolicyConfig objects by id, for the distributions' `config`.
    `origin_shield`: the area whose regional edge cache is the Origin Shield. `regional_bypass`: areas whose POPs ask
    the origin directly (an S3 bucket in the same Region). `separate_servers`: each address has its own cache.
    `head_serves_get`: a HEAD is fetched as a GET and its copy serves both; otherwise its copy serves HEAD only.
    `origin_attempts`, `connection_timeout`: of distributions without `config`; `second_origin_fails`: an origin
    group's second origin has the faults of the first. `origin_compresses`: the origin compresses text itself.
    `revalidating_x_cache`: X-Cache of a copy served while it is revalidated; `waf_x_cache`: of AWS WAF's answers,
    empty for none. `expires_keeps_4xx`, `zero_keeps_4xx`: a 400, 403, 405, 412 or 415 is cached with Expires alone,
    and with a lifetime of 0. `origin_request_policies`: OriginRequestPolicyConfig objects by id.
    """

    distributions: tuple[Distribution, ...]
    pops: tuple[str, ...]
    areas: Mapping[str, str] = field(default_factory=dict)
    addresses_per_pop: int = 1
    more_addresses: Mapping[str, int] = field(default_factory=dict)
    dark: tuple[str, ...] = ()
    impostors: Mapping[str, str] = field(default_factory=dict)
    tls_faults: Mapping[str, str] = field(default_factory=dict)
    http1_only: tuple[str, ...] = ()
    objects: Mapping[str, StoredObject] = field(default_factory=dict)
    default_object: StoredObject | None = None
    default_ttl: float = 86400
    error_ttl: float = 10
    origin_ttfb_ms: float = 0
    origin_timeout: float = 30
    edge_latency_ms: float = 0
    regional_hits_visible: bool = True
    regional_collapsing: bool = True
    https_port: int = 0
    http_port: int = 0
    dns_port: int = 0
    client_subnets: Mapping[str, str] = field(default_factory=dict)
    resolver_passes_subnets: bool = True
    pop_names: bool = True
    cache_policies: Mapping[str, Any] = field(default_factory=dict)
    origin_shield: str | None = None
    regional_bypass: tuple[str, ...] = ()
    separate_servers: bool = False
    head_serves_get: bool = False
    origin_attempts: int = 1
    connection_timeout: float = 10
    second_origin_fails: bool = False
    origin_compresses: bool = True
    revalidating_x_cache: str = "RefreshHit"
    waf_x_cache: str = "Error"
    expires_keeps_4xx: bool = False
    zero_keeps_4xx: bool = False
    origin_request_policies: Mapping[str, Any] = field(default_factory=dict)
    ca_bundle: str | None = None

    def __post_init__(self) -> None:
        """Check values that depend on several fields."""
        if not self.distributions:
            raise ConfigError("distributions: at least one is needed")
        for fault in self.tls_faults.values():
            if fault not in TLS_FAULTS:
                raise ConfigError(f"tls_faults: {fault!r} is not one of {', '.join(TLS_FAULTS)}")
        for target in self.objects:
            if not target.startswith("/"):
                raise ConfigError(f"objects: {target!r} does not begin with /")
        self._check_pops()

    def _check_pops(self) -> None:
        if not self.pops:
            raise ConfigError("pops: at least one is needed")
        if len(set(self.pops)) != len(self.pops):
            raise ConfigError("pops: a name is listed twice")
        for name in (*self.pops, *self.impostors.values()):
            if not POP_NAME.fullmatch(name):
                raise ConfigError(f"pops: {name!r} is not like NRT57-P3")
        pops = set(self.pops)
        if unknown := sorted(set(self.client_subnets.values()) - pops):
            raise ConfigError(f"client_subnets: not among pops: {', '.join(unknown)}")
        for name in ("areas", "more_addresses", "dark", "impostors", "tls_faults", "http1_only"):
            if unknown := sorted(set(getattr(self, name)) - pops):
                raise ConfigError(f"{name}: not among pops: {', '.join(unknown)}")
        if {self.addresses_per_pop, *self.more_addresses.values()} - set(ADDRESSES_PER_POP):
            raise ConfigError(f"addresses_per_pop: must be {ADDRESSES_PER_POP[0]} to {ADDRESSES_PER_POP[-1]}")

    def addresses(self) -> dict[str, list[str]]:
        """Return the loopback addresses of each POP, in the fixed order of DNS responses."""
        addresses, last = {}, 0
        for pop in self.pops:
            count = self.address_count(pop)
            addresses[pop] = [str(FIRST_ADDRESS + last + number) for number in range(count)]
            last += count
        return addresses

    def address_count(self, pop: str) -> int:
        """Return how many addresses a POP has."""
        return self.more_addresses.get(pop, self.addresses_per_pop)

    def area(self, pop: str) -> str:
        """Return the name of the POP's regional edge cache."""
        return self.areas.get(pop, "default")


def _build(kind: type[T], raw: object, where: str) -> T:
    """Return a dataclass made from a JSON object, with lists as tuples.

    Rejects unknown fields.
    """
    if not isinstance(raw, dict):
        raise ConfigError(f"{where}: must be an object")
    names = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(raw) - names):
        raise ConfigError(f"{where}: unknown field {', '.join(unknown)}; valid: {', '.join(sorted(names))}")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}
    try:
        return kind(**values)
    except TypeError as error:  # a required field is missing, or has the wrong JSON type
        raise ConfigError(f"{where}: {error}") from None


def read_object(raw: object, where: str = "object") -> StoredObject:
    """Return an object at the origin from its JSON form. May raise ConfigError."""
    return _build(StoredObject, raw, where)


def read_config(raw: Mapping[str, Any]) -> EdgeConfig:
    """Return the whole configuration from its JSON form. May raise ConfigError."""
    values = dict(raw)
    distributions = values.get("distributions", [])
    if not isinstance(distributions, list):
        raise ConfigError("distributions: must be a list")
    values["distributions"] = [_build(Distribution, entry, "distributions") for entry in distributions]
    objects = values.get("objects", {})
    if not isinstance(objects, dict):
        raise ConfigError("objects: must be an object of path: object")
    values["objects"] = {target: read_object(entry, f"objects[{target}]") for target, entry in objects.items()}
    if values.get("default_object") is not None:
        values["default_object"] = read_object(values["default_object"], "default_object")
    return _build(EdgeConfig, values, "config")


def load_config(path: Path) -> EdgeConfig:
    """Return the configuration in a file. May raise ConfigError."""
    try:
        raw = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: must contain a JSON object")
    return read_config(raw)
