"""A run's progress: which stored document it is read from, and what each of them yields."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from aggregate.run_stats import measured_sums
from aggregate.summary import summarise
from api.http.pagination import UrlStatus
from api.runs.executions import iso
from api.runs.progress import ENDING_SECONDS, find_progress
from prewarm.catalogue import catalogue
from prewarm.errors import Conflict
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import Verdict, roll_up
from prewarm.results.stats import measure
from tests.support.fake_store import PLAN, RUNNING, URLS, FakeStore, batch, progress_of, status_of

NOT_WARM = replace(RUNNING, status="FAILED", error="Prewarm.NotWarm", cause="why")


def summary_of(unfinished: Outcome = Outcome.LOST, **changes: Any) -> dict[str, Any]:
    """Return the summary of a run of two finished batches, one of them with a failure."""
    results = [batch(0), batch(1, {"timeout": 1})]
    summary = summarise(PLAN, roll_up(PLAN, results, unfinished), URLS, 5.0, unfinished)
    return summary | measured_sums(PLAN, measure(PLAN, results), 0.0, catalogue()) | {"redrives": 0} | changes


def usual_fields(failure: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a failure that every version has."""
    return {name: failure[name] for name in ("url", "reasons", "coverage")}


def test_without_a_plan_urls_come_from_the_stored_request() -> None:
    progress = progress_of(RUNNING, request={"url_list": URLS[:2]})
    assert progress.urls == [UrlStatus(url, Verdict.IN_PROGRESS) for url in URLS[:2]]
    assert (progress.cost, progress.dry_run, progress.expired) == (None, None, False)


def test_without_a_plan_urls_of_a_direct_start_come_from_its_input() -> None:
    request = {"url_list": [URLS[0], URLS[0], URLS[1]], "region_type": "pop", "region": "ATL56-C1"}
    progress = progress_of(replace(RUNNING, input=json.dumps(request)))
    assert [entry.url for entry in progress.urls] == URLS[:2]


@pytest.mark.parametrize(
    ("request_input", "urls"),
    [
        ({"url_list": ["nonsense", 5, URLS[0]], "region": "nowhere"}, ["nonsense", URLS[0]]),
        ({"url_list": "nonsense"}, []),
        ({}, []),
        ([], []),
        ({"requestKey": "runs/other/request.json", "url_list": URLS}, []),
    ],
)
def test_rejected_direct_start_shows_the_readable_urls(request_input: object, urls: list[str]) -> None:
    execution = replace(
        RUNNING,
        status="FAILED",
        input=json.dumps(request_input),
        error="Prewarm.InvalidRequest",
        cause="region: wrong",
    )
    response = status_of(execution)
    assert (response["status"], response["failedUrl"], response["inProgress"]) == ("FAILED", urls, 0)
    assert (response["error"], response["cause"]) == ("Prewarm.InvalidRequest", "region: wrong")


def test_input_that_is_not_json_has_no_urls() -> None:
    assert status_of(replace(RUNNING, input="…"))["total"] == 0


def test_running_run_reports_finished_batches() -> None:
    response = status_of(RUNNING, plan=PLAN, results=[batch(0), batch(1, {"timeout": 1})])
    assert (response["successUrl"], response["inProgressUrl"]) == ([URLS[0]], [URLS[2]])
    assert response["failedUrl"] == [URLS[1], URLS[3]]
    assert [usual_fields(failure) for failure in response["failures"]] == [
        {"url": URLS[1], "reasons": {"timeout": 1}, "coverage": 50.0},
        {"url": URLS[3], "reasons": {"no_distribution": 1}, "coverage": 0.0},
    ]
    assert response["skippedPops"] == [{"pop": "C", "reason": "wrong_pop", "detail": "D"}]
    assert response["targets"] == {
        "total": 6,
        "done": 4,
        "outcomes": {"warmed": 4},
        "verified": 2,
        "layers": {},
        "verifiedInPop": 0,
        "verifiedElsewhere": 0,
        "addresses": 0,
        "addressesProven": 0,
        "separatePops": [],
        "popsPerUrl": 2,
        "variants": 1,
    }
    assert "reason" not in response
    assert "error" not in response


@pytest.mark.parametrize(
    ("status", "error", "expected", "reason"),
    [
        ("ABORTED", "", "FAILED", "cancelled"),
        ("TIMED_OUT", "", "TIMEOUT", "deadline"),
        ("FAILED", "Prewarm.DeadlinePassed", "TIMEOUT", "deadline"),
        ("FAILED", "Lambda.Unknown", "FAILED", "lost"),
        ("SUCCEEDED", "", "COMPLETED", "lost"),
    ],
)
def test_ended_run_has_nothing_in_progress(status: str, error: str, expected: str, reason: str) -> None:
    execution = replace(RUNNING, status=status, error=error)
    response = status_of(execution, plan=PLAN, results=[batch(0)])
    assert (response["status"], response["inProgress"], response["total"]) == (expected, 0, 4)
    assert usual_fields(response["failures"][0]) == {"url": URLS[1], "reasons": {reason: 2}, "coverage": 0.0}
    early = status_of(execution, request={"url_list": URLS})
    if expected == "COMPLETED":
        # Its documents have expired, and there is no evidence that its URLs failed.
        assert (early["status"], early["total"], early["failedUrl"]) == (expected, 0, [])
        return
    assert (early["status"], early["failedUrl"]) == (expected, URLS)
    assert usual_fields(early["failures"][0]) == {"url": URLS[0], "reasons": {reason: 1}, "coverage": 0.0}


