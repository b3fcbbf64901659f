"""A run's stored documents without AWS, for unit tests of its progress and status."""

import json
from typing import Any, cast

from api.runs.executions import Execution
from api.runs.progress import Progress, find_progress
from api.runs.status import as_contract
from prewarm.planning.plan import Group, Plan, Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.storage.ledger_items import Control
from prewarm.storage.planned_runs import PlannedRun
from tests.support.builders import plan

URLS = [f"https://www.example.com/{number}" for number in range(4)]
RUNNING = Execution("run", "arn:aws:states:eu-west-1:1:execution:m:run", "RUNNING", "{}", "", "")
# Four URLs, the last of them without a distribution, and two POPs.
PLAN = plan(
    url_count=4,
    targets=6,
    groups=(Group("d111.cloudfront.net", "E1", 0, 3, ("A", "B"), 2, (Skipped("C", "wrong_pop", "D"),)),),
)


class FakeStore:
    """A storage with the documents that a test passes; it records the reads."""

    def __init__(
        self,
        request: dict[str, Any] | None = None,
        plan: Plan | None = None,
        results: list[BatchResult] | None = None,
        dry_run: dict[str, Any] | None = None,
        summary: dict[str, Any] | None = None,
        urls: list[str] | None = URLS,
        fetched: dict[int, str] | None = None,
        *,
        ended: bool = True,
        open_attempts: bool = False,
    ) -> None:
        self.ledger, self.ended, self.open_attempts = self, ended, open_attempts
        self.retention_days = 30
        self.reads: list[str] = []
        self._documents = {"request": request, "plan": plan, "dry_run": dry_run, "summary": summary}
        self._results, self._urls, self._fetched = results or [], urls, fetched or {}

    def _get(self, run: str, name: str) -> Any:
        assert run == "run"
        self.reads.append(name)
        return self._documents[name]

    def get_request(self, run: str) -> dict[str, Any] | None:
        return cast("dict[str, Any] | None", self._get(run, "request"))

    def get_dry_run(self, run: str) -> dict[str, Any] | None:
        return cast("dict[str, Any] | None", self._get(run, "dry_run"))

    def get_plan(self, run: str) -> Plan | None:
        return cast("Plan | None", self._get(run, "plan"))

    def get_planned(self, plan: Plan) -> PlannedRun:
        return PlannedRun(plan, self.get_urls(plan.run), self.get_fetched(plan.run, plan.respelled))

    def get_summary(self, run: str) -> dict[str, Any] | None:
        return cast("dict[str, Any] | None", self._get(run, "summary"))

    def get_urls(self, run: str) -> list[str]:
        self.reads.append("urls")
        if self._urls is None:
            raise FileNotFoundError(run)
        return self._urls

    def get_fetched(self, run: str, respelled: int) -> dict[int, str]:
        assert run == "run"
        if respelled:
            self.reads.append("fetched")
        return self._fetched if respelled else {}

    def control(self, run: str) -> Control:
        assert run == "run"
        return Control(ended=self.ended)

    def has_open_attempts(self, run: str) -> bool:
        assert run == "run"
        return self.open_attempts

    def results(self, run: str) -> list[BatchResult]:
        self.reads.append("ledger")
        return self._results


def batch(url: int, failed: dict[str, int] | None = None) -> BatchResult:
    """Return the finished batch of one URL through both POPs."""
    return BatchResult(
        f"1-{url:06}", 0, 0, url, url + 1, 2, finished=True, done=2, outcomes={"warmed": 2}, verified=1, bytes=2,
        failed={url: failed} if failed else {},
    )  # fmt: skip


def progress_of(execution: Execution, *, with_pops: bool = False, **documents: Any) -> Progress:
    """Return the progress from these documents."""
    store: Any = FakeStore(**documents)
    return find_progress(execution, store, with_pops=with_pops)


def status_of(execution: Execution, **documents: Any) -> dict[str, Any]:
    """Return the status from these documents, after checking its counts."""
    response = as_contract(progress_of(execution, **documents))
    json.dumps(response)
    assert response["total"] == response["completed"] + response["inProgress"]
    assert response["completed"] == len(response["successUrl"]) + len(response["failedUrl"])
    assert response["inProgress"] == len(response["inProgressUrl"])
    assert (response["requestID"], response["run"]) == (execution.arn, "run")
    return response
