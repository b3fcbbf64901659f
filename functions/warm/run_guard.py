"""What surrounds a worker's work: is the run still its own before it, records and ledger after it."""

from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.storage.ledger import RunEnded
from prewarm.storage.ledger_items import Control
from prewarm.storage.run_store import Storage


class RunOver(Exception):
    """The run has ended without this batch.

    Raised, so that the child fails here: were the run redriven, it would go on at this very state.
    """


def control_of(store: Storage, plan: Plan, redrives: int, child_redrives: int) -> tuple[Control, int]:
    """Return the run's control item, and after how many of the run's redrives this worker was started.

    A child that was started after the run was redriven knows that by its input (`redrives`), one that was redriven
    itself by its own context (`child_redrives`); one that still waited in an earlier redrive has counted too few.

    Raises:
        RunOver: the run has ended, or goes on without workers of before its redrive.

    """
    control = store.ledger.control_after(plan.run, redrives + child_redrives, plan.deadline - plan.started_at)
    count = max(redrives + child_redrives, control.redrives) if child_redrives else redrives
    if control.over_for(count):
        raise RunOver(plan.run)
    return control, count


def write(store: Storage, run: str, result: BatchResult, records: bytes) -> None:
    """Write a part's records and its ledger item.

    Raises:
        RunOver: the run has ended meanwhile.

    """
    store.put_records(run, result.batch, result.part, records)
    try:
        store.ledger.put_result(run, result)
    except RunEnded as ended:
        raise RunOver(run) from ended
