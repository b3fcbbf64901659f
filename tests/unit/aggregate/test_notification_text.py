"""The text of a notification: what failed, with which status, where, and what to do."""

from typing import Any

from aggregate.notification import compose
from tests.unit.aggregate.test_report_answers import GAIN, GONE, POPS, URLS, reported

API = "https://abc.execute-api.eu-west-1.amazonaws.com/v1"
DETAIL: dict[str, Any] = {
    "executionArn": "arn:aws:states:eu-west-1:123456789012:execution:prewarm:run",
    "name": "run",
    "status": "FAILED",
    "error": "Prewarm.NotWarm",
}


def test_missing_file_is_named_with_status_place_and_next_step() -> None:
    message = compose(DETAIL, reported(GONE, dict.fromkeys(POPS, 1)), API).message
    assert f"{URLS[1]}: 404 Not Found at all 3 POPs, such as FRA2-C1 (x-amz-cf-id Zx9==)" in message
    assert "1 URL failed everywhere." in message
    assert f"{URLS[1]}: publish the file, or take the URL off the list; see https://" in message
    assert "troubleshooting.md#client_error" in message
    assert "retry" not in message.lower()
    assert f"Report and progress: {API}/#/run/run" in message


def test_console_is_named_only_where_there_is_one() -> None:
    summary = reported(GONE, {})
    assert "Step Functions console: https://" in compose(DETAIL, summary, API).message
    assert "console" not in compose(DETAIL, summary, API, has_console=False).message


def test_failure_that_may_pass_suggests_the_retry() -> None:
    message = compose(DETAIL, reported({2: {"timeout": 1}}, {POPS[0]: 1}), API).message
    assert "What to do: POST /retry?requestID=arn" in message
    assert "troubleshooting.md#timeout" in message


def test_summary_stored_earlier_has_its_own_action() -> None:
    older = reported({2: {"timeout": 1}}, {})
    for name in ("nextSteps", "failedEverywhere", "variants"):
        del older[name]
    assert "What to do: POST /retry?requestID=arn" in compose(DETAIL, older, API).message


def test_gain_is_one_line_and_absent_from_a_run_stored_earlier() -> None:
    assert f"\n{GAIN['text']}\n" in compose(DETAIL, reported(GONE, {}, gain=GAIN), API).message
    assert "spared" not in compose(DETAIL, reported(GONE, {}), API).message
