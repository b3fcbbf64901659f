"""What a CloudFront distribution of the embedded account is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prewarm_local.stack.moto_cloudfront import Tenant


@dataclass(frozen=True)
class Distribution:
    """A CloudFront distribution to put into the account: its own domain, and the hosts it serves besides.

    One with tenants is a multi-tenant distribution. `behaviour` adds to the default cache behaviour, `behaviours` are
    further ones, as the API has them; `policies` are cache policies' configurations by id.
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

    @classmethod
    def parse(cls, text: str) -> Distribution:
        """Read `d111abc.cloudfront.net=www.example.com,*.img.example.com`, aliases optional.

        May raise ValueError.
        """
        domain, _, aliases = (part.strip() for part in text.partition("="))
        if "." not in domain or "/" in domain:
            raise ValueError(f"{text!r} is no distribution: write DOMAIN or DOMAIN=ALIAS,ALIAS")
        return cls(domain.lower(), tuple(alias.strip().lower() for alias in aliases.split(",") if alias.strip()))
