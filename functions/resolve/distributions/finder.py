"""The directory of distributions: which one serves each host, as the CloudFront API and the operator's setting allow.

The edge routes by Host header. So a URL is only ever fetched through a distribution that the API says names the URL's
host: anything less lets a caller warm, or hammer, somebody else's site through an address of ours. A CNAME is a hint
for people; it counts only where the operator has set AllowedDistributions to `any`.
"""

import functools
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from prewarm.errors import InvalidRequest, Problem
from prewarm.settings import ANY_DISTRIBUTION, Settings
from resolve.distributions.cnames import cname_chains
from resolve.distributions.model import DOMAIN_SUFFIX, Distribution, closest, why_idle
from resolve.distributions.tenants import Tenants

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

# CloudFront's control plane answers a few calls a second per account; adaptive retries find out how many.
LOOKUPS_AT_ONCE = 4
NOT_ALLOWED = "is not among the distributions that this service may warm (AllowedDistributions)"


@dataclass(frozen=True)
class Found:
    """The distribution (or tenant) of each host that has one, and in words why the others have none."""

    distributions: dict[str, Distribution] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


class Directory:
    """What one run knows of distributions; every question to CloudFront and to DNS is asked once."""

    def __init__(self, settings: Settings, client: "CloudFrontClient | None" = None) -> None:
        self._settings = settings
        self._allowed = settings.allowed_distributions
        self._client = client or boto3.client(
            "cloudfront", config=Config(retries={"mode": "adaptive", "max_attempts": 10})
        )
        self._tenants = Tenants(self._client)
        self._chains: dict[str, list[str]] = {}
        self._known: dict[tuple[str, str | None], Distribution | str] = {}

    @functools.cached_property
    def listed(self) -> list[Distribution]:
        """All distributions of the account (ListDistributions, every page)."""
        return [
            Distribution(
                id=item["Id"],
                domain=item["DomainName"].lower(),
                aliases=tuple(alias.lower() for alias in item["Aliases"].get("Items", [])),
                enabled=item["Enabled"],
                staging=item.get("Staging", False),
                price_class=item.get("PriceClass", ""),
                multi_tenant=item.get("ConnectionMode") == "tenant-only",
            )
            for page in self._client.get_paginator("list_distributions").paginate()
            for item in page["DistributionList"].get("Items", [])
        ]

    def find(self, hosts: Collection[str], cf_domain: str | None) -> Found:
        """Return the distribution of each host.

        Args:
            hosts: the URLs' hosts in lower case.
            cf_domain: the one distribution (or connection group's routing endpoint) that the request wants, or None.
                A host that another one names more closely is not this one's, even if a wildcard of its covers it.

        Raises:
            InvalidRequest: `cf_domain` is none that may be warmed.

        """
        if cf_domain is not None:
            self._check_wanted(cf_domain)
        new = [host for host in dict.fromkeys(hosts) if (host, cf_domain) not in self._known]
        self._look_up(new)
        for host in new:
            self._known[host, cf_domain] = self._find(host, cf_domain)
        found = Found()
        for host in hosts:
            known = self._known[host, cf_domain]
            if isinstance(known, Distribution):
                found.distributions[host] = known
            else:
                found.reasons[host] = known
        return found

    def _trusting(self) -> bool:
        return self._allowed == ANY_DISTRIBUTION

    def _allows(self, distribution: Distribution) -> bool:
        if not isinstance(self._allowed, tuple):
            return True
        parents = {each.domain for each in self.listed if each.id == distribution.id}
        return distribution.domain in self._allowed or not parents.isdisjoint(self._allowed)

    def _check_wanted(self, cf_domain: str) -> None:
        """Refuse a `cf_domain` that no URL could be warmed through."""
        listed = next((each for each in self.listed if each.domain == cf_domain), None)
        if listed is None and (self._trusting() or any(each.multi_tenant for each in self.listed)):
            # It may be a connection group's routing endpoint, which is in no list: its tenants' domains tell.
            return
        if listed is None:
            message = "is no distribution of this account"
        elif not listed.serves_viewers:
            message = why_idle(listed)
        elif not self._allows(listed):
            message = NOT_ALLOWED
        else:
            return
        raise InvalidRequest([Problem("cf_domain", f"{cf_domain} {message}")])

    def _look_up(self, hosts: list[str]) -> None:
        """Ask about all hosts at once what has to be asked host by host."""
        unknown = [host for host in hosts if closest(host, self.listed) is None]
        own = [host for host in unknown if not host.endswith(DOMAIN_SUFFIX)]
        self._chains |= cname_chains(own, self._settings)
        if any(each.multi_tenant for each in self.listed):
            with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
                list(pool.map(self._tenants.of_domain, unknown))

    def _find(self, host: str, cf_domain: str | None) -> Distribution | str:
        """Return one host's distribution, or why it has none."""
        named = closest(host, (each for each in self.listed if each.serves_viewers))
        if named is None and closest(host, self.listed) is None:
            named = self._tenant(host)
        if named is not None and not named.enabled:
            return f"{host} is a domain of the tenant {named.tenant}, which is disabled; enable it first"
        if named is None and self._trusting():
            named = self._trusted(host, cf_domain)
        if named is None:
            return self._why_none(host)
        if not self._allows(named):
            return f"{host} is served by {named.domain}, which {NOT_ALLOWED}"
        if cf_domain not in (None, named.domain):
            return f"{host} is served by {named.domain}, not by the cf_domain {cf_domain}"
        return named

    def _tenant(self, host: str) -> Distribution | None:
        if not any(each.multi_tenant for each in self.listed):
            return None
        return self._tenants.of_domain(host)

    def _trusted(self, host: str, cf_domain: str | None) -> Distribution | None:
        """Take a name on trust (AllowedDistributions `any`): the wanted domain, the host itself, its CNAME."""
        named = cf_domain or (host if host.endswith(DOMAIN_SUFFIX) else self._cloudfront_name(host))
        if named is None:
            return None
        listed = next((each for each in self.listed if each.domain == named), None)
        return replace(listed, aliases=()) if listed else Distribution(id="", domain=named, aliases=())

    def _cloudfront_name(self, host: str) -> str | None:
        return next((name for name in self._chains.get(host, ()) if name.endswith(DOMAIN_SUFFIX)), None)

    def _why_none(self, host: str) -> str:
        idle = closest(host, self.listed)
        if idle is not None:
            return f"{host} belongs to {idle.domain}, which {why_idle(idle)}"
        hint = self._cloudfront_name(host)
        if hint is None:
            return f"no distribution of this account names {host}, and DNS does not lead it to CloudFront"
        mine = next((each for each in self.listed if each.domain == hint), None)
        if mine is not None:
            return f"DNS leads {host} to {hint}, but that distribution does not list it; add it to its aliases"
        return f"DNS leads {host} to {hint}, which is no distribution of this account"
