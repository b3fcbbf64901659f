"""The recommended action after a run, its console URL, and stale summaries."""

import pytest

from prewarm.execution_status import console_url, recommended_action, summary_is_current

ARN = "arn:aws:states:eu-west-1:1:execution:prewarm:run"


@pytest.mark.parametrize(
    ("status", "error", "kind", "text"),
    [
        ("FAILED", "Prewarm.InvalidRequest", "fix", "start a new run"),
        ("FAILED", "Prewarm.NotWarm", "retry", "a redrive would fail again"),
        ("FAILED", "Prewarm.DeadlinePassed", "retry", "a redrive would fail again"),
        ("TIMED_OUT", "", "retry", f"POST /retry?requestID={ARN}"),
        ("ABORTED", "", "retry", f"POST /retry?requestID={ARN}"),
        ("FAILED", "Lambda.Unknown", "redrive", f"`aws stepfunctions redrive-execution --execution-arn {ARN}`"),
    ],
)
def test_failed_run_has_an_action(status: str, error: str, kind: str, text: str) -> None:
    action = recommended_action(status, error, ARN)
    assert action is not None
    assert action["kind"] == kind
    assert text in action["how"]


@pytest.mark.parametrize("status", ["RUNNING", "PENDING_REDRIVE", "SUCCEEDED"])
def test_running_or_successful_run_has_no_action(status: str) -> None:
    assert recommended_action(status, "", ARN) is None


@pytest.mark.parametrize(
    ("partition", "host"),
    [("aws", "console.aws.amazon.com"), ("aws-cn", "console.amazonaws.cn"), ("aws-new", "console.aws.amazon.com")],
)
def test_console_url_has_the_partitions_host(partition: str, host: str) -> None:
    arn = ARN.replace("arn:aws:", f"arn:{partition}:")
    assert console_url(arn).startswith(f"https://eu-west-1.{host}/states/home?region=eu-west-1#")
    assert console_url(arn).endswith(arn)


@pytest.mark.parametrize(
    ("summary", "redrives", "error", "current"),
    [
        ({"redrives": 1}, 1, "Lambda.Unknown", True),
        ({"redrives": 0}, 1, "Lambda.Unknown", False),
        ({"redrives": 0}, 1, "Prewarm.NotWarm", True),
        ({"redrives": 0}, 1, "Prewarm.DeadlinePassed", True),
        ({}, 0, "", True),
    ],
)
def test_summary_before_a_redrive_is_current_only_if_the_fail_state_is_the_same(
    summary: dict[str, int], redrives: int, error: str, current: object
) -> None:
    assert summary_is_current(summary, redrives, error) is current
