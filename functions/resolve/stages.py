"""One distribution's share of a run, as it is put together: its URLs, its POPs, and why POPs cannot be used."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from prewarm.catalogue import Catalogue
from prewarm.errors import InvalidRequest, Problem
from prewarm.planning.plan import Skipped
from prewarm.request.model import CheckedRequest
from prewarm.settings import Network
from prewarm.urls import Url
from resolve.distributions.cache_behaviours import Behaviour
from resolve.distributions.model import Distribution
from resolve.distributions.price_class import outside_price_class

# How many POPs a warning names.
POPS_TOLD = 5
OUTSIDE_PRICE_CLASS = "outside_price_class"


@dataclass
class Placement:
    """One distribution's share of a run.

    `pops`: those to be asked, in the order of the selection; `outside`: those of a country or region to which
    CloudFront sends no viewers; `addresses`: what DNS said of each that can be used; `unfit`: why others cannot;
    `behaviours`: the distribution's cache behaviours, none where its settings are not known.
    """

    distribution: Distribution
    urls: list[Url]
    pops: list[str] = field(default_factory=list)
    outside: list[Skipped] = field(default_factory=list)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    unfit: dict[str, Skipped] = field(default_factory=dict)
    behaviours: list[Behaviour] = field(default_factory=list)

    def probe_url(self) -> str:
        """Return the URL whose host the POPs are asked for: an https one where there is one."""
        return next((url.fetch for url in self.urls if url.scheme == "https"), self.urls[0].fetch)

    def take_addresses(self, pop: str, answered: list[str] | None, networks: Sequence[Network]) -> None:
        """Keep a POP's addresses that lie in the networks of the edge; note why where none is left."""
        if answered is None:
            self.unfit[pop] = Skipped(pop, "dns_silent", "no nameserver answered for its name")
            return
        inside = [address for address in answered if in_networks(address, networks)]
        if inside:
            self.addresses[pop] = inside
        elif answered:
            self.unfit[pop] = Skipped(pop, "outside_edge_networks", ", ".join(answered[:3]))
        else:
            self.unfit[pop] = Skipped(pop, "unresolved_pop", "the name does not resolve")


def in_networks(address: str, networks: Sequence[Network]) -> bool:
    """Say whether an IP address lies in one of the networks."""
    ip = ipaddress.ip_address(address)
    return any(ip in network for network in networks if network.version == ip.version)


def choose_pops(placements: Sequence[Placement], request: CheckedRequest, known: Catalogue) -> list[str]:
    """Choose the POPs through which each distribution can be warmed; returns warnings.

    Viewers are not sent to the POPs outside a distribution's price class, so those of a country or region are left
    out; those asked for by name stay, with a warning.

    Raises:
        InvalidRequest: of a country or region, no POP is left for a distribution.

    """
    warnings, problems = [], []
    for placement in placements:
        distribution = placement.distribution
        outside = outside_price_class(distribution.price_class, request.pops, known)
        if request.fields.kind == "pop":
            placement.pops = list(request.pops)
            if outside:
                some = ", ".join(list(outside)[:POPS_TOLD]) + (" and others" if len(outside) > POPS_TOLD else "")
                whose = f"{distribution.domain} has {distribution.price_class}, which sends no viewers to {some}"
                warnings.append(f"{whose}: {len(outside)} POPs are warmed only because they were asked for")
            continue
        placement.pops = [pop for pop in request.pops if pop not in outside]
        placement.outside = [Skipped(pop, OUTSIDE_PRICE_CLASS, why) for pop, why in outside.items()]
        if placement.outside and not placement.pops and not request.places:
            why = placement.outside[0].detail
            advice = "choose another region, or name POPs (region_type pop) to warm them all the same"
            problems.append(
                Problem("region", f"{distribution.domain} has no POP there that viewers are sent to: {why}; {advice}")
            )
    if problems:
        raise InvalidRequest(problems)
    return warnings
