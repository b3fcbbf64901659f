"""Which distribution serves a host, as the CloudFront API says it.

The edge routes by Host header, so a URL is only ever fetched through a distribution of this account that names the
URL's host: otherwise a caller could warm, or hammer, somebody else's site through an address of ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from prewarm.errors import InvalidRequest, Problem

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution, or one tenant of a multi-tenant distribution.

    `id`: `E…`, empty where only DNS named it; `domain`: the name to which a POP's is added (`d….cloudfront.net`, for
    a tenant its connection group's routing endpoint); `aliases` in lower case, for a tenant its domains; `tenant`: a
    tenant's id (`dt_…`); `price_class`: as CloudFront names it, empty where it is unknown or there is none.
    """

    id: str
    domain: str
    aliases: tuple[str, ...]
    enabled: bool = True
    staging: bool = False
    price_class: str = ""
    tenant: str = ""

    @property
    def prefix(self) -> str:
        """Return the domain's first label, to which a POP's name is added."""
        return self.domain.partition(".")[0]

    def serves(self, host: str) -> int:
        """Say how closely the distribution names a host: 0 not at all, longer aliases more.

        `*.example.com` covers every subdomain, however deep (Developer Guide, "Using the * wildcard in alternate
        domain names"); an exact name beats any wildcard, a longer wildcard a shorter one.
        """
        if host == self.domain or host in self.aliases:
            return len(host) + 1
        wildcards = (alias[1:] for alias in self.aliases if alias.startswith("*."))
        return max((len(tail) for tail in wildcards if host.endswith(tail)), default=0)


def account_distributions(client: "CloudFrontClient | None" = None) -> list[Distribution]:
    """Return all distributions of the account (ListDistributions, every page)."""
    client = client or boto3.client("cloudfront")
    found = []
    for page in client.get_paginator("list_distributions").paginate():
        for item in page["DistributionList"].get("Items", []):
            aliases = tuple(alias.lower() for alias in item["Aliases"].get("Items", []))
            found.append(
                Distribution(
                    id=item["Id"],
                    domain=item["DomainName"].lower(),
                    aliases=aliases,
                    enabled=item["Enabled"],
                    staging=item.get("Staging", False),
                    price_class=item.get("PriceClass", ""),
                )
            )
    return found


def distribution_of_hosts(
    hosts: Iterable[str], distributions: list[Distribution], cf_domain: str | None
) -> dict[str, Distribution]:
    """Return the distribution of each host that has one: the one that names it most closely, as the edge routes it.

    Args:
        hosts: the URLs' hosts in lower case.
        distributions: those of the account.
        cf_domain: the one distribution that the request allows, or None for any of the account. A host that another
            one names more closely is not this one's, even if a wildcard of its covers it.

    Raises:
        InvalidRequest: `cf_domain` is no distribution of the account, or is disabled.

    """
    enabled = [each for each in distributions if each.enabled]
    if cf_domain is not None and all(each.domain != cf_domain for each in enabled):
        disabled = any(each.domain == cf_domain for each in distributions)
        message = "is disabled" if disabled else "is no distribution of this account"
        raise InvalidRequest([Problem("cf_domain", f"{cf_domain} {message}")])
    found = {}
    for host in hosts:
        best = max(enabled, key=lambda each: each.serves(host), default=None)
        if best is not None and best.serves(host) and cf_domain in (None, best.domain):
            found[host] = best
    return found
