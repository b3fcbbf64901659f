"""The properties of a CloudFront distribution in the embedded account."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from prewarm_local.edge.strict import CACHE_POLICY, POLICY_ID
from prewarm_local.stack.managed_policies import MANAGED_POLICIES, ORIGIN_REQUEST_POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prewarm_local.stack.moto_cloudfront import Tenant

# The domain name that CloudFront assigns to a distribution or to a connection group (Developer Guide).
DOMAIN = re.compile(r"[a-z0-9]+\.cloudfront\.net", re.ASCII)
HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}", re.ASCII)

# CloudFront's defaults (API Reference, Origin and CustomOriginConfig).
ORIGIN: dict[str, Any] = {
    "Id": "origin",
    "DomainName": "origin.invalid",
    "ConnectionAttempts": 3,
    "ConnectionTimeout": 10,
    "CustomOriginConfig": {
        "HTTPPort": 80,
        "HTTPSPort": 443,
        "OriginProtocolPolicy": "https-only",
        "OriginReadTimeout": 30,
        "OriginKeepaliveTimeout": 5,
    },
}


@dataclass(frozen=True)
class Distribution:
    """A CloudFront distribution to create in the embedded account.

    A distribution with tenants is multi-tenant. `behaviour` extends the default cache behaviour, `behaviours` are
    further ones, `settings` are further fields of the DistributionConfig, all in the API's format; `policies` are the
    configurations of its policies by id, of all kinds. `server_timing`: its response headers policy has Server-Timing
    enabled. `account`: the id of another account that has it, empty for the stack's own.
    """

    domain: str
    aliases: tuple[str, ...] = ()
    enabled: bool = True
    staging: bool = False
    price_class: str = "PriceClass_All"
    tenants: tuple[Tenant, ...] = ()
    behaviour: Mapping[str, Any] = field(default_factory=dict)
    behaviours: tuple[Mapping[str, Any], ...] = ()
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    server_timing: bool = False
    account: str = ""

    def config(self) -> dict[str, Any]:
        """Return the DistributionConfig that GetDistributionConfig returns.

        Without other settings there is one origin, and a cache policy with all query strings and both encodings.
        """
        aliases = {"Quantity": len(self.aliases), "Items": list(self.aliases)}
        common = {"TargetOriginId": "origin", "ViewerProtocolPolicy": "allow-all"}
        legacy = self.behaviour.keys() & {"CachePolicyId", "ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL"}
        default = common if legacy else common | {"CachePolicyId": POLICY_ID, "Compress": True}
        return {
            "CallerReference": self.domain,
            "Aliases": aliases if self.aliases else {"Quantity": 0},
            "Origins": {"Quantity": 1, "Items": [dict(ORIGIN)]},
            "OriginGroups": {"Quantity": 0},
            "DefaultCacheBehavior": {**default, **self.behaviour},
            "CacheBehaviors": {
                "Quantity": len(self.behaviours),
                "Items": [{**common, **each} for each in self.behaviours],
            },
            "CustomErrorResponses": {"Quantity": 0},
            "PriceClass": self.price_class,
            "Comment": "embedded",
            "Enabled": self.enabled,
        } | dict(self.settings)

    def simulated(self) -> list[dict[str, Any]]:
        """Return the distributions of a simulated CloudFront that behave as this one: one, or one per endpoint."""
        hosts: dict[str, list[str]] = {}
        for tenant in self.tenants:
            hosts.setdefault(tenant.routing_endpoint, []).extend(tenant.domains)
        names = hosts or {self.domain: list(self.aliases)}
        more = {"config": self.config(), "server_timing": self.server_timing}
        return [{"domain": domain, "aliases": aliases} | more for domain, aliases in names.items()]

    @classmethod
    def parse(cls, text: str) -> Distribution:
        """Parse `d111abc.cloudfront.net=www.example.com,*.img.example.com`; the aliases are optional.

        Raises:
            ValueError: the text is not such a list; the message says what to write.

        """
        domain, equals, rest = (part.strip().lower().removesuffix(".") for part in text.partition("="))
        aliases = tuple(alias.strip().removesuffix(".") for alias in rest.split(",") if alias.strip())
        if not DOMAIN.fullmatch(domain):
            host = domain if HOST.fullmatch(domain) else "www.example.com"
            raise ValueError(
                f"{domain!r} is not a distribution's domain name, such as d111abc.cloudfront.net; "
                f"write d111abc.cloudfront.net={host} with your distribution's own name"
            )
        if equals and not aliases:
            raise ValueError(f"{text!r} has no host after the =; write {domain}=www.example.com")
        if wrong := next((alias for alias in aliases if not HOST.fullmatch(alias.removeprefix("*."))), None):
            raise ValueError(f"{wrong!r} is not a host name; write {domain}=www.example.com")
        return cls(domain, aliases)

    def serves(self, host: str) -> bool:
        """Return whether a host is the distribution's own name or one of its aliases; `*.` stands for any labels."""
        return host == self.domain or any(
            host.endswith(alias[1:]) if alias.startswith("*.") else host == alias for alias in self.aliases
        )


def policies_of(distributions: Iterable[Distribution]) -> dict[str, Mapping[str, Any]]:
    """Return the policies of an account with these distributions by id: CloudFront's managed and their own."""
    return dict(
        MANAGED_POLICIES | ORIGIN_REQUEST_POLICIES | {POLICY_ID: CACHE_POLICY},
        **{policy_id: policy for each in distributions for policy_id, policy in each.policies.items()},
    )


def simulation_of(distributions: Iterable[Distribution]) -> dict[str, Any]:
    """Return `distributions` and the policies of a simulated CloudFront's configuration.

    They are the documents that GetDistributionConfig, GetCachePolicy and GetOriginRequestPolicy return for the same
    distributions in the embedded account, so that the simulation behaves as the functions read.
    """
    enabled = [each for each in distributions if each.enabled]
    policies, origin_request = policies_of(enabled), _origin_request_ids(enabled)
    return {
        "distributions": [entry for each in enabled for entry in each.simulated()],
        "cache_policies": {
            policy_id: each for policy_id, each in policies.items() if policy_id not in origin_request
        },
        "origin_request_policies": {policy_id: policies[policy_id] for policy_id in origin_request},
    }


def _origin_request_ids(distributions: Iterable[Distribution]) -> set[str]:
    """Return the ids of origin request policies: the managed ones, and those that behaviours name."""
    settings = (one for each in distributions for one in (each.behaviour, *each.behaviours))
    return ORIGIN_REQUEST_POLICIES.keys() | {
        each["OriginRequestPolicyId"] for each in settings if "OriginRequestPolicyId" in each
    }
