"""What earlier runs have learned, for this run, and what this run adds to it."""

import datetime as dt
from dataclasses import dataclass, replace

from prewarm.catalogue import Catalogue, catalogue, location_of
from prewarm.knowledge import TRAFFIC, WAYS, Knowledge, sightings, with_learned
from prewarm.planning.plan import PAIRS
from prewarm.request.model import CheckedRequest
from prewarm.storage.knowledge_store import KnowledgeStore
from resolve.stages import Probed, Targets

# A candidate is probed once a day at most, next to the POPs of a run that selects its location.
CANDIDATES_PER_RUN = 20
# Ids of one list of targets that become candidates: those that are asked for most.
NEW_CANDIDATES_PER_RUN = 100


@dataclass(frozen=True)
class Learned:
    """What earlier runs have learned, the catalogue with it, and what could not be read."""

    knowledge: Knowledge
    catalogue: Catalogue
    today: dt.date
    warnings: tuple[str, ...] = ()

    def candidates_for(self, request: CheckedRequest) -> list[str]:
        """Return the candidates to probe next to the POPs of a country or region."""
        if request.fields.kind in {"pop", PAIRS}:
            return []
        locations = {*map(location_of, request.pops), *request.places}
        return self.knowledge.to_probe(locations, self.today, CANDIDATES_PER_RUN)


def read_learned(store: KnowledgeStore, today: dt.date | None = None) -> Learned:
    """Return what earlier runs have learned; what cannot be read is a warning."""
    today = today or dt.datetime.now(dt.UTC).date()
    knowledge, warning = store.get_knowledge(today)
    return Learned(knowledge, with_learned(catalogue(), knowledge), today, (warning,) if warning else ())


def keep_learned(
    store: KnowledgeStore, learned: Learned, probed: Probed, targets: Targets | None, candidates: list[str]
) -> tuple[str, ...]:
    """Store what a run has met; return a warning if that fails. `candidates`: those that were probed."""
    found = found_by(learned, probed, targets, candidates)
    if learned.knowledge.merged(found, learned.today) == learned.knowledge:
        return ()
    warning = store.learn(found, learned.today)
    return (warning,) if warning else ()


def found_by(learned: Learned, probed: Probed, targets: Targets | None, candidates: list[str]) -> Knowledge:
    """Return what a run adds: the POPs that it met, and ids of its targets that neither it nor any other has met."""
    met = Knowledge()
    for way in WAYS:
        pops = [pop for pop, ways in probed.met.items() if way in ways]
        met = met.merged(Knowledge(sightings(pops, learned.today, way)), learned.today)
    known = learned.catalogue.pops.keys() | learned.catalogue.unplaced | probed.met.keys()
    unmet = sightings(most_requested(targets, known), learned.today, TRAFFIC) if targets else {}
    for pop in candidates:
        if pop not in probed.met:
            unmet[pop] = replace(learned.knowledge.candidates[pop], probed=learned.today)
    return Knowledge(met.pops, unmet)


def most_requested(targets: Targets, known: frozenset[str] | set[str]) -> list[str]:
    """Return the POPs of a list of targets that are not known, at most NEW_CANDIDATES_PER_RUN."""
    requests: dict[str, int] = {pop: 0 for pop in targets.pops if pop not in known}
    for (_, pop), count in targets.requests.items():
        if pop in requests:
            requests[pop] += count
    return sorted(requests, key=lambda pop: (-requests[pop], pop))[:NEW_CANDIDATES_PER_RUN]
