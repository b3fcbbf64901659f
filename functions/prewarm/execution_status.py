"""What a run's execution means to people: where the console shows it, and what helps when it ended red. Pure."""

from typing import Any

NOT_WARM, DEADLINE_PASSED, REJECTED = "Prewarm.NotWarm", "Prewarm.DeadlinePassed", "Prewarm.InvalidRequest"
# Step Functions' words for an execution that has not ended.
RUNNING = frozenset({"RUNNING", "PENDING_REDRIVE"})
INVALIDATION_OVERDUE = "Prewarm.InvalidationTimedOut"
# What a run says of itself: a redrive would enter the same Fail state again.
ITS_OWN_WORD = frozenset({NOT_WARM, DEADLINE_PASSED, INVALIDATION_OVERDUE})
# The console's hosts by partition (IAM User Guide, "Amazon Resource Names"; each partition's own console).
CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def speaks_for(summary: dict[str, Any], redrives: int, error: str) -> bool:
    """Say whether a summary is that of the run as it ended, after so many redrives and with this error.

    One of before a redrive is not, unless the run ended by the summary's own word: then the redrive only entered the
    same Fail state again.
    """
    return summary.get("redrives", 0) >= redrives or error in {NOT_WARM, DEADLINE_PASSED}


def console_url(arn: str) -> str:
    """Return the address of an execution in the Step Functions console."""
    _, partition, _, region, *_ = arn.split(":")
    host = CONSOLES.get(partition, CONSOLES["aws"])
    return f"https://{region}.{host}/states/home?region={region}#/v2/executions/details/{arn}"


def remedy_of(status: str, error: str, arn: str) -> dict[str, str] | None:
    """Say what helps a run that ended red; None for any other. `status` is Step Functions' word.

    - `mend`: the request was refused
    - `retry`: the run did its work, and some targets are not warm: a new run of what failed
    - `redrive`: infrastructure broke: the execution goes on where it broke
    """
    if status in RUNNING or status == "SUCCEEDED":
        return None
    if error == REJECTED:
        return {"kind": "fix", "how": "fix what the cause names, and start a new run"}
    if status in {"TIMED_OUT", "ABORTED"} or error in ITS_OWN_WORD:
        how = f"POST /retry?requestID={arn} starts a new run of what failed; a redrive would only end red again"
        return {"kind": "retry", "how": how if status == "FAILED" else how.partition(";")[0]}
    command = f"aws stepfunctions redrive-execution --execution-arn {arn}"
    return {"kind": "redrive", "how": f"fix what the cause names, then `{command}` goes on where it broke"}
