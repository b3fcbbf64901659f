"""Tenants of multi-tenant distributions: their domains and their connection groups' routing endpoints."""

import functools
from typing import TYPE_CHECKING

from resolve.distributions.model import Distribution

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class Tenants:
    """The account's distribution tenants; each is requested once."""

    def __init__(self, client: "CloudFrontClient") -> None:
        self._client = client
        self.of_domain = functools.cache(self._of_domain)
        self._routing_endpoint = functools.cache(self._endpoint)

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
