"""The readings of a run's sources: after each but the last, the run invalidates the documents found in a cache.

The state has only the number of readings. What a reading found is stored once: a second worker of the same reading,
or a redrive, continues with it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prewarm.observability import logger
from prewarm.request.model import PrewarmRequest
from prewarm.storage.run_store import Storage
from resolve.invalidation import check_rounds
from resolve.invalidation_rounds import InvalidationBatch, Owner, Round, before_first_round, paths_of, rounds_of_paths
from resolve.sources.freshness import Freshness

# An index of sitemaps has three levels and a manifest two, so this is enough unless documents change meanwhile.
INVALIDATIONS_AT_MOST = 4
STILL_CACHED = (
    f"the run invalidated documents {INVALIDATIONS_AT_MOST} times, and found others each time; start it again once "
    "the site stops changing"
)
READ_ONCE = "the run was started before an update of the service, and reads its documents once"


@dataclass(frozen=True)
class Reading:
    """One reading: its number (how often documents were invalidated before), the run's start, what was invalidated.

    `number` is None for a dry run that the API invokes, and for an execution of an earlier definition, which has no
    way back.
    """

    number: int | None
    started_at: float
    rounds: tuple[Round, ...] = ()

    def freshness(self, fields: PrewarmRequest) -> Freshness:
        """Return what decides about the documents of this reading."""
        wanted = bool(fields.invalidate) and not fields.dry_run
        invalidates = wanted and self.number is not None and self.number < INVALIDATIONS_AT_MOST
        invalidated: dict[Owner, list[str]] = {}
        for batch in (batch for each in self.rounds for batch in each):
            owner = Owner(batch.distribution_id, batch.tenant, batch.account)
            invalidated.setdefault(owner, []).extend(batch.paths)
        return Freshness(
            self.started_at,
            invalidates=invalidates,
            invalidated=invalidated,
            patterns=fields.invalidation_patterns,
            reason="" if not wanted else READ_ONCE if self.number is None else STILL_CACHED,
        )


def begin_reading(run: str, number: int | None, store: Storage) -> Reading:
    """Return the reading that the state asks for, with what the earlier ones found; `number` is that of the state."""
    stored = [store.get_documents(run, each) for each in range(1, (number or 0) + 1)]
    # A stored request may wait; the run's time starts when its work does.
    started_at = stored[0]["startedAt"] if stored else time.time()
    return Reading(number, started_at, tuple(each for document in stored for each in stored_rounds(document)))


def stored_rounds(document: Mapping[str, Any]) -> list[Round]:
    """Read the rounds of invalidations that a reading stored."""
    return [[InvalidationBatch.from_json(batch) for batch in each] for each in document["rounds"]]


def end_reading(
    run: str,
    reading: Reading,
    stale: Mapping[Owner, Mapping[str, None]],
    fields: PrewarmRequest,
    store: Storage,
    redrives: int,
) -> dict[str, Any]:
    """Store the documents to invalidate, `stale` by distribution and tenant; returns the state's output.

    Raises:
        InvalidRequest: invalidating them takes longer than the run may.

    """
    number = (reading.number or 0) + 1
    rounds = rounds_of_paths(f"{run}-documents-{number}", stale)
    check_rounds(rounds, fields.timeout_minutes)
    document: dict[str, Any] = {
        "startedAt": reading.started_at,
        "deadline": reading.started_at + 60 * fields.timeout_minutes,
        "rounds": [[batch.as_json() for batch in each] for each in rounds],
    }
    stored = store.put_documents_once(run, number, document)
    if not reading.number:
        store.ledger.open_run(run, document["deadline"], redrives)
    logger.info("documents to invalidate", extra={"reading": number, "paths": paths_of(rounds)})
    return {"run": run, "invalidate": True, "invalidation": before_first_round(len(stored["rounds"]), number)}
