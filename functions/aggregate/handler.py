"""AggregateResults: close the ledger, add it up, write summary and report, decide."""

from typing import Any

from aggregate.finish_run import add_up
from prewarm.storage.run_store import storage


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return whether the run passes, with Error and Cause for one that does not.

    Raises:
        RuntimeError: the run has been redriven since; nobody waits for this response any more.

    """
    store = storage()
    output = add_up(store.need_plan(event["run"]), store, event.get("redrives", 0))
    if output is None:
        raise RuntimeError("the run has been redriven since")
    return output
