"""GET /status: the form of the response, its reasons and its pages."""

from dataclasses import replace

from api.http.pagination import Page, parse_page
from api.runs.status import as_contract
from tests.support.fake_store import PLAN, RUNNING, URLS, batch, progress_of, status_of

CONTRACT = ("status", "total", "completed", "inProgress", "failedUrl", "inProgressUrl", "successUrl")


def test_status_has_the_fields_of_the_contract() -> None:
    response = status_of(RUNNING, request={"url_list": URLS[:2]})
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


def test_only_a_cancelled_run_has_a_reason() -> None:
    assert status_of(replace(RUNNING, status="ABORTED"), plan=PLAN)["reason"] == "cancelled"
    assert "reason" not in status_of(replace(RUNNING, status="FAILED"), plan=PLAN)


def test_failures_are_explained_in_words() -> None:
    response = status_of(RUNNING, plan=PLAN, results=[batch(1, {"timeout": 1})])
    assert set(response["words"]) == {"timeout", "no_distribution"}


def test_dry_run_has_no_failures() -> None:
    response = status_of(replace(RUNNING, status="SUCCEEDED"), dry_run={"targets": 6})
    assert response["dryRun"] == {"targets": 6}
    assert not {"failures", "words", "targets", "cost"} & set(response)


def test_pages_have_complete_counts_and_each_url_once() -> None:
    seen: list[str] = []
    page: Page | None = Page(0, 1)
    while page is not None:
        response = as_contract(progress_of(RUNNING, plan=PLAN, results=[batch(0)]), page)
        assert (response["total"], response["completed"], response["inProgress"]) == (4, 2, 2)
        seen += response["successUrl"] + response["failedUrl"] + response["inProgressUrl"]
        page = parse_page("1", response["nextToken"]) if "nextToken" in response else None
    assert seen == URLS
