"""The AggregateResults state: finish a run and return whether it passes."""

from typing import Any

from aggregate.finish_run import finish_run
from prewarm.storage.run_store import storage


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return whether the run passes, with Error and Cause if it does not.

    Raises:
        RuntimeError: the run has been redriven since, so no state waits for this output.

    """
    store = storage()
    output = finish_run(store.need_plan(event["run"]), store, event.get("redrives", 0))
    if output is None:
        raise RuntimeError("the run has been redriven since")
    return output
