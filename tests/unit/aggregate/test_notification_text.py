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


def test_run_that_succeeded_with_cold_urls_is_not_called_done() -> None:
    """With fail_on: none an execution succeeds whatever the run's result is."""
    ended = DETAIL | {"status": "SUCCEEDED", "error": None}
    cold = compose(ended, reported(GONE, {}), API)
    assert cold.subject.startswith("Prewarm NOT WARM: 2 of 3 URLs are warm")
    assert "done" not in cold.message
    assert compose(ended, reported({}, {}), API).subject.startswith("Prewarm done: 3 of 3 URLs are warm")


def test_urls_left_by_a_cancelled_run_are_not_called_failed() -> None:
    message = compose(DETAIL | {"status": "ABORTED", "error": None}, reported({1: {"cancelled": 3}}, {}), API).message
    assert "2 of 3 URLs are warm, 1 not warm." in message
    assert f"The first of them:\n{URLS[1]}: not finished (the run was cancelled) at 3 POPs" in message
    assert "fail" not in message.lower()


def test_skipped_pops_are_counted_and_named() -> None:
    skipped = [{"pop": "AKL1-C1", "reason": "unresolved_pop", "detail": ""}]
    text = "1 of the 4 selected POPs was skipped"
    message = compose(DETAIL, reported(GONE, {}, skippedPops=skipped, skippedText=text), API).message
    assert f"{text}:\n- 1 POP: the POP's name does not resolve, so the POP may be retired (AKL1-C1)\n" in message


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
