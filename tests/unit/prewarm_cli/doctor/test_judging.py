from typing import Any

import pytest

from prewarm.diagnosis import FAILURE, OK, WARNING
from prewarm_cli.doctor.judging import (
    PHASES,
    judge_cancel,
    judge_invalidation,
    judge_run,
    judge_transitions,
    transition_problems,
)

POPS = ["IAD12-P1", "FRA56-P5", "NRT57-P3"]
URL = "https://www.example.com/"
BLOCKED = "blocked at 1 target (the edge or the origin refused it: a 403, a WAF challenge or a CAPTCHA)"


def status(name: str, phase: str, *, left: int = 0, **more: Any) -> dict[str, Any]:
    """Return a status of a run of one URL, which is in progress if `left` is 1."""
    return {
        "status": name,
        "total": 1,
        "completed": 1 - left,
        "inProgress": left,
        "failedUrl": [],
        "inProgressUrl": [URL] * left,
        "successUrl": [URL] * (1 - left),
        "phase": {"name": phase},
        "targets": {"total": 3, "done": 3 * (1 - left), "outcomes": {"warmed": 3}, "verified": 3, "verifiedInPop": 1},
    } | more


RUNNING = [status("IN_PROGRESS", phase, left=1) for phase in PHASES[:4]]
ENDED = status("COMPLETED", "ended")


def test_warm_run_is_ok_and_names_its_pops() -> None:
    row = judge_run(ENDED, POPS)
    assert row.result == OK
    assert "3 targets at IAD12-P1, FRA56-P5, NRT57-P3 are warm and verified, 1 of them" in row.detail


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        (
            {"targets": {"total": 3, "outcomes": {"warmed": 2, "blocked": 1}, "verified": 3}},
            f"2 of 3 targets warm; {BLOCKED}",
        ),
        ({"targets": {"total": 3, "outcomes": {"warmed": 3}, "verified": 2}}, "2 of 3 targets were verified"),
        ({"targets": {"total": 0, "outcomes": {}, "verified": 0}}, "the run is completed"),
        ({"failedUrl": [URL]}, "3 of 3 targets warm"),
        (
            {"status": "FAILED", "error": "States.Runtime", "cause": "broken"},
            "3 of 3 targets warm; States.Runtime: broken",
        ),
        ({"status": "IN_PROGRESS"}, "the run did not end in time"),
    ],
)
def test_run_that_is_not_warm_is_a_failure(changed: dict[str, Any], detail: str) -> None:
    row = judge_run(ENDED | changed, POPS)
    assert (row.result, row.detail) == (FAILURE, detail)
    assert row.action


def test_advice_of_the_service_is_what_to_do() -> None:
    step = {
        "outcome": "unproven",
        "how": "raise the TTL",
        "link": "https://docs.example/#unproven",
        "urls": 1,
        "url": URL,
    }
    row = judge_run(ENDED | {"failedUrl": [URL], "nextSteps": [step]}, POPS)
    assert row.action == f"{URL}: raise the TTL; see https://docs.example/#unproven"


def test_fewer_than_three_pops_are_a_warning() -> None:
    assert judge_run(ENDED, POPS[:2]).result == WARNING


def test_failed_run_is_described_as_the_service_does() -> None:
    what = "404 Not Found at 3 POPs, such as IAD12-P1"
    failed = ENDED | {"failedUrl": [URL], "failures": [{"url": URL, "reasons": {"client_error": 3}, "what": what}]}
    targets = {"total": 3, "outcomes": {"client_error": 3}, "verified": 0}
    assert judge_run(failed | {"targets": targets}, POPS).detail == f"0 of 3 targets warm; {what}"


def test_transitions_are_written_in_words() -> None:
    detail = judge_transitions([*RUNNING, ENDED]).detail
    assert detail == (
        "the run was in progress, then completed (resolving, invalidating, warming, summing up, ended); "
        "the counts of 5 answers add up"
    )


def test_documented_transitions_are_ok_even_if_polls_miss_some() -> None:
    assert judge_transitions([*RUNNING, ENDED]).result == OK
    assert judge_transitions([RUNNING[0], RUNNING[2], ENDED]).result == OK
    assert judge_transitions([ENDED]).result == OK


@pytest.mark.parametrize(
    ("statuses", "problem"),
    [
        ([RUNNING[2], RUNNING[0], ENDED], "the phases went back"),
        ([status("IN_PROGRESS", "dreaming", left=1), ENDED], "unknown phases: dreaming"),
        ([RUNNING[0] | {"total": 2}, ENDED], "counts do not add up"),
        ([RUNNING[0], ENDED | {"successUrl": []}], "counts do not add up"),
        ([ENDED, RUNNING[3]], "the status went from completed to in progress"),
        ([RUNNING[0] | {"completed": 1, "inProgress": 0}, RUNNING[1]], "completed fell from 1 to 0"),
        ([RUNNING[0], ENDED | {"inProgress": 1, "completed": 0}], "ended with 1 URLs in progress"),
        ([RUNNING[0], ENDED | {"targets": {"total": 3, "done": 4}}], "4 of 3 targets are done"),
    ],
)
def test_transition_that_is_not_documented_is_found(statuses: list[dict[str, Any]], problem: str) -> None:
    assert any(problem in each for each in transition_problems(statuses))
    assert judge_transitions(statuses).result == FAILURE


CANCELLED = status("FAILED", "ended", reason="cancelled")


@pytest.mark.parametrize(
    ("last", "result"),
    [
        (CANCELLED, OK),
        (status("IN_PROGRESS", "summing_up", left=1), FAILURE),
        (ENDED, FAILURE),
        (status("FAILED", "ended", error="States.Runtime"), FAILURE),
        (CANCELLED | {"inProgress": 1}, FAILURE),
    ],
)
def test_run_counts_as_cancelled_only_if_it_ended_so(last: dict[str, Any], result: str) -> None:
    assert judge_cancel([RUNNING[0], last]).result == result


def test_invalidation_that_is_not_complete_in_time_is_a_warning() -> None:
    row = judge_invalidation(status("IN_PROGRESS", "invalidating", left=1), 1200)
    assert (row.result, row.detail) == (WARNING, "in progress after 1200 s")
    assert judge_invalidation(ENDED, 60).result == OK
    denied = status("FAILED", "ended", error="AccessDenied", cause="not authorized")
    assert judge_invalidation(denied, 5).detail.endswith("AccessDenied: not authorized")
