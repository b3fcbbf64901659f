"""What EventBridge does for the template's rules: tells functions of executions that began, ended or were stopped."""

from __future__ import annotations

import datetime as dt
import json
import logging
import queue
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prewarm_local.stack.lambda_workers import InvokeError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prewarm_local.stack.lambda_workers import Workers

DETAIL_TYPE = "Step Functions Execution Status Change"
# EventBridge tries again for a day; a machine of one's own need not.
TRIES = 3


@dataclass(frozen=True)
class Rule:
    """A rule: the pattern of the events it takes, and the ARNs of the functions that it tells."""

    pattern: Mapping[str, Any]
    targets: tuple[str, ...]


def read_rule(properties: Mapping[str, Any]) -> Rule:
    """Read a rule's resolved properties; one that is disabled takes nothing."""
    enabled = properties.get("State", "ENABLED") == "ENABLED"
    targets = tuple(target["Arn"] for target in properties.get("Targets", ()))
    return Rule(properties["EventPattern"], targets if enabled else ())


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Say whether an event fits a pattern: lists of values, nested as it is (EventBridge, "Event patterns")."""
    for name, wanted in pattern.items():
        found = event.get(name)
        if isinstance(wanted, dict):
            if not isinstance(found, dict) or not matches(wanted, found):
                return False
        elif found not in wanted:
            return False
    return True


class Events:
    """Carries events to functions, one after the other, until `stop`."""

    def __init__(self, rules: Sequence[Rule], workers: Workers, region: str, account: str) -> None:
        self._rules, self._workers = rules, workers
        self._region, self._account = region, account
        self._waiting: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._carry, name="events", daemon=True)
        self._thread.start()

    def tell(self, detail: dict[str, Any]) -> None:
        """Take an execution's change of status; returns at once."""
        self._waiting.put(
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
        """Carry what waits, then end."""
        self._waiting.put(None)
        self._thread.join(timeout=10)

    def _carry(self) -> None:
        while (event := self._waiting.get()) is not None:
            for arn in [arn for rule in self._rules if matches(rule.pattern, event) for arn in rule.targets]:
                self._invoke(arn, json.dumps(event).encode())

    def _invoke(self, arn: str, event: bytes) -> None:
        for _ in range(TRIES):
            try:
                if not self._workers.invoke(arn, event).error:
                    return
            except StoppedError as error:
                # Whoever ends the stack knows that what goes on is stopped with it.
                logging.getLogger(__name__).debug("an event was not delivered: %s", error)
                return
            except InvokeError as error:
                logging.getLogger(__name__).warning("an event was not delivered: %s", error)