@pytest.mark.parametrize("unfinished", [Outcome.LOST, Outcome.DEADLINE])
def test_summary_and_ledger_of_an_ended_run_yield_the_same_status(unfinished: Outcome) -> None:
    summary = summary_of(unfinished)
    error = "Prewarm.DeadlinePassed" if unfinished is Outcome.DEADLINE else "Prewarm.NotWarm"
    ended = replace(NOT_WARM, error=error)
    from_summary = status_of(ended, plan=PLAN, summary=summary)
    assert from_summary.pop("cost") == summary["cost"]
    assert from_summary == status_of(ended, plan=PLAN, results=[batch(0), batch(1, {"timeout": 1})])


@pytest.mark.parametrize(
    ("documents", "reads"),
    [
        ({"summary": summary_of(), "plan": PLAN}, ["summary", "urls"]),
        ({"plan": PLAN}, ["summary", "plan", "urls", "ledger"]),
        ({"dry_run": {}}, ["summary", "plan", "dry_run"]),
        ({"request": {}}, ["summary", "plan", "dry_run", "request"]),
    ],
    ids=["summary", "ledger", "dry run", "request"],
)
def test_each_source_is_read_once_in_order(documents: dict[str, Any], reads: list[str]) -> None:
    store: Any = FakeStore(**documents)
    find_progress(NOT_WARM, store)
    assert store.reads == reads


def test_summary_of_a_running_run_is_not_read() -> None:
    store: Any = FakeStore(summary=summary_of(), plan=PLAN)
    assert find_progress(RUNNING, store).cost is None
    assert "summary" not in store.reads


def test_dry_run_has_its_result_and_no_urls() -> None:
    progress = progress_of(replace(RUNNING, status="SUCCEEDED"), dry_run={"targets": 6})
    assert (progress.dry_run, progress.urls, progress.totals) == ({"targets": 6}, (), {})


@pytest.mark.parametrize("documents", [{"summary": summary_of()}, {"plan": PLAN}], ids=["summary", "plan"])
def test_ended_run_whose_urls_have_expired_is_expired(documents: dict[str, Any]) -> None:
    progress = progress_of(NOT_WARM, urls=None, **documents)
    assert (progress.expired, progress.urls) == (True, ())
    assert "30 days" in progress.totals["warnings"][0]


def test_running_run_without_urls_is_a_damaged_run() -> None:
    with pytest.raises(Conflict, match=r"what is stored of the run cannot be read \(FileNotFoundError: run\)"):
        progress_of(RUNNING, urls=None, plan=PLAN)


@pytest.mark.parametrize(
    ("documents", "count"),
    [({"summary": summary_of()}, 2), ({"plan": PLAN}, 2), ({"request": {}}, 0)],
    ids=["summary", "ledger", "request"],
)
def test_pops_are_included_on_request_only(documents: dict[str, Any], count: int) -> None:
    assert progress_of(NOT_WARM, **documents).pops is None
    assert len(progress_of(NOT_WARM, with_pops=True, **documents).pops or []) == count


def test_failed_urls_are_those_with_a_failed_verdict() -> None:
    assert progress_of(NOT_WARM, summary=summary_of()).failed_urls() == URLS[1:]
    assert progress_of(RUNNING, plan=PLAN, results=[batch(0)]).failed_urls() == [URLS[3]]


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
@pytest.mark.parametrize(
    ("ago", "ended", "open_attempts", "ending"),
    [
        (1, False, False, True),
        (1, True, True, True),
        (1, True, False, False),
        (ENDING_SECONDS + 1, False, True, False),
    ],
)
def test_urls_of_a_stopped_run_are_not_decided_while_its_workers_write(
    status: str, ago: int, *, ended: bool, open_attempts: bool, ending: bool
) -> None:
    """A URL that a late part warms must not have been in failedUrl."""
    stopped = replace(RUNNING, status=status, ended_at=iso(dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago)))
    ledger = {"ended": ended, "open_attempts": open_attempts}
    response = status_of(stopped, plan=PLAN, results=[batch(0)], **ledger)
    assert response["successUrl"] == URLS[:1]
    assert (response["status"] == "IN_PROGRESS") is ending
    assert response["inProgressUrl"] == (URLS[1:3] if ending else [])
    assert response["failedUrl"] == (URLS[3:] if ending else URLS[1:])
