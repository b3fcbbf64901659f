"""GET /status: the contract's response from what Step Functions and the ledger say."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from aggregate.run_stats import measured_sums
from aggregate.summary import summarise
from api.http.pagination import Page, read_page
from api.runs.executions import Execution
from api.runs.status import contract_status, end_of_the_rest, status_of
from prewarm.catalogue import catalogue
from prewarm.planning.plan import Group, Plan, Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import roll_up
from prewarm.results.stats import measure
from tests.support.builders import plan

if TYPE_CHECKING:
    from prewarm.storage.run_store import Storage

URLS = [f"https://www.example.com/{number}" for number in range(4)]
RUNNING = Execution("run", "arn:aws:states:eu-west-1:1:execution:m:run", "RUNNING", "{}", "", "")
WHOLE = plan(
    url_count=4,
    targets=6,
    groups=(Group("d111.cloudfront.net", "E1", 0, 3, ("A", "B"), 2, (Skipped("C", "wrong_pop", "D"),)),),
)
CONTRACT = ("status", "total", "completed", "inProgress", "failedUrl", "inProgressUrl", "successUrl")


class Store:
    """A run's things, as far as a test has put them there."""

    def __init__(
        self,
        request: dict[str, Any] | None = None,
        plan: Plan | None = None,
        results: list[BatchResult] | None = None,
        dry_run: dict[str, Any] | None = None,
        summary: dict[str, Any] | None = None,
    ) -> None:
        self._summary = summary
        self.ledger = self
        self.retention_days = 30
        self._request, self._plan, self._results, self._dry_run = request, plan, results or [], dry_run

    def get_request(self, run: str) -> dict[str, Any] | None:
        assert run == "run"
        return self._request

    def get_dry_run(self, run: str) -> dict[str, Any] | None:
        assert run == "run"
        return self._dry_run

    def get_plan(self, run: str) -> Plan | None:
        assert run == "run"
        return self._plan

    def get_urls(self, run: str) -> list[str]:
        return URLS

    def get_summary(self, run: str) -> dict[str, Any] | None:
        return self._summary

    def results(self, run: str) -> list[BatchResult]:
        return self._results


def batch(url: int, failed: dict[str, int] | None = None) -> BatchResult:
    """Return the finished batch of one URL through both POPs."""
    return BatchResult(
        f"1-{url:06}", 0, 0, url, url + 1, 2, finished=True, done=2, outcomes={"warmed": 2}, verified=1, bytes=2,
        failed={url: failed} if failed else {},
    )  # fmt: skip


def ask(execution: Execution, **things: Any) -> dict[str, Any]:
    response = status_of(execution, cast("Storage", Store(**things)))
    json.dumps(response)
    assert response["total"] == response["completed"] + response["inProgress"]
    assert response["completed"] == len(response["successUrl"]) + len(response["failedUrl"])
    assert response["inProgress"] == len(response["inProgressUrl"])
    assert (response["requestID"], response["run"]) == (execution.arn, "run")
    return response


@pytest.mark.parametrize(
    ("status", "error", "expected", "rest"),
    [
        ("RUNNING", "", "IN_PROGRESS", None),
        ("PENDING_REDRIVE", "", "IN_PROGRESS", None),
        ("PENDING_REDRIVE", "Prewarm.DeadlinePassed", "IN_PROGRESS", None),
        ("SUCCEEDED", "", "COMPLETED", Outcome.LOST),
        ("TIMED_OUT", "", "TIMEOUT", Outcome.DEADLINE),
        ("FAILED", "Prewarm.DeadlinePassed", "TIMEOUT", Outcome.DEADLINE),
        ("FAILED", "Prewarm.NotWarm", "FAILED", Outcome.LOST),
        ("FAILED", "", "FAILED", Outcome.LOST),
        ("FAILED", "Prewarm.InvalidRequest", "FAILED", Outcome.REJECTED),
        ("ABORTED", "", "FAILED", Outcome.CANCELLED),
    ],
)
def test_each_status_of_an_execution_is_one_of_the_contracts(
    status: str, error: str, expected: str, rest: Outcome | None
) -> None:
    execution = replace(RUNNING, status=status, error=error)
    assert contract_status(execution) == expected
    assert end_of_the_rest(expected, execution) is rest


def test_before_the_plan_the_urls_come_from_the_stored_request() -> None:
    response = ask(RUNNING, request={"url_list": URLS[:2]})
    assert {name: response[name] for name in CONTRACT} == {
        "status": "IN_PROGRESS",
        "total": 2,
        "completed": 0,
        "inProgress": 2,
        "failedUrl": [],
        "inProgressUrl": URLS[:2],
        "successUrl": [],
    }
    assert response["failures"] == []


