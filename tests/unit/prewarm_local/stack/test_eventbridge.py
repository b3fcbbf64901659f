"""EventBridge of the embedded stack: patterns, retries, and no warnings while the stack stops."""

import logging
import threading
from typing import Any

import pytest

from prewarm_local.stack.eventbridge import DETAIL_TYPE, TRIES, EventBridge, matches
from prewarm_local.stack.lambda_workers import InvokeError, StoppedError
from prewarm_local.stack.resources import Rule


class FailingWorkers:
    """Workers that refuse every invocation, and count them."""

    def __init__(self, error: type[InvokeError]) -> None:
        self.error, self.invocations = error, 0

    def invoke(self, *_: Any) -> None:
        self.invocations += 1
        raise self.error("the embedded stack is stopped")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.states"]}, True),
        ({"source": ["aws.s3"]}, False),
        ({"detail": {"status": ["FAILED", "ABORTED"]}}, True),
        ({"detail": {"status": ["SUCCEEDED"]}}, False),
        ({"source": {"nested": ["x"]}}, False),
    ],
)
def test_pattern_matches_nested_values(pattern: dict[str, Any], expected: bool) -> None:
    assert matches(pattern, {"source": "aws.states", "detail": {"status": "FAILED"}}) is expected


@pytest.mark.parametrize(("error", "invocations", "warnings"), [(StoppedError, 1, 0), (InvokeError, TRIES, TRIES)])
def test_undelivered_event_is_a_warning_unless_the_stack_stops(
    caplog: pytest.LogCaptureFixture, error: type[InvokeError], invocations: int, warnings: int
) -> None:
    workers: Any = FailingWorkers(error)
    events = EventBridge([Rule({"detail-type": [DETAIL_TYPE]}, ("arn",))], workers, "eu-west-1", "123456789012")
    with caplog.at_level(logging.DEBUG):
        events.send({"executionArn": "arn"})
        events.stop()
    assert "events" not in {thread.name for thread in threading.enumerate()}
    assert workers.invocations == invocations
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == warnings
    assert "not delivered" in caplog.text
