"""Tenants of multi-tenant distributions: their domains and their connection groups' routing endpoints."""

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

from botocore.exceptions import ClientError

from prewarm.storage.transient import named_errors
from resolve.distributions.accounts import OWN, ClientOf
from resolve.distributions.model import Distribution

# Parallel look-ups in each account; CloudFront's control plane accepts a few calls a second per account.
LOOKUPS_AT_ONCE = 4


class Tenants:
    """The accounts' distribution tenants by the domains looked up; each is requested once in each account.

    `refused`: the errors with which roles of other accounts were refused a call, by account.
    """

    def __init__(self, client_of: ClientOf) -> None:
        self._client_of = client_of
        self.found: dict[str, Distribution | None] = {}
        self.refused: dict[str, ClientError] = {}
        self._routing_endpoint = functools.cache(self._endpoint)

    def look_up(self, accounts: Sequence[str], domains: Sequence[str], seconds: float) -> list[str]:
        """Look up the tenants of domains; returns the domains for which there was not enough time.

        Calls that have begun by then end by themselves; their results are not used.
        """
        new = [domain for domain in dict.fromkeys(domains) if domain not in self.found]
        pools = {account: ThreadPoolExecutor(LOOKUPS_AT_ONCE) for account in accounts}
        try:
            calls = {
                pool.submit(self._tenant, account, domain): (account, domain)
                for domain in new
                for account, pool in pools.items()
            }
            done, late = wait(calls, timeout=seconds)
        finally:
            for pool in pools.values():
                pool.shutdown(wait=False, cancel_futures=True)
        for call in done:
            account, domain = calls[call]
            error = call.exception()
            if isinstance(error, ClientError) and account != OWN:
                self.refused[account] = error
                continue
            if tenant := call.result():
                self.found[domain] = tenant
        unanswered = dict.fromkeys(calls[call][1] for call in late)
        self.found |= {domain: None for domain in new if domain not in unanswered and domain not in self.found}
        return [domain for domain in unanswered if domain not in self.found]

    def _tenant(self, account: str, domain: str) -> Distribution | None:
        with named_errors(f"cloudfront tenant of {domain}"):
            return self._of_domain(account, domain)

    def _of_domain(self, account: str, domain: str) -> Distribution | None:
        """Return the tenant that owns a domain, with its connection group's routing endpoint, or None.

        GetDistributionTenantByDomain returns tenants by the domains that they list; a domain that CloudFront has not
        activated yet serves no viewers (DomainResult, Status `inactive`).
        """
        client = self._client_of(account)
        try:
            tenant = client.get_distribution_tenant_by_domain(Domain=domain)["DistributionTenant"]
        except client.exceptions.EntityNotFound:
            return None
        domains = {each["Domain"].lower(): each.get("Status", "active") for each in tenant.get("Domains", [])}
        if domains.get(domain) != "active":
            return None
        endpoint, endpoint_enabled = self._routing_endpoint(account, tenant["ConnectionGroupId"])
        return Distribution(
            id=tenant["DistributionId"],
            domain=endpoint,
            aliases=tuple(domains),
            enabled=bool(tenant.get("Enabled", True)) and endpoint_enabled,
            tenant=tenant["Id"],
            account=account,
        )

    def _endpoint(self, account: str, connection_group: str) -> tuple[str, bool]:
        """Return a connection group's routing endpoint (`d….cloudfront.net`), and whether it is enabled."""
        group = self._client_of(account).get_connection_group(Identifier=connection_group)["ConnectionGroup"]
        return group["RoutingEndpoint"].lower(), bool(group.get("Enabled", True))
