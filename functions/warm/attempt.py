"""One invocation's attempt at a part of a batch: it owns the part, or returns the owner's answer.

Step Functions may start a second worker of a part while the first one still works (a client's time-out, a repeated
delivery), and continues with the answer of either. So each attempt writes its cursor and its records under its own id
and then the part's ledger item, which only the first attempt can write. Any other attempt deletes what it wrote and
returns the owner's answer, so the batch continues in the same way whichever answer Step Functions uses.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from prewarm.observability import logger
from prewarm.storage.ledger_items import Stored
from prewarm.storage.run_store import Storage
from warm.cursor import Cursor
from warm.run_guard import RunNotActive
from warm.worker import WorkerResult


@dataclass(frozen=True)
class Attempt:
    """An attempt at one part of a batch; `cursor` is the one that it continues."""

    store: Storage
    run: str
    batch: str
    cursor: Cursor
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @contextmanager
    def open(self, seconds: float) -> Iterator[None]:
        """List the attempt as working until the block ends; its Lambda ends after `seconds` at the latest.

        It is listed before the run's control item is read, so either the function that ends the run sees this
        attempt, or this attempt sees that the run has ended.
        """
        name = f"{self.batch}#{self.cursor.part}#{self.id}"
        self.store.ledger.open_attempt(self.run, name, time.time() + seconds)
        try:
            yield
        finally:
            self.store.ledger.close_attempt(self.run, name)

    def stored_answer(self, redrives: int) -> dict[str, Any] | None:
        """Return the answer of the attempt that owns the part, or None if it has no owner yet.

        Raises:
            RunNotActive: the batch was closed.

        """
        stored = self.store.ledger.stored_part(self.run, self.batch, self.cursor.part)
        if stored is not None and stored.refuses(redrives):
            raise RunNotActive(self.run)
        # A part written by a version without attempts has no stored cursor; it is warmed again, as that version did.
        return self._answer(stored) if stored is not None and stored.attempt else None

    def write(self, worked: WorkerResult) -> tuple[dict[str, Any], bool]:
        """Write a worker's result; return the part's answer, and whether this attempt owns the part.

        Raises:
            RunNotActive: the batch was closed in the meantime.

        """
        part = self.cursor.part
        cursor = replace(worked.cursor, attempt=self.id).as_json() if worked.cursor else None
        if cursor is not None:
            self.store.put_cursor(self.run, self.batch, part, self.id, cursor)
        self.store.put_records(self.run, self.batch, part, self.id, worked.records)
        result = replace(worked.batch_result, attempt=self.id, previous=self.cursor.attempt)
        stored = self.store.ledger.put_result(self.run, result)
        if stored is None:
            if worked.separate_pops:
                self.store.ledger.add_separate_pops(self.run, worked.separate_pops)
            return {"finished": result.finished, "cursor": cursor}, True
        self.store.delete_attempt(self.run, self.batch, part, self.id)
        if not stored.attempt:
            raise RunNotActive(self.run)
        return self._answer(stored), False

    def _answer(self, stored: Stored) -> dict[str, Any]:
        logger.info("the part is another attempt's", extra={"attempt": self.id, "owner": stored.attempt})
        part = self.cursor.part
        cursor = None if stored.finished else self.store.get_cursor(self.run, self.batch, part, stored.attempt)
        return {"finished": stored.finished, "cursor": cursor}
