"""From a checked request to a planned run: collect, match, choose, inspect, locate, probe, plan."""

import time
from dataclasses import replace

from prewarm.request.model import CheckedRequest
from prewarm.settings import Settings
from prewarm.storage.run_items import host_warnings
from prewarm.storage.run_store import Storage
from prewarm.tracing import subsegment
from resolve.distributions.config_reader import ConfigReader
from resolve.distributions.config_warnings import stall_warnings
from resolve.distributions.finder import DistributionFinder
from resolve.distributions.match import match
from resolve.dns_lookup import NameserversSilent
from resolve.dry_run import with_estimate
from resolve.invalidation import check_patterns_allowed
from resolve.learned import Learned, keep_learned
from resolve.network_refresh import with_networks
from resolve.planner import plan_run
from resolve.pops.choose import choose_pops
from resolve.pops.existence import silent_nameservers
from resolve.pops.locate import locate
from resolve.pops.probe import probe
from resolve.reading import Reading
from resolve.sources.collect import collect
from resolve.stages import PlannedRun, StaleDocuments


def resolve(
    run: str,
    request: CheckedRequest,
    settings: Settings,
    store: Storage,
    learned: Learned,
    reading: Reading | None = None,
) -> PlannedRun | StaleDocuments:
    """Collect the URLs, find their distributions, locate and probe the POPs, and plan the run.

    Unless it is a dry run, what it learned about POPs is stored (storage/knowledge_store.py).

    Ends after collecting if documents have to be invalidated and read again.

    Raises:
        InvalidRequest: a stage rejects the request, or no nameserver responds; nothing of the run has been stored.

    """
    try:
        return _resolve(run, request, settings, store, learned, reading or Reading(None, time.time()))
    except NameserversSilent as silent:
        raise silent_nameservers(silent) from silent


def _resolve(
    run: str, request: CheckedRequest, settings: Settings, store: Storage, learned: Learned, reading: Reading
) -> PlannedRun | StaleDocuments:
    began_at = time.time()
    fields, pop_catalogue = request.fields, learned.catalogue
    check_patterns_allowed(fields.invalidation_patterns, allowed=settings.invalidation_patterns)
    settings, network_warnings = with_networks(settings, store)
    finder = DistributionFinder(settings, invalidates=bool(fields.invalidate))
    with subsegment("read sources", run=run):
        freshness = reading.freshness(fields)
        collected = collect(request, finder, settings, store, freshness)
    if collected is None:
        return StaleDocuments(freshness.stale)
    with subsegment("find distributions", run=run):
        found = finder.find({url.host for url in collected.urls}, fields.cf_domain)
        matched = match(collected, found, invalidate=bool(fields.invalidate), patterns=fields.invalidation_patterns)
        chosen = choose_pops(matched, request, pop_catalogue, collected.targets)
        inspected = ConfigReader(finder.accounts.client).inspect(chosen, fields)
    with subsegment("probe POPs", run=run):
        candidates = learned.candidates_for(request)
        located = locate(inspected, request, settings, candidates)
        probed = probe(located, request, settings, pop_catalogue)
    kept = () if fields.dry_run else keep_learned(store, learned, probed, collected.targets, candidates)
    warnings = found.unreadable + learned.warnings + network_warnings + kept
    warnings += collected.warnings + matched.warnings + chosen.warnings
    for group in inspected.groups:
        warnings += tuple(
            stall_warnings(group.distribution.domain, group.behaviours, group.urls, settings.stall_seconds)
        )
    warnings += inspected.warnings + located.warnings + probed.warnings + host_warnings(collected.urls)
    planned = plan_run(
        run,
        fields,
        probed,
        matched.unmatched,
        warnings,
        pop_catalogue,
        sources=collected.sources,
        started_at=reading.started_at,
        began_at=began_at,
        document_rounds=reading.rounds,
        clock=time.time,
        duplicates=collected.duplicates,
        own_machine=settings.own_machine,
    )
    return with_estimate(replace(planned, targets=collected.targets), pop_catalogue)
