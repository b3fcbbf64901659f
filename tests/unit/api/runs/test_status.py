"""GET /status: the form of the response, its reasons and its pages."""

from dataclasses import replace

from aggregate.summary import summarise
from api.http.pagination import Page, UrlStatus, parse_page
from api.runs.status import as_contract
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import roll_up
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


def test_status_leads_to_the_console_only_where_there_is_one() -> None:
    progress = progress_of(RUNNING, plan=PLAN)
    assert as_contract(progress)["consoleUrl"].startswith("https://")
    assert "consoleUrl" not in as_contract(progress, has_console=False)


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


FORMS = {1: "https://www.example.com/%5E1", 3: "https://www.example.com/%273"}


def test_page_has_the_fetched_forms_of_its_urls() -> None:
    respelled = replace(PLAN, respelled=2, duplicates=5)
    whole = as_contract(progress_of(RUNNING, plan=respelled, results=[batch(0)], fetched=FORMS))
    assert whole["fetched"] == {URLS[1]: FORMS[1], URLS[3]: FORMS[3]}
    assert whole["duplicates"] == 5
    page = as_contract(progress_of(RUNNING, plan=respelled, fetched=FORMS), Page(1, 2))
    assert page["fetched"] == {URLS[1]: FORMS[1]}


def test_fetched_forms_count_towards_the_size_of_a_page() -> None:
    long = UrlStatus(
        "https://www.example.com/" + "a" * 100, "success", fetched="https://www.example.com/" + "b" * 100
    )
    assert long.max_bytes() > 3 * 120


def test_status_of_a_plan_and_summary_stored_earlier_has_no_fetched_forms() -> None:
    assert status_of(RUNNING, plan=PLAN)["fetched"] == {}
    results = [batch(0), batch(1), batch(2)]
    summary = summarise(PLAN, roll_up(PLAN, results), URLS, 5.0, Outcome.LOST) | {"pops": [], "cost": {}}
    for name in ("duplicates", "respelled"):
        del summary[name]
    ended = replace(RUNNING, status="FAILED", error="Prewarm.NotWarm")
    summary |= {"redrives": 0, "executionStatus": "FAILED"}
    response = status_of(ended, summary=summary)
    assert (response["fetched"], response["duplicates"]) == ({}, 0)


def test_duplicates_are_known_before_the_plan_exists() -> None:
    assert status_of(RUNNING, request={"url_list": URLS[:2], "duplicates": 3})["duplicates"] == 3
