"""The properties of a CloudFront distribution in the embedded account."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prewarm_local.stack.moto_cloudfront import Tenant

# The domain name that CloudFront assigns to a distribution or to a connection group (Developer Guide).
DOMAIN = re.compile(r"[a-z0-9]+\.cloudfront\.net", re.ASCII)
HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}", re.ASCII)


@dataclass(frozen=True)
class Distribution:
    """A CloudFront distribution to create in the embedded account.

    A distribution with tenants is multi-tenant. `behaviour` extends the default cache behaviour, `behaviours` are
    further ones, both in the API's format; `policies` are the configurations of cache policies by id.
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

    def config(self) -> dict[str, Any]:
        """Return the DistributionConfig for CreateDistribution, with one origin."""
        aliases = {"Quantity": len(self.aliases), "Items": list(self.aliases)}
        origin = {
            "Id": "origin",
            "DomainName": "origin.invalid",
            "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
        }
        behaviour = {"TargetOriginId": "origin", "ViewerProtocolPolicy": "allow-all"}
        return {
            "CallerReference": self.domain,
            "Aliases": aliases if self.aliases else {"Quantity": 0},
            "Origins": {"Quantity": 1, "Items": [origin]},
            # moto's own default for MaxTTL is 0, which would cache nothing.
            "DefaultCacheBehavior": {**behaviour, "DefaultTTL": 86_400, "MaxTTL": 31_536_000, **self.behaviour},
            "CacheBehaviors": {
                "Quantity": len(self.behaviours),
                "Items": [{**behaviour, **each} for each in self.behaviours],
            },
            "PriceClass": self.price_class,
            "Comment": "embedded",
            "Enabled": self.enabled,
        }

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
