"""The summary and the Cause of a failed run: explained, within limits, with the summary's location."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from aggregate.summary import CAUSE_LIMIT, FAILURES_SHOWN, first_failures, run_verdict, step_lines, summarise
from prewarm.execution_status import DEADLINE_PASSED, NOT_WARM
from prewarm.planning.plan import Group, Plan, Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.failure_texts import WITHOUT_POPS
from prewarm.results.outcome import IN_WORDS, WARM, Outcome
from prewarm.results.rollup import roll_up
from tests.support.builders import plan

LOCATION = "s3://bucket/runs/run/summary.json"
COLD = sorted(set(Outcome) - WARM)
CUT_OFF = "the body ended early (status 200 received)"


def run_of(urls: int, **changes: Any) -> Plan:
    group = Group("d111.cloudfront.net", "E1", 0, urls, ("ATL56-C1", "NRT57-P3"), 2)
    return plan(groups=(group,), url_count=urls, targets=2 * urls, **changes)


def summed(
    failed: dict[int, dict[str, int]], urls: list[str] | None = None, whole: Plan | None = None, **changes: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the summary and the state's output of a run of 2 POPs."""
    texts = urls or [f"https://www.example.com/{number}" for number in range(4)]
    whole = whole or run_of(len(texts), **changes)
    ledger = [
        BatchResult(
            "1-000000", 0, 0, 0, len(texts), 2, finished=True, done=2 * len(texts), outcomes={}, verified=1, bytes=7,
            failed=failed,
        )
    ]  # fmt: skip
    summary = summarise(whole, roll_up(whole, ledger, Outcome.LOST), texts, 1010.5, Outcome.LOST)
    return summary, run_verdict(whole, summary, LOCATION)


def test_warm_run_passes() -> None:
    summary, output = summed({})
    assert output == {
        "passed": True,
        "warm": True,
        "error": NOT_WARM,
        "cause": f"4 of 4 URLs are warm, 0 failed.\nSummary: {LOCATION}",
        "total": 4,
        "success": 4,
        "failed": 0,
        "summary": LOCATION,
    }
    assert (summary["startedAt"], summary["endedAt"], summary["targetsDone"], summary["bytes"]) == (
        1000,
        1010.5,
        8,
        7,
    )


def test_cause_explains_the_first_failures() -> None:
    _, output = summed({1: {"client_error:404": 2}, 3: {"timeout": 1, "truncated:200": 1}}, percent_needed=60.0)
    assert output["cause"].splitlines() == [
        "2 of 4 URLs are warm, 2 failed.",
        "https://www.example.com/1: 404 Not Found at all 2 POPs",
        f"https://www.example.com/3: no complete response in time at 1 POP; {CUT_OFF} at 1 POP",
        f"Summary: {LOCATION}",
    ]
    assert (output["passed"], output["error"]) == (False, "Prewarm.NotWarm")


def test_most_frequent_reason_is_first() -> None:
    group = Group("d111.cloudfront.net", "E1", 0, 1, tuple("ABCD"), 4)
    whole = plan(groups=(group,), url_count=1)
    ledger = [BatchResult("b", 0, 0, 0, 1, 4, True, 4, {}, 0, 0, {0: {"timeout": 1, "blocked": 3}})]
    summary = summarise(whole, roll_up(whole, ledger), ["https://www.example.com/"], 0.0, Outcome.LOST)
    line = run_verdict(whole, summary, LOCATION)["cause"].splitlines()[1]
    assert line.index("refused") < line.index("at 3 POPs") < line.index("in time") < line.index("at 1 POP")


def test_fail_on_none_passes_with_the_same_summary() -> None:
    failing = {0: {"timeout": 2}}
    strict, lenient = summed(failing), summed(failing, fail_on="none")
    assert strict[0] == lenient[0]
    assert (strict[1]["passed"], lenient[1]["passed"]) == (False, True)
    assert (lenient[1]["warm"], lenient[1]["failed"]) == (False, 1)


def test_passed_deadline_has_its_own_error() -> None:
    assert summed({0: {"deadline": 2}, 1: {"timeout": 2}})[1]["error"] == DEADLINE_PASSED
    assert summed({0: {"timeout": 2}})[1]["error"] == NOT_WARM


def test_deadline_of_successful_urls_is_not_an_error() -> None:
    _, output = summed({0: {"deadline": 1}, 1: {"timeout": 2}}, percent_needed=50.0)
    assert (output["failed"], output["error"]) == (1, NOT_WARM)


