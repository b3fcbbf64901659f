"""The sums of a running run: those of its checkpoint, and of the parts that were written since.

A poll reads what the checkpoint lacks, and stores a new one (docs/decisions/0027). Polls within FRESH_SECONDS of that
are answered from it, however many there are. An ended run's results are never read here.
"""

import math
import time
from dataclasses import dataclass

from api.runs.executions import Execution
from prewarm.planning.batching import batch_ids
from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.results.run_sums import RunSums, sums_of
from prewarm.storage.checkpoint import Checkpoint, Owner
from prewarm.storage.checkpoint_store import StoredCheckpoint, Writing
from prewarm.storage.ledger_items import Control, result_from_item, unpack_item
from prewarm.storage.run_store import Storage

# How old an answer may be when its poll begins: as long as the dashboard's pause between two polls (MAX_PAUSE in
# dashboard/static/follow.js). With less, many watchers would read more often than two.
FRESH_SECONDS = 3.0
# A poll reads no further page of the ledger after so many bytes: 2 MB at most. The next poll continues.
ENOUGH_BYTES = 1_000_000
# How far the clocks of two processes may be apart, so that none answers from its memory what another has added to.
CLOCKS_APART_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class LiveResults:
    """The sums of a run's current parts, and its control item.

    `partial`: some finished batches are left to the next poll, since there were too many to read at once;
    `checkpoint`: what it all follows from, if there is such a one.
    """

    sums: RunSums
    control: Control
    partial: bool = False
    checkpoint: Checkpoint | None = None


def live_results(execution: Execution, plan: Plan, store: Storage) -> LiveResults:
    """Return the results of a running run; `plan` has its batches."""
    if not plan.attempt:
        # A plan of an earlier version has no owner, and a redrive may have replaced it.
        return all_results(plan, store)
    owner = Owner(plan.attempt, execution.redrives)
    now = time.time()
    if (live := _fresh(store.remembered_checkpoint(plan.run), owner, now + CLOCKS_APART_SECONDS)) is not None:
        return live
    stored = store.get_checkpoint(plan)
    if (live := _fresh(stored, owner, now)) is not None:
        return live
    kept = stored.checkpoint
    if kept is not None and kept.owner.redrives > owner.redrives:
        # This poll began before a redrive, and must not replace what belongs to it.
        return all_results(plan, store)
    checkpoint = kept if kept is not None and kept.owner == owner else Checkpoint.empty(owner, plan)
    return _read_on(checkpoint, plan, store, stored, now)


def _fresh(stored: StoredCheckpoint, owner: Owner, now: float) -> LiveResults | None:
    """Return what a checkpoint has, if it is this run's as it is now and not too old."""
    kept = stored.checkpoint
    if kept is None or kept.owner != owner or not 0 <= now - kept.read_at < FRESH_SECONDS:
        return None
    return _live(kept)


def _read_on(checkpoint: Checkpoint, plan: Plan, store: Storage, stored: StoredCheckpoint, now: float) -> LiveResults:
    """Read what the checkpoint lacks and store the new one."""
    control = store.ledger.control(plan.run)
    ranges = checkpoint.unread(batch_ids(plan))
    # Polls have counted more than can be read now, if there was a checkpoint that is lost: a status never goes back.
    enough = math.inf if stored.lost else ENOUGH_BYTES
    read = store.ledger.parts_in(plan.run, ranges, enough)
    unowned = [result_from_item(unpack_item(item)) for item in read.items if not item.get("attempt", {}).get("S")]
    # Parts without an attempt are in no checkpoint, so that one of a run with such parts is not fresh.
    read_at = 0.0 if unowned else now
    newer = checkpoint.extended(read.items, control, read_at, read.stopped_at)
    written = store.put_checkpoint(plan.run, newer, stored.version) if stored.writable else Writing.REFUSED
    if read.stopped_at and written is Writing.REFUSED:
        # Without a checkpoint the next poll could not continue.
        return all_results(plan, store)
    if written is Writing.OVERTAKEN:
        # Answer from the other poll's: what is read next may be that, and a status never goes back.
        theirs = _fresh(store.get_checkpoint(plan), newer.owner, time.time())
        return theirs or _live(newer, unowned)
    return _live(newer, unowned)


def _live(checkpoint: Checkpoint, unowned: list[BatchResult] | None = None) -> LiveResults:
    if unowned:
        return LiveResults(checkpoint.all_sums(unowned), checkpoint.control, bool(checkpoint.stopped_at))
    return LiveResults(checkpoint.whole, checkpoint.control, bool(checkpoint.stopped_at), checkpoint)


def all_results(plan: Plan, store: Storage) -> LiveResults:
    """Return all that the ledger has of a run; the control item is read after the results."""
    results = store.ledger.results(plan.run)
    return LiveResults(sums_of(plan, results), store.ledger.control(plan.run))
