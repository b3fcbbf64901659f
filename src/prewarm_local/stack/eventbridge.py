"""EventBridge for the template's rules: invoke functions when the status of an execution changes."""

from __future__ import annotations

import datetime as dt
import json
import logging
import queue
import threading
import uuid
from typing import TYPE_CHECKING, Any

from prewarm_local.stack.lambda_workers import InvokeError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prewarm_local.stack.lambda_workers import Workers
    from prewarm_local.stack.resources import Rule

DETAIL_TYPE = "Step Functions Execution Status Change"
# EventBridge retries for a day; a local stack need not.
TRIES = 3


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Return whether an event matches a pattern.

    A pattern has lists of values, nested as the event is.
    Source: EventBridge User Guide, "Event patterns".
    """
    for name, expected in pattern.items():
        value = event.get(name)
        if isinstance(expected, dict):
            if not isinstance(value, dict) or not matches(expected, value):
                return False
        elif value not in expected:
            return False
    return True


class EventBridge:
    """Delivers events to functions, one after the other, until `stop`."""

    def __init__(self, rules: Sequence[Rule], workers: Workers, region: str, account: str) -> None:
        self._rules, self._workers = rules, workers
        self._region, self._account = region, account
        self._queue: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._deliver_queued, name="events", daemon=True)
        self._thread.start()

    def send(self, detail: dict[str, Any]) -> None:
        """Queue an execution's change of status for delivery, and return at once."""
        self._queue.put(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": DETAIL_TYPE,
                "source": "aws.states",
                "account": self._account,
                "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
                "region": self._region,
                "resources": [detail["executionArn"]],
                "detail": detail,
            }
        )

    def stop(self) -> None:
        """Deliver the queued events, then end the thread."""
        self._queue.put(None)
        self._thread.join(timeout=10)

    def _deliver_queued(self) -> None:
        while (event := self._queue.get()) is not None:
            for arn in [arn for rule in self._rules if matches(rule.pattern, event) for arn in rule.targets]:
                self._invoke(arn, json.dumps(event).encode())

    def _invoke(self, arn: str, event: bytes) -> None:
        for _ in range(TRIES):
            try:
                if not self._workers.invoke(arn, event).error:
                    return
            except StoppedError as error:
                # Stopping the stack stops its work too, so this is expected.
                logging.getLogger(__name__).debug("an event was not delivered: %s", error)
                return
            except InvokeError as error:
                logging.getLogger(__name__).warning("an event was not delivered: %s", error)