def test_before_the_plan_the_urls_of_a_direct_start_come_from_its_input() -> None:
    given = {"url_list": [URLS[0], URLS[0], URLS[1]], "region_type": "pop", "region": "ATL56-C1"}
    assert ask(replace(RUNNING, given=json.dumps(given)))["inProgressUrl"] == URLS[:2]


@pytest.mark.parametrize(
    ("given", "urls"),
    [
        ({"url_list": ["nonsense", 5, URLS[0]], "region": "nowhere"}, ["nonsense", URLS[0]]),
        ({"url_list": "nonsense"}, []),
        ({}, []),
        ([], []),
        ({"requestKey": "runs/other/request.json", "url_list": URLS}, []),
    ],
)
def test_of_a_rejected_direct_start_as_much_is_shown_as_can_be_read(given: object, urls: list[str]) -> None:
    execution = replace(
        RUNNING, status="FAILED", given=json.dumps(given), error="Prewarm.InvalidRequest", cause="region: wrong"
    )
    response = ask(execution)
    assert (response["status"], response["failedUrl"], response["inProgress"]) == ("FAILED", urls, 0)
    assert (response["error"], response["cause"]) == ("Prewarm.InvalidRequest", "region: wrong")


def test_an_input_that_is_no_json_has_no_urls() -> None:
    assert ask(replace(RUNNING, given="…"))["total"] == 0


def test_a_running_run_tells_what_is_done_so_far() -> None:
    response = ask(RUNNING, plan=WHOLE, results=[batch(0), batch(1, {"timeout": 1})])
    assert (response["successUrl"], response["inProgressUrl"]) == ([URLS[0]], [URLS[2]])
    assert response["failedUrl"] == [URLS[1], URLS[3]]
    assert response["failures"] == [
        {"url": URLS[1], "reasons": {"timeout": 1}, "coverage": 50.0},
        {"url": URLS[3], "reasons": {"no_distribution": 1}, "coverage": 0.0},
    ]
    assert response["skippedPops"] == [{"pop": "C", "reason": "wrong_pop", "detail": "D"}]
    assert response["targets"] == {"total": 6, "done": 4, "outcomes": {"warmed": 4}, "verified": 2, "layers": {}}
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
def test_a_run_that_has_ended_has_nothing_in_progress(status: str, error: str, expected: str, reason: str) -> None:
    execution = replace(RUNNING, status=status, error=error)
    response = ask(execution, plan=WHOLE, results=[batch(0)])
    assert (response["status"], response["inProgress"], response["total"]) == (expected, 0, 4)
    assert response["failures"][0] == {"url": URLS[1], "reasons": {reason: 2}, "coverage": 0.0}
    early = ask(execution, request={"url_list": URLS})
    if expected == "COMPLETED":
        # Nothing says that its URLs failed; what was kept of it has expired.
        assert (early["status"], early["total"], early["failedUrl"]) == (expected, 0, [])
        return
    assert (early["status"], early["failedUrl"]) == (expected, URLS)
    assert early["failures"][0] == {"url": URLS[0], "reasons": {reason: 1}, "coverage": 0.0}


def test_only_a_cancelled_run_says_so() -> None:
    assert ask(replace(RUNNING, status="ABORTED"), plan=WHOLE)["reason"] == "cancelled"
    assert "reason" not in ask(replace(RUNNING, status="FAILED"), plan=WHOLE)


@pytest.mark.parametrize("rest", [Outcome.LOST, Outcome.DEADLINE])
def test_an_ended_run_says_the_same_from_its_summary_as_from_its_ledger(rest: Outcome) -> None:
    ledger = [batch(0), batch(1, {"timeout": 1})]
    summary = summarise(WHOLE, roll_up(WHOLE, ledger, rest), URLS, 5.0, rest)
    summary |= measured_sums(WHOLE, measure(WHOLE, ledger), 0.0, catalogue()) | {"redrives": 0}
    error = "Prewarm.DeadlinePassed" if rest is Outcome.DEADLINE else "Prewarm.NotWarm"
    ended = replace(RUNNING, status="FAILED", error=error, cause="why")
    from_summary = ask(ended, plan=WHOLE, summary=summary)
    assert from_summary.pop("cost") == summary["cost"]
    assert from_summary == ask(ended, plan=WHOLE, results=ledger)


def test_pages_of_a_status_have_whole_counts_and_each_url_once() -> None:
    seen: list[str] = []
    page: Page | None = Page(0, 1)
    while page is not None:
        response = status_of(RUNNING, cast("Storage", Store(plan=WHOLE, results=[batch(0)])), page)
        assert (response["total"], response["completed"], response["inProgress"]) == (4, 2, 2)
        seen += response["successUrl"] + response["failedUrl"] + response["inProgressUrl"]
        page = read_page("1", response["nextToken"]) if "nextToken" in response else None
    assert seen == URLS
