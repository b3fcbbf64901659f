"""Observability of a run: log lines, metrics, execution history, and the notification of its end."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from moto.sns.models import sns_backends

from prewarm_local.edge.process import SimulatedCloudFront
from prewarm_local.stack.stack import EmbeddedStack
from tests.support.edge_urls import HOST, fresh
from tests.support.handlers import DOMAIN, SYDNEY

pytestmark = pytest.mark.xdist_group("seen")
SECONDS = 30


@pytest.fixture(scope="module")
def stack(edge: SimulatedCloudFront) -> Iterator[EmbeddedStack]:
    parameters = {"NotificationEmail": "release@example.com", "Notifications": "all"}
    with EmbeddedStack(
        distributions=[f"{DOMAIN}={HOST}"], environment=edge.settings(), parameters=parameters, cap=2
    ) as running:
        yield running


@pytest.fixture(scope="module")
def arn(stack: EmbeddedStack) -> str:
    """The ARN of a run that has ended, and whose notification was sent."""
    states = stack.client("stepfunctions")
    request = {"url_list": fresh(3), "region_type": "pop", "region": SYDNEY}
    started: str = states.start_execution(
        stateMachineArn=stack.state_machine_arn, name="seen", input=json.dumps(request)
    )["executionArn"]
    until = time.monotonic() + SECONDS
    while not notifications(stack):
        assert time.monotonic() < until, "no notification of the run's end was sent"
        time.sleep(0.1)
    return started


def notifications(stack: EmbeddedStack) -> list[Any]:
    (topic,) = sns_backends[stack.account_id][stack.region].topics.values()
    return topic.sent_notifications


def lines(stack: EmbeddedStack, function: str) -> list[dict[str, Any]]:
    """Return the JSON lines of a function's log."""
    texts = [path.read_text(encoding="utf-8") for path in stack.log_dir.glob(f"*{function}*")]
    return [json.loads(line[line.index("{") :]) for text in texts for line in text.splitlines() if "{" in line]


@pytest.mark.usefixtures("arn")
def test_worker_log_lines_have_run_and_batch(stack: EmbeddedStack) -> None:
    logged = [line for line in lines(stack, "WarmFunction") if "level" in line and "message" in line]
    logged = [line for line in logged if line.get("location")]
    assert logged
    assert {(line["run"], line["batch"]) for line in logged} == {("seen", "1-000000")}


@pytest.mark.usefixtures("arn")
def test_a_run_emits_its_metrics(stack: EmbeddedStack) -> None:
    emitted: dict[str, list[float]] = {}
    for line in lines(stack, "WarmFunction") + lines(stack, "AggregateFunction"):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert directive["Namespace"] == "CloudFrontPrewarm"
            for metric in directive["Metrics"]:
                emitted.setdefault(metric["Name"], []).extend(line[metric["Name"]])
    around = {name for name in emitted if name.startswith(("StartToFirstFetch", "LastResponseToStored"))}
    assert len(around) >= 2
    assert set(emitted) - around == {
        "Targets", "Fetches", "Bytes", "TimeToFirstByte",
        "RunsWarm", "RunsNotWarm", "UrlsWarm", "UrlsFailed", "PopsSkipped", "RunTime", "EstimatedDollars",
    }  # fmt: skip
    assert (sum(emitted["Targets"]), emitted["UrlsWarm"], emitted["RunsWarm"]) == (9, [3], [1])


def test_one_notification_links_to_the_run(stack: EmbeddedStack, arn: str) -> None:
    ((_, message, subject, *_),) = notifications(stack)
    assert subject == "Prewarm done: 3 of 3 URLs are warm (seen)"
    assert "/#/run/seen" in message
    # The embedded stack has no console.
    assert "console.aws" not in message


def test_history_has_readable_states_and_small_inputs(stack: EmbeddedStack, arn: str) -> None:
    events = stack.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    entered = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
    names = [state["name"] for state in entered]
    assert names[:5] == ["FirstReading", "ResolveTargets", "Accepted", "InvalidationWanted", "WarmTargets"]
    assert names[-3:] == ["AggregateResults", "AllWarmed", "Warmed"]
    assert max(len(state["input"]) for state in entered) < 2_000
