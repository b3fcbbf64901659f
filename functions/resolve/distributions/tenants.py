"""Tenants of multi-tenant distributions: their domains and their connection groups' routing endpoints."""

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from resolve.distributions.model import Distribution

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


# Parallel look-ups; CloudFront's control plane accepts a few calls a second per account.
LOOKUPS_AT_ONCE = 4


class Tenants:
    """The account's distribution tenants by the domains looked up; each is requested once."""

    def __init__(self, client: "CloudFrontClient") -> None:
        self._client = client
        self.found: dict[str, Distribution | None] = {}
        self._routing_endpoint = functools.cache(self._endpoint)

    def look_up(self, domains: Sequence[str], seconds: float) -> list[str]:
        """Look up the tenants of domains; returns the domains that so many seconds were not enough for.

        Calls that have begun by then end by themselves; their results are not used.
        """
        new = [domain for domain in dict.fromkeys(domains) if domain not in self.found]
        pool = ThreadPoolExecutor(LOOKUPS_AT_ONCE)
        try:
            calls = {pool.submit(self._of_domain, domain): domain for domain in new}
            done, late = wait(calls, timeout=seconds)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        self.found |= {calls[call]: call.result() for call in done}
        return [calls[call] for call in late]

    def _of_domain(self, domain: str) -> Distribution | None:
        """Return the tenant that owns a domain, with its connection group's routing endpoint, or None.

        GetDistributionTenantByDomain returns tenants by the domains that they list; a domain that CloudFront has not
        activated yet serves no viewers (DomainResult, Status `inactive`).
        """
        try:
            tenant = self._client.get_distribution_tenant_by_domain(Domain=domain)["DistributionTenant"]
        except self._client.exceptions.EntityNotFound:
            return None
        domains = {each["Domain"].lower(): each.get("Status", "active") for each in tenant.get("Domains", [])}
        if domains.get(domain) != "active":
            return None
        endpoint, endpoint_enabled = self._routing_endpoint(tenant["ConnectionGroupId"])
        return Distribution(
            id=tenant["DistributionId"],
            domain=endpoint,
            aliases=tuple(domains),
            enabled=bool(tenant.get("Enabled", True)) and endpoint_enabled,
            tenant=tenant["Id"],
        )

    def _endpoint(self, connection_group: str) -> tuple[str, bool]:
        """Return a connection group's routing endpoint (`d….cloudfront.net`), and whether it is enabled."""
        group = self._client.get_connection_group(Identifier=connection_group)["ConnectionGroup"]
        return group["RoutingEndpoint"].lower(), bool(group.get("Enabled", True))
