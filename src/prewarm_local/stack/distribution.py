"""The properties of a CloudFront distribution in the embedded account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prewarm_local.stack.moto_cloudfront import Tenant


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
        """Parse `d111abc.cloudfront.net=www.example.com,*.img.example.com`.

        The aliases are optional.
        May raise ValueError.
        """
        domain, _, aliases = (part.strip() for part in text.partition("="))
        if "." not in domain or "/" in domain:
            raise ValueError(f"{text!r} is not a distribution: write DOMAIN or DOMAIN=ALIAS,ALIAS")
        return cls(domain.lower(), tuple(alias.strip().lower() for alias in aliases.split(",") if alias.strip()))
