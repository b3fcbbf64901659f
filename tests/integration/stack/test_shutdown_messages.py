"""What the embedded stack says while a command ends it: nothing of what it can no longer deliver."""

import logging
import threading
from typing import Any

import pytest

from prewarm_local.stack.eventbridge import DETAIL_TYPE, TRIES, EventBridge
from prewarm_local.stack.lambda_workers import InvokeError, StoppedError
from prewarm_local.stack.resources import Rule


class Refusing:
    """Workers that refuse whatever they are asked."""

    def __init__(self, error: type[InvokeError]) -> None:
        self.error, self.asked = error, 0

    def invoke(self, *_: Any) -> None:
        self.asked += 1
        raise self.error("the embedded stack is stopped")


@pytest.mark.parametrize(("error", "asked", "warnings"), [(StoppedError, 1, 0), (InvokeError, TRIES, TRIES)])
def test_an_event_that_comes_while_the_stack_stops_is_no_warning(
    caplog: pytest.LogCaptureFixture, error: type[InvokeError], asked: int, warnings: int
) -> None:
    workers: Any = Refusing(error)
    events = EventBridge([Rule({"detail-type": [DETAIL_TYPE]}, ("arn",))], workers, "eu-west-1", "123456789012")
    with caplog.at_level(logging.DEBUG):
        events.send({"executionArn": "arn"})
        events.stop()
    assert "events" not in {thread.name for thread in threading.enumerate()}
    assert workers.asked == asked
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == warnings
    assert "not delivered" in caplog.text
