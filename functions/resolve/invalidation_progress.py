"""How far a run's invalidations are: recorded for its status, and whether there is time left for more of them."""

import time
from typing import Any

from prewarm.storage.run_store import Storage


def note(run: str, before: dict[str, Any], after: dict[str, Any], store: Storage) -> None:
    """Record the progress for the run's status."""
    noted = {"round": before["round"] + 1, "rounds": before["rounds"], "done": after["done"]}
    noted["created"] = len(after["created"] or before["created"])
    if after["status"] == "completed":
        noted["completedAt"] = round(time.time())
    store.ledger.note_invalidation(run, noted)


def is_late(run: str, redrives: int, store: Storage, reading: int = 0) -> bool:
    """Return whether the run has ended, or has passed the deadline that a redrive renews."""
    if reading:
        documents = store.get_documents(run, reading)
        started_at, deadline = documents["startedAt"], documents["deadline"]
    else:
        plan = store.need_plan(run)
        started_at, deadline = plan.started_at, plan.deadline
    control = store.ledger.control_after(run, redrives, deadline - started_at)
    return control.over_for(redrives) or time.time() >= control.deadline_of(deadline)