def test_failures_beyond_the_limit_are_counted() -> None:
    urls = [f"https://www.example.com/{number}" for number in range(FAILURES_SHOWN + 5)]
    _, output = summed({number: {"timeout": 2} for number in range(len(urls))}, urls)
    lines = output["cause"].splitlines()
    assert len(lines) == 1 + FAILURES_SHOWN + 2
    assert lines[-2:] == ["and 5 more URLs", f"Summary: {LOCATION}"]


@given(
    st.integers(1, 30),
    st.integers(1, 8000),
    st.lists(st.sampled_from(COLD), min_size=1, unique=True),
)
@bounded(max_examples=40, deadline=None)
def test_error_and_cause_are_within_limits_and_end_with_the_summary(
    count: int, length: int, reasons: list[Outcome]
) -> None:
    urls = [f"https://www.example.com/{number}/" + "a" * length for number in range(count)]
    group = Group("d111.cloudfront.net", "E1", 0, count, tuple(map(str, range(len(reasons)))), len(reasons))
    whole = plan(groups=(group,), url_count=count)
    failed = {number: {reason.value: 1 for reason in reasons} for number in range(count)}
    ledger = [BatchResult("b", 0, 0, 0, count, len(reasons), True, count * len(reasons), {}, 0, 0, failed)]
    output = run_verdict(whole, summarise(whole, roll_up(whole, ledger), urls, 0.0, Outcome.LOST), LOCATION)
    lines = output["cause"].splitlines()
    assert len(output["cause"]) <= CAUSE_LIMIT
    assert len(output["error"]) <= 256
    assert lines[0].startswith(f"0 of {count} URLs are warm")
    assert lines[-1] == f"Summary: {LOCATION}"
    assert (f"and {count - FAILURES_SHOWN} more URLs" in lines) == (count > FAILURES_SHOWN)
    assert "https://www.example.com/0/" in lines[1]


def test_summary_and_cause_redact_secrets() -> None:
    summary, output = summed({0: {"blocked": 2}}, ["https://www.example.com/?Signature=s3cret"])
    assert "s3cret" not in str(summary) + str(output)
    assert "Signature=…" in output["cause"]


def test_url_without_distribution_is_explained() -> None:
    whole = run_of(1, percent_needed=100.0)
    whole = plan(groups=whole.groups, url_count=2)
    summary = summarise(
        whole, roll_up(whole, [], Outcome.LOST), ["https://www.example.com/", "https://x.example/"], 0, Outcome.LOST
    )
    lines = run_verdict(whole, summary, LOCATION)["cause"].splitlines()
    assert lines[1].endswith(": no result (the run or its worker failed before it reported one) at 2 POPs")
    assert lines[2].startswith("https://x.example/: no distribution of this account serves the URL's host")


def test_summary_lists_failures_with_coverage_and_skipped_pops() -> None:
    group = Group(
        "d111.cloudfront.net", "E1", 0, 1, ("ATL56-C1", "NRT57-P3"), 2, (Skipped("SYD1-C1", "wrong_pop", "x"),)
    )
    summary, _ = summed({0: {"timeout": 1}}, ["https://www.example.com/0"], plan(groups=(group,), url_count=1))
    assert summary["failures"] == [
        {
            "index": 0,
            "url": "https://www.example.com/0",
            "reasons": {"timeout": 1},
            "warm": 1,
            "reachable": 2,
            "coverage": 50.0,
            "everywhere": False,
            "kinds": {"timeout": 1},
            "statuses": {"none": 1},
            "example": None,
        }
    ]
    assert summary["skippedPops"] == [{"pop": "SYD1-C1", "reason": "wrong_pop", "detail": "x"}]
    assert (summary["success"], summary["failed"], summary["total"]) == (0, 1, 1)


@pytest.mark.parametrize("outcome", COLD)
def test_every_outcome_has_an_explanation(outcome: Outcome) -> None:
    cause = summed({0: {outcome.value: 2}})[1]["cause"]
    assert IN_WORDS[outcome] in cause
    assert "at 2 POPs" in cause.replace("at all 2", "at 2") or outcome in WITHOUT_POPS


def test_failures_of_a_summary_stored_earlier_are_explained_by_their_reasons() -> None:
    summary, _ = summed({0: {"timeout": 2}})
    older = summary | {
        "failures": [
            {name: entry[name] for name in ("index", "url", "reasons", "warm", "reachable", "coverage")}
            for entry in summary["failures"]
        ]
    }
    del older["nextSteps"], older["variants"]
    assert first_failures(older) == [
        "https://www.example.com/0: no complete response in time (timeout, 2 of 2 targets)"
    ]
    assert step_lines(older) == []
