"""Check the run's control item before a worker starts."""

from prewarm.planning.plan import Plan
from prewarm.storage.ledger_items import Control
from prewarm.storage.run_store import Storage


class RunNotActive(Exception):
    """The run has ended, or was redriven, without this worker.

    It is raised so that the child execution fails here: a redrive of the run then resumes at this state.
    """


def check_active(store: Storage, plan: Plan, redrives: int, child_redrives: int) -> tuple[Control, int]:
    """Return the run's control item, and how often the run had been redriven when this worker started.

    A child execution that started after a redrive has the count in its input (`redrives`). One that was redriven
    itself has it in its own context (`child_redrives`), which is too low if the child was still pending in an earlier
    redrive.

    Raises:
        RunNotActive: the run has ended, or was redriven after this worker's execution started.

    """
    control = store.ledger.control_after(plan.run, redrives + child_redrives, plan.deadline - plan.started_at)
    count = max(redrives + child_redrives, control.redrives) if child_redrives else redrives
    if control.over_for(count):
        raise RunNotActive(plan.run)
    return control, count
