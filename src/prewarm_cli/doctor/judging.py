"""What the statuses of a trial run say: whether it is warm, changed as documented, or was cancelled. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prewarm.counted import count_of
from prewarm.diagnosis import Check, Row, Texts
from prewarm.results.next_steps import step_text
from prewarm.results.outcome import WARM
from prewarm_cli.output.failures import failure_reasons, failures_of
from prewarm_cli.output.progress import in_progress
from prewarm_cli.output.text import cause_of

if TYPE_CHECKING:
    from collections.abc import Sequence

Status = dict[str, Any]
POPS = 3
# The order of a run's phases (docs/api.md); a run may skip some between two polls.
PHASES = ("resolving", "invalidating", "warming", "summing_up", "ended")
TROUBLESHOOTING = "docs/troubleshooting.md has a section for each outcome and error"

RUN = Check(
    "run",
    Texts(
        "a run through three POPs warms, and proves each copy by a second fetch",
        "viewers of these POPs would get a Miss after a run",
        TROUBLESHOOTING,
    ),
)
TRANSITIONS = Check(
    "transitions",
    Texts(
        "the run's status changes as documented, and its counts add up",
        "clients that poll the status, or read the report, get wrong figures",
        "report it as an issue, with the report that --report writes",
    ),
)
CANCEL = Check(
    "cancel",
    Texts(
        "a run in progress can be cancelled",
        "a run that does harm cannot be stopped by DELETE /prewarm",
        "stop it in the Step Functions console; deploy the template's roles as they are (states:StopExecution, "
        "dynamodb:UpdateItem)",
    ),
)
INVALIDATION = Check(
    "invalidation",
    Texts(
        "a path is invalidated before its URL is warmed",
        "runs that invalidate (--invalidate) fail; others do not need it",
        "allow cloudfront:CreateInvalidation and cloudfront:GetInvalidation to the invalidate function (a "
        "permissions boundary or an SCP may deny them)",
    ),
)


def outcome_text(status: Status) -> str:
    """Return how many targets are warm, what happened to the others, and why the run ended otherwise."""
    outcomes = (status.get("targets") or {}).get("outcomes") or {}
    warm = sum(count for name, count in outcomes.items() if name in WARM)
    texts = [f"{warm} of {count_of(sum(outcomes.values()), 'target')} warm"] if outcomes else []
    failures = [failure for _, failure in failures_of(status) if failure]
    # An older service does not say of each URL what happened.
    failures = failures or [{"reasons": {name: count for name, count in outcomes.items() if name not in WARM}}]
    texts += [failure_reasons(failure, status.get("words")) for failure in failures if failure.get("reasons")]
    cause = cause_of(status) or ("still in progress" if in_progress(status) else "")
    return "; ".join(filter(None, [*texts, cause])) or f"the run is {words_of(status['status'])}"


def words_of(status: str) -> str:
    """Return a status in words, such as "in progress"."""
    return status.replace("_", " ").lower()


def next_step(status: Status) -> str:
    """Return the service's own advice about a failed run, else where to look."""
    steps = [step for step in status.get("nextSteps") or [] if isinstance(step, dict)]
    return "; ".join(step_text(step) for step in steps[:2]) or TROUBLESHOOTING


def judge_run(status: Status, pops: Sequence[str]) -> Row:
    """Return whether the last status of the run through three POPs is that of a warm run."""
    if in_progress(status):
        return RUN.failure("the run did not end in time", "runs are slow, or do not end")
    targets = status.get("targets") or {}
    outcomes = targets.get("outcomes") or {}
    total, verified = targets.get("total", 0), targets.get("verified", 0)
    cold = sum(count for name, count in outcomes.items() if name not in WARM)
    if status["status"] != "COMPLETED" or status["failedUrl"] or cold or not total:
        return RUN.failure(outcome_text(status), action=next_step(status))
    if verified < total:
        return RUN.failure(f"{verified} of {total} targets were verified", "copies are not proven")
    own = targets.get("verifiedInPop", 0)
    detail = f"{total} targets at {', '.join(pops)} are warm and verified, {own} of them in the POP's own cache"
    if len(pops) < POPS:
        return RUN.warning(detail, f"only {len(pops)} POPs responded, so fewer than three were tried")
    return RUN.ok(detail)


def transition_problems(statuses: Sequence[Status]) -> list[str]:
    """Return what is wrong with the statuses of one run, in the order in which they were read."""
    problems: list[str] = []
    phases = [str((status.get("phase") or {}).get("name")) for status in statuses]
    known = [PHASES.index(phase) for phase in phases if phase in PHASES]
    if known != sorted(known):
        problems.append(f"the phases went back: {', '.join(map(words_of, dict.fromkeys(phases)))}")
    if unknown := sorted(set(phases) - set(PHASES)):
        problems.append(f"unknown phases: {', '.join(unknown)}")
    for number, status in enumerate(statuses):
        total, completed, left = status["total"], status["completed"], status["inProgress"]
        lists = sum(len(status[name]) for name in ("failedUrl", "inProgressUrl", "successUrl"))
        if completed + left != total or ("nextToken" not in status and lists != total):
            problems.append(f"counts do not add up: {completed} completed, {left} in progress, {total} in all")
        if number and completed < statuses[number - 1]["completed"]:
            problems.append(f"completed fell from {statuses[number - 1]['completed']} to {completed}")
        if number + 1 < len(statuses) and not in_progress(status):
            after = words_of(statuses[number + 1]["status"])
            problems.append(f"the status went from {words_of(status['status'])} to {after}")
        targets = status.get("targets") or {}
        if targets.get("done", 0) > targets.get("total", 0):
            problems.append(f"{targets['done']} of {targets['total']} targets are done")
    if not in_progress(statuses[-1]) and statuses[-1]["inProgress"]:
        problems.append(f"the run has ended with {statuses[-1]['inProgress']} URLs in progress")
    return list(dict.fromkeys(problems))


def judge_transitions(statuses: Sequence[Status]) -> Row:
    """Return whether a run's statuses changed as documented."""
    if problems := transition_problems(statuses):
        return TRANSITIONS.failure("; ".join(problems))
    seen = dict.fromkeys(words_of(str((status.get("phase") or {}).get("name"))) for status in statuses)
    ends = dict.fromkeys(words_of(status["status"]) for status in statuses)
    answers = count_of(len(statuses), "answer")
    return TRANSITIONS.ok(f"the run was {', then '.join(ends)} ({', '.join(seen)}); the counts of {answers} add up")


def judge_cancel(statuses: Sequence[Status]) -> Row:
    """Return whether a run that was cancelled has ended so; the first status is that of DELETE /prewarm."""
    last = statuses[-1]
    if in_progress(last):
        return CANCEL.failure("the run is still in progress")
    if last["status"] != "FAILED" or last.get("reason") != "cancelled":
        return CANCEL.failure(f"the run ended as {words_of(last['status'])}, not as cancelled")
    if last["inProgress"]:
        return CANCEL.failure(f"{last['inProgress']} URLs of the cancelled run are still in progress")
    return CANCEL.ok("the run ended as cancelled, with nothing in progress")


def judge_invalidation(status: Status, seconds: float) -> Row:
    """Return whether the run that invalidates a path has done so; its URL need not be warm afterwards."""
    if in_progress(status):
        means = "CloudFront has not completed the invalidation yet, which can take minutes at busy times"
        return INVALIDATION.warning(f"in progress after {seconds:.0f} s", means, "look at the run again later")
    if status["status"] != "COMPLETED":
        return INVALIDATION.failure(outcome_text(status))
    return INVALIDATION.ok("one path was invalidated, then its URL was fetched again")
