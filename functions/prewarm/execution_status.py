"""How an execution ended: its error names, its console URL, and the recommended next action. Pure."""

from typing import Any

NOT_WARM, DEADLINE_PASSED, REJECTED = "Prewarm.NotWarm", "Prewarm.DeadlinePassed", "Prewarm.InvalidRequest"
INVALIDATION_TIMED_OUT = "Prewarm.InvalidationTimedOut"
# The error of an execution that DELETE /prewarm has stopped.
CANCELLED = "Prewarm.Cancelled"
# Every URL is warm, but most entries of a source were skipped.
SOURCES_SKIPPED = "Prewarm.SourcesSkipped"
# Step Functions' statuses of an execution that has not ended.
RUNNING = frozenset({"RUNNING", "PENDING_REDRIVE"})
# Errors of the state machine's own Fail states: a redrive would enter the same Fail state again.
FAIL_STATE_ERRORS = frozenset({NOT_WARM, DEADLINE_PASSED, INVALIDATION_TIMED_OUT, SOURCES_SKIPPED})
# The console's hosts by partition (IAM User Guide, "Amazon Resource Names"; each partition's own console).
CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def summary_is_current(summary: dict[str, Any], redrives: int, error: str) -> bool:
    """Return whether a summary describes the execution's latest attempt.

    A summary written before a redrive is stale, unless the redrive re-entered the same Fail state: then nothing ran
    in between. `redrives` and `error` are those of the execution as it is now.
    """
    return summary.get("redrives", 0) >= redrives or error in {NOT_WARM, DEADLINE_PASSED, SOURCES_SKIPPED}


def run_state(status: str, error: str) -> str:
    """Return a run's status in the list of runs, where CANCELLED differs from FAILED."""
    if status in RUNNING:
        return "IN_PROGRESS"
    if status == "ABORTED":
        return "CANCELLED"
    if status == "SUCCEEDED":
        return "COMPLETED"
    return "TIMEOUT" if status == "TIMED_OUT" or error == DEADLINE_PASSED else "FAILED"


def console_url(arn: str) -> str:
    """Return an execution's URL in the Step Functions console."""
    _, partition, _, region, *_ = arn.split(":")
    host = CONSOLES.get(partition, CONSOLES["aws"])
    return f"https://{region}.{host}/states/home?region={region}#/v2/executions/details/{arn}"


def recommended_action(status: str, error: str, arn: str) -> dict[str, str] | None:
    """Return the next action after a failed run, {"kind": …, "how": …}, else None.

    `status` is Step Functions' status. The kinds:

    - `fix`: the request was rejected; correct it and start a new run
    - `retry`: the run did its work, but some targets are not warm; start a new run of the failed URLs
    - `redrive`: infrastructure failed; a redrive resumes the execution at the failed state
    """
    if status in RUNNING or status == "SUCCEEDED":
        return None
    if error == REJECTED:
        return {"kind": "fix", "how": "fix the problems listed in the cause, then start a new run"}
    if error == SOURCES_SKIPPED:
        how = (
            "repair the sources listed in the cause, or accept them with strict_sources: false; then start a new run"
        )
        return {"kind": "fix", "how": how}
    if status in {"TIMED_OUT", "ABORTED"} or error in FAIL_STATE_ERRORS:
        how = (
            f"POST /retry?requestID={arn} starts a new run of the URLs that are not warm; a redrive would fail again"
        )
        return {"kind": "retry", "how": how if status == "FAILED" else how.partition(";")[0]}
    command = f"aws stepfunctions redrive-execution --execution-arn {arn}"
    return {"kind": "redrive", "how": f"fix the problem named in the cause, then resume the run: `{command}`"}
