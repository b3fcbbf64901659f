"""Cancel a run."""

import time
from typing import Any

from api.runs.damaged import stored_documents
from api.runs.executions import Execution, Executions
from api.runs.progress import find_progress
from api.runs.status import as_contract
from prewarm.errors import Conflict, Problem
from prewarm.execution_status import CANCELLED
from prewarm.storage.run_end import settle_run
from prewarm.storage.run_items import end_facts
from prewarm.storage.run_store import Storage


@stored_documents()
def cancel(execution: Execution, executions: Executions, store: Storage, *, has_console: bool) -> dict[str, Any]:
    """Stop a run; return its status, which contains the URLs that are warm by now (`has_console`: see as_contract).

    Workers outlive a stopped execution, so the ledger stops them: it takes seconds until they have written what they
    fetched. The status is that of the later summary.

    Raises:
        Conflict: the run has already ended.

    """
    if not execution.running:
        reason = f"the run has already ended ({execution.contract_status}) and cannot be cancelled"
        raise Conflict("RunAlreadyEnded", [Problem("requestID", reason)])
    executions.stop(execution.arn, CANCELLED, "cancelled by DELETE /prewarm")
    store.runs.end(execution.run, end_facts("ABORTED", "", time.time()), execution.redrives)
    plan = store.get_plan(execution.run)
    if plan is None:
        # ResolveTargets outlives its execution: it does not plan the run after this, and may have done so since.
        store.ledger.end_run(execution.run)
        plan = store.get_plan(execution.run)
    if plan is not None:
        # A worker of a redrive that starts only now must not reopen the run.
        store.ledger.control_after(plan.run, execution.redrives, plan.deadline - plan.started_at)
        store.ledger.end_run(plan.run)
        settle_run(store.with_batches(plan), store.ledger, execution.redrives)
    return as_contract(
        find_progress(executions.describe(execution.arn), store, settled=True), has_console=has_console
    )
