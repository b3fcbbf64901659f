"""Check the run's control item before a worker starts, and write its results afterwards unless the run has ended."""

from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.storage.ledger import RunEnded
from prewarm.storage.ledger_items import Control
from prewarm.storage.run_store import Storage


class RunNotActive(Exception):
    """The run has ended, or was redriven, without this worker.

    It is raised so that the child execution fails here: a redrive of the run then resumes at this very state.
    """


def check_active(store: Storage, plan: Plan, redrives: int, child_redrives: int) -> tuple[Control, int]:
    """Return the run's control item, and how often the run had been redriven when this worker started.

    A child execution that started after a redrive has the count in its input (`redrives`); one that was redriven
    itself has it in its own context (`child_redrives`), where one that was still pending in an earlier redrive has
    counted too few.

    Raises:
        RunNotActive: the run has ended, or was redriven after this worker's execution started.

    """
    control = store.ledger.control_after(plan.run, redrives + child_redrives, plan.deadline - plan.started_at)
    count = max(redrives + child_redrives, control.redrives) if child_redrives else redrives
    if control.over_for(count):
        raise RunNotActive(plan.run)
    return control, count


def write_results(store: Storage, run: str, result: BatchResult, records: bytes) -> None:
    """Write a part's records and its ledger item.

    Raises:
        RunNotActive: the run has ended in the meantime.

    """
    store.put_records(run, result.batch, result.part, records)
    try:
        store.ledger.put_result(run, result)
    except RunEnded as ended:
        raise RunNotActive(run) from ended
