"""From a checked request to a drawn plan: the questions to CloudFront, to DNS and to the edges themselves."""

import time

from prewarm import __version__
from prewarm.catalogue import catalogue, published_edge_networks
from prewarm.fetch import Fetcher
from prewarm.plan import Skipped
from prewarm.request import CheckedRequest
from prewarm.settings import Settings
from resolve.distributions import account_distributions, distribution_of_hosts
from resolve.lookup import addresses_of, pop_name
from resolve.placement import Placement, choose_pops
from resolve.planner import Drawn, draw, place
from resolve.probe import Probe, probe_all


def resolve(run: str, request: CheckedRequest, settings: Settings) -> Drawn:
    """Find every URL's distribution and every POP's addresses, probe them, and draw up the plan."""
    # A stored request may wait; the run's time starts when its work does.
    started_at = time.time()
    hosts = {url.host for url in request.urls}
    found = distribution_of_hosts(hosts, account_distributions(), request.fields.cf_domain)
    placements, unplaced = place(request, found)
    warnings = choose_pops(placements, request, catalogue())
    steer(placements, request, settings)
    return draw(run, started_at, request, placements, unplaced, catalogue(), warnings)


def steer(placements: list[Placement], request: CheckedRequest, settings: Settings) -> None:
    """Ask DNS for every POP's addresses, and each POP whether it is the one."""
    names = {(p.distribution.prefix, pop): pop_name(p.distribution.prefix, pop) for p in placements for pop in p.pops}
    answers = addresses_of(list(names.values()), settings)
    networks = settings.edge_networks or published_edge_networks()
    for placement in placements:
        for pop in placement.pops:
            placement.take_addresses(pop, answers[names[placement.distribution.prefix, pop]], networks)
    probes = [
        (placement, Probe(pop, addresses, placement.probe_url()))
        for placement in placements
        for pop, addresses in placement.addresses.items()
    ]
    agent = request.fields.user_agent or f"CloudFront-Prewarm/{__version__}"
    probe_all([probe for _, probe in probes], Fetcher(settings), agent)
    for placement, probe in probes:
        if probe.failure:
            placement.unfit[probe.pop] = Skipped(probe.pop, probe.failure, probe.detail)
