"""Find the distribution that serves each host, as the CloudFront API and AllowedDistributions permit.

The edge routes by Host header. So a URL is fetched only through a distribution that, by the API, names the URL's
host: otherwise a caller could warm, or overload, another customer's site through an address of the account's
distribution. A CNAME is a hint for the error message; it counts only if AllowedDistributions is `any`.
"""

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from prewarm.errors import InvalidRequest, Problem
from prewarm.settings import ANY_DISTRIBUTION, Settings
from resolve.distributions.accounts import Accounts
from resolve.distributions.cnames import cname_chains
from resolve.distributions.lookup_time import LookupTime, why_unasked
from resolve.distributions.model import DOMAIN_SUFFIX, Distribution, NameIndex, names_exactly, why_idle
from resolve.distributions.tenants import Tenants

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

NOT_ALLOWED = "is not among the distributions that the service may warm (AllowedDistributions)"


@dataclass(frozen=True)
class FoundDistributions:
    """The distribution (or tenant) of each host that has one, and for other hosts the reason as a sentence.

    `unreadable`: a warning for each account of DistributionRoles whose distributions are unknown.
    """

    distributions: dict[str, Distribution]
    reasons: dict[str, str]
    unreadable: tuple[str, ...] = ()


class DistributionFinder:
    """Finds distributions for one run; sends each query to CloudFront and to DNS once.

    `clients`: accounts' clients that exist already; `invalidates`: whether the run removes copies, so that it has to
    be certain which distribution has them.
    """

    def __init__(
        self,
        settings: Settings,
        clients: "Mapping[str, CloudFrontClient] | None" = None,
        *,
        invalidates: bool = False,
    ) -> None:
        self._settings = settings
        self._allowed = settings.allowed_distributions
        self._invalidates = invalidates
        self.accounts = Accounts(settings.distribution_roles, clients)
        self._whose = "the service's accounts" if self.accounts.several else "this account"
        self._tenants = Tenants(self.accounts.client)
        self._time = LookupTime()
        self._chains: dict[str, list[str]] = {}
        self._unasked: dict[str, str] = {}
        self._results: dict[tuple[str, str | None], Distribution | str] = {}

    @property
    def listed(self) -> list[Distribution]:
        """All distributions of all accounts."""
        return self.accounts.listing.distributions

    @property
    def unreadable(self) -> dict[str, str]:
        """Return why accounts are not, or not wholly, known."""
        refused = {account: str(self.accounts.refuse(account, e)) for account, e in self._tenants.refused.items()}
        return self.accounts.listing.unreadable | refused

    @functools.cached_property
    def _names(self) -> NameIndex:
        return NameIndex(self.listed)

    @functools.cached_property
    def _serving(self) -> NameIndex:
        return NameIndex(each for each in self.listed if each.serves_viewers)

    @functools.cached_property
    def _multi_tenant(self) -> list[str]:
        """The accounts with multi-tenant distributions."""
        return list(dict.fromkeys(each.account for each in self.listed if each.multi_tenant))

    def find(self, hosts: Collection[str], cf_domain: str | None) -> FoundDistributions:
        """Return the distribution of each host.

        Args:
            hosts: the URLs' hosts in lower case.
            cf_domain: the one distribution (or connection group's routing endpoint) that the request allows, or None.
                A host that another distribution names more closely has none here, even if a wildcard of `cf_domain`
                covers it.

        Raises:
            InvalidRequest: `cf_domain` may not be warmed, or may be in an account that cannot be read.

        """
        if cf_domain is not None:
            self._check_cf_domain(cf_domain)
        new = [host for host in dict.fromkeys(hosts) if (host, cf_domain) not in self._results]
        self._look_up(new)
        for host in new:
            self._results[host, cf_domain] = self._find(host, cf_domain)
        distributions: dict[str, Distribution] = {}
        reasons: dict[str, str] = {}
        for host in hosts:
            result = self._results[host, cf_domain]
            if isinstance(result, Distribution):
                distributions[host] = result
            else:
                reasons[host] = result
        unreadable = tuple(
            f"{reason}; hosts that only it names are not warmed" for reason in self.unreadable.values()
        )
        return FoundDistributions(distributions, reasons, unreadable)

    def lists(self, host: str) -> bool:
        """Return whether a listed distribution names a host, so that no lookup is needed."""
        return self._names.closest(host) is not None

    def _allows_any(self) -> bool:
        return self._allowed == ANY_DISTRIBUTION

    def _own(self, domain: str) -> Distribution | None:
        return next((each for each in self.listed if each.domain == domain), None)

    def _allows(self, distribution: Distribution) -> bool:
        if not isinstance(self._allowed, tuple):
            return True
        parents = {each.domain for each in self.listed if each.id == distribution.id}
        return distribution.domain in self._allowed or not parents.isdisjoint(self._allowed)

    def _check_cf_domain(self, cf_domain: str) -> None:
        """Raise InvalidRequest for a `cf_domain` through which no URL can be warmed."""
        listed = self._own(cf_domain)
        if listed is None and self._multi_tenant:
            # It may be a connection group's routing endpoint, which no list contains: its tenants' domains decide.
            return
        if listed is None and self.unreadable:
            message = f"is not a distribution of an account that could be read; {self._why_unreadable()}"
        elif listed is None and self._allows_any():
            return
        elif listed is None:
            message = f"is not a distribution of {self._whose}"
        elif not listed.serves_viewers:
            message = why_idle(listed)
        elif not self._allows(listed):
            message = NOT_ALLOWED
        else:
            return
        raise InvalidRequest([Problem("cf_domain", f"{cf_domain} {message}")])

    def _why_unreadable(self) -> str:
        first, *others = self.unreadable.values()
        return f"{first} (and {len(others)} more accounts)" if others else first

    def _look_up(self, hosts: list[str]) -> None:
        """Make the lookups that need one query per host, in parallel."""
        unknown = [host for host in hosts if self._names.closest(host) is None]
        own = [host for host in unknown if not host.endswith(DOMAIN_SUFFIX)]
        with self._time.used() as seconds:
            chains = cname_chains(own, self._settings, seconds)
        self._chains |= chains.found
        self._unasked |= {host: chains.unasked for host in own if host not in chains.found}
        if self._multi_tenant:
            # A tenant's domain is a closer name than a wildcard.
            open_hosts = [host for host in hosts if not self._is_named_exactly(host)]
            with self._time.used() as seconds:
                late = self._tenants.look_up(self._multi_tenant, open_hosts, seconds)
            self._unasked |= dict.fromkeys(late, why_unasked())

    def _is_named_exactly(self, host: str) -> bool:
        named = self._names.closest(host)
        return named is not None and names_exactly(named, host)

    def _find(self, host: str, cf_domain: str | None) -> Distribution | str:
        """Return one host's distribution, or the reason why it has none."""
        distribution = self._serving.closest(host)
        if not self._is_named_exactly(host):
            distribution = self._tenants.found.get(host) or distribution
        if distribution is not None and not distribution.enabled:
            return f"{host} is a domain of the tenant {distribution.tenant}, which is disabled; enable it first"
        if distribution is not None and self._invalidates and (doubt := self._doubt(host, distribution)):
            return doubt
        if distribution is None and self._allows_any():
            distribution = self._unverified(host, cf_domain)
        if distribution is None:
            return self._why_not_found(host)
        if not self._allows(distribution):
            return f"{host} is served by {distribution.domain}, which {NOT_ALLOWED}"
        if cf_domain not in (None, distribution.domain):
            return f"{host} is served by {distribution.domain}, not by the cf_domain {cf_domain}"
        return distribution

    def _doubt(self, host: str, distribution: Distribution) -> str:
        """Return why another distribution may serve a host; invalidating this one would leave its copies."""
        if names_exactly(distribution, host) or not (self.unreadable or host in self._unasked):
            return ""
        why = self._why_unreadable() if self.unreadable else f"its tenant was {self._unasked[host]}"
        return (
            f"{host} is covered by a wildcard of {distribution.domain} only, and another distribution may name it, "
            f"whose copies the run would not invalidate: {why}"
        )

    def _unverified(self, host: str, cf_domain: str | None) -> Distribution | None:
        """Return a distribution without proof (AllowedDistributions `any`): by cf_domain, the host or its CNAME."""
        domain = cf_domain or (host if host.endswith(DOMAIN_SUFFIX) else self._cname_at_cloudfront(host))
        if domain is None:
            return None
        listed = self._own(domain)
        if listed is None and cf_domain and self.unreadable:
            return None
        return replace(listed, aliases=()) if listed else Distribution(id="", domain=domain, aliases=())

    def _cname_at_cloudfront(self, host: str) -> str | None:
        return next((name for name in self._chains.get(host, ()) if name.endswith(DOMAIN_SUFFIX)), None)

    def _why_not_found(self, host: str) -> str:
        idle = self._names.closest(host)
        if idle is not None and (names_exactly(idle, host) or not self.unreadable):
            return f"{host} belongs to {idle.domain}, which {why_idle(idle)}"
        if self.unreadable:
            return (
                f"no distribution of the accounts that could be read has the alias {host}; {self._why_unreadable()}"
            )
        domain = self._cname_at_cloudfront(host)
        if host in self._unasked:
            return f"no distribution of {self._whose} has the alias {host}, and it was {self._unasked[host]}"
        if domain is None:
            return f"no distribution of {self._whose} has the alias {host}, and its DNS does not point to CloudFront"
        if self._own(domain) is not None:
            return f"DNS points {host} to {domain}, but that distribution does not list it; add it to its aliases"
        return f"DNS points {host} to {domain}, which is not a distribution of {self._whose}"
