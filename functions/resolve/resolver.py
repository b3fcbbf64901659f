"""From a checked request to a drawn plan: the questions to CloudFront, to DNS and to the edges themselves."""

import time
from dataclasses import replace

from prewarm import __version__
from prewarm.catalogue import catalogue, published_edge_networks
from prewarm.errors import InvalidRequest, Problem
from prewarm.fetcher.fetcher import Fetcher
from prewarm.planning.plan import Skipped
from prewarm.request.model import CheckedRequest
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from prewarm.tracing import subsegment
from resolve.distributions.config_reader import Configs
from resolve.distributions.finder import Directory, Found
from resolve.dns_lookup import addresses_of, pop_name
from resolve.group_draft import Placement, choose_pops
from resolve.planner import Drawn, draw, place
from resolve.pops.dns_fallback import find_substitutes, take_substitutes
from resolve.pops.probe import Probe, probe_all
from resolve.sources.collect import gather

HOSTS_TOLD = 20


def resolve(run: str, request: CheckedRequest, settings: Settings, store: Storage) -> Drawn:
    """Gather the URLs, find each one's distribution and every POP's addresses, probe them, and draw up the plan."""
    # A stored request may wait; the run's time starts when its work does.
    started_at = time.time()
    directory = Directory(settings)
    with subsegment("read sources", run=run):
        gathered = gather(request, directory, settings, store)
    request = replace(request, urls=gathered.urls)
    with subsegment("find distributions", run=run):
        found = directory.find({url.host for url in request.urls}, request.fields.cf_domain)
        placements, unplaced = place(request, found)
        warnings = [*gathered.warnings, *unplaced_in_words(found)]
        warnings += choose_pops(placements, request, catalogue())
        warnings += Configs().warnings(placements, request.fields)
    with subsegment("probe POPs", run=run):
        warnings += steer(placements, request, settings)
    return draw(run, started_at, request, placements, unplaced, catalogue(), warnings)


def unplaced_in_words(found: Found) -> list[str]:
    """Return why hosts have no distribution: the first few in words, the rest as a count."""
    told = [f"not warmed: {reason}" for _, reason in sorted(found.reasons.items())[:HOSTS_TOLD]]
    rest = len(found.reasons) - HOSTS_TOLD
    return [*told, f"not warmed: {rest} more hosts without a distribution"] if rest > 0 else told


def steer(placements: list[Placement], request: CheckedRequest, settings: Settings) -> list[str]:
    """Ask DNS for every POP's addresses, and each POP whether it is the one; returns warnings.

    Raises:
        InvalidRequest: a selection without any known POP name leads to no POP at all.

    """
    names = {(p.distribution.prefix, pop): pop_name(p.distribution.prefix, pop) for p in placements for pop in p.pops}
    responses = addresses_of(list(names.values()), settings)
    networks = settings.edge_networks or published_edge_networks()
    for placement in placements:
        for pop in placement.pops:
            placement.take_addresses(pop, responses[names[placement.distribution.prefix, pop]], networks)
    probes = [
        (placement, Probe(pop, addresses, placement.probe_url()))
        for placement in placements
        for pop, addresses in placement.addresses.items()
    ]
    agent = request.fields.user_agent or f"CloudFront-Prewarm/{__version__}"
    substitutes, warnings = find_substitutes(placements, request, settings, networks)
    probe_all([*(probe for _, probe in probes), *(each.probe for each in substitutes)], Fetcher(settings), agent)
    for placement, probe in probes:
        if probe.failure:
            placement.unfit[probe.pop] = Skipped(probe.pop, probe.failure, probe.detail)
    warnings = take_substitutes(substitutes, catalogue()) + warnings
    if all(placement.pops for placement in placements):
        return warnings
    why = "; ".join(warnings) or "the catalogue knows no POP there"
    raise InvalidRequest([Problem("region", f"leads to no POP: {why}; choose a country or region near it")])
