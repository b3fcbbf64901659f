"""Distributions as the CloudFront API describes them, and which one serves a host, as the edge chooses it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

DOMAIN_SUFFIX = ".cloudfront.net"


@dataclass(frozen=True, slots=True)
class Distribution:
    """One distribution, or one tenant of a multi-tenant distribution.

    `id`: `E…`, empty if only DNS named it; `domain`: the name to which a POP's is added (`d….cloudfront.net`, for
    a tenant its connection group's routing endpoint); `aliases` in lower case, for a tenant its domains; `tenant`: a
    tenant's id (`dt_…`); `price_class`: as CloudFront names it, empty if there is none or it is unknown; `account`:
    the id of the account that has it, empty for the service's own.
    """

    id: str
    domain: str
    aliases: tuple[str, ...]
    enabled: bool = True
    staging: bool = False
    price_class: str = ""
    tenant: str = ""
    multi_tenant: bool = False
    account: str = ""

    @property
    def prefix(self) -> str:
        """Return the domain's first label, to which a POP's name is added."""
        return self.domain.partition(".")[0]

    @property
    def serves_viewers(self) -> bool:
        """Return whether viewers reach the distribution by its own names.

        A disabled one serves no requests; a staging one only those that its primary's continuous deployment policy
        sends to it (Developer Guide, "Use CloudFront continuous deployment"); a multi-tenant one only those for its
        tenants ("Understand how multi-tenant distributions work").
        """
        return self.enabled and not self.staging and not self.multi_tenant

    def serves(self, host: str) -> int:
        """Return how closely the distribution names a host: 0 for no match, more for a longer alias.

        `*.example.com` covers every subdomain, however deep (Developer Guide, "Using the * wildcard in alternate
        domain names"); an exact name beats any wildcard, a longer wildcard a shorter one.
        """
        if host == self.domain or host in self.aliases:
            return len(host) + 1
        wildcards = (alias[1:] for alias in self.aliases if alias.startswith("*."))
        return max((len(tail) for tail in wildcards if host.endswith(tail)), default=0)


def names_exactly(distribution: Distribution, host: str) -> bool:
    """Return whether a distribution has the host as its domain or as an alias, rather than by a wildcard.

    No other distribution of any account can have the same name (Developer Guide, "Restrictions on using alternate
    domain names"); a wildcard may cover names of other accounts (AWS announcement of 2021-07-08, "New APIs to locate
    and move Alternate Domain Names").
    """
    return distribution.serves(host) > len(host)


class NameIndex:
    """Distributions by their names, fast enough for thousands; if several match equally, the first one counts."""

    def __init__(self, distributions: Iterable[Distribution]) -> None:
        self._exact: dict[str, Distribution] = {}
        self._wild: dict[str, Distribution] = {}
        for each in distributions:
            for name in (each.domain, *each.aliases):
                self._exact.setdefault(name, each)
                if name.startswith("*."):
                    self._wild.setdefault(name[1:], each)

    def closest(self, host: str) -> Distribution | None:
        """Return the distribution that names a host most closely, as the edge chooses it, or None."""
        found = self._exact.get(host)
        start = host.find(".")
        while found is None and start >= 0:
            found = self._wild.get(host[start:])
            start = host.find(".", start + 1)
        return found


def why_idle(distribution: Distribution) -> str:
    """Return why viewers do not reach a distribution by its own names, as a clause that begins with a verb."""
    if distribution.staging:
        return (
            "is a staging distribution, which viewers reach only through its primary's continuous deployment policy; "
            "warm the primary"
        )
    if distribution.multi_tenant:
        return "is a multi-tenant distribution, which serves viewers only through its tenants' domains; warm those"
    return "is disabled; enable it first"
