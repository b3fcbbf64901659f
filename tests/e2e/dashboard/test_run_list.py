"""The list of runs: what it shows, its filters and pages, the look-up of a URL, and a run's request started again."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import TIMEOUT_MS, Visit
from tests.support.service import DASHBOARD_SERVICE, HOST, Service

pytestmark = DASHBOARD_SERVICE

PAGE, ABSENT = f"https://{HOST}/page/7.html", f"https://{HOST}/list/absent.html"
REQUEST: dict[str, Any] = {"region_type": "country", "region": ["singapore"], "verify": "none"}
EARLIER: dict[str, Any] = {
    "requestID": "arn:old", "run": "old", "status": "COMPLETED", "startedAt": "2026-01-02T03:04:05Z",
    "endedAt": "2026-01-02T03:05:05Z", "startedBy": None, "label": None, "hosts": [], "hostCount": None,
    "regionType": None, "region": [], "locations": [], "pops": None, "total": None, "warm": None, "failed": None,
    "targets": None, "dollars": None, "dryRun": False,
}  # fmt: skip
FULL = EARLIER | {
    "run": "full", "status": "CANCELLED", "startedBy": "k3y1d", "label": "<i>main</i>", "regionType": "region",
    "region": ["eu", "jp"], "hosts": ["a.example", "b.example", "c.example"], "hostCount": 9, "pops": 213,
    "total": 40, "warm": 30, "failed": 10, "dollars": 1.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def labelled(service: Service) -> str:
    """Return the name of a failed run with a label, a header, a secret and an option without a field."""
    secret = {"Cookie": "session=1", "Accept-Language": "de"}
    more = {"label": "shop release 42", "headers": secret, "max_bytes": 1_000_000, "timeout_minutes": 9}
    request_id = service.start(REQUEST | {"url_list": [PAGE, ABSENT]} | more)
    assert service.statuses(request_id)[-1]["status"] == "FAILED"
    return request_id.rpartition(":")[2]


def test_list_shows_who_started_what_where_with_which_result_and_pages_through_filters(
    visit: Visit, service: Service, labelled: str
) -> None:
    for _ in range(2):
        service.start(REQUEST | {"url_list": [PAGE]})
    visitor = visit()
    queries: list[str] = []

    def one_by_one(route: Route) -> None:
        queries.append(route.request.url)
        route.continue_(url=re.sub(r"limit=\d+", "limit=1", route.request.url))

    visitor.page.route(re.compile(r"/runs\?"), one_by_one)
    page = visitor.open()
    runs, more = page.locator("[data-runs] li"), page.get_by_role("button", name="Load more")
    expect(runs).to_have_count(1, timeout=TIMEOUT_MS)
    more.click()
    expect(runs).to_have_count(2)
    page.get_by_text("Find runs by label, host or time").click()
    page.get_by_label("Label", exact=True).fill("shop release 42")
    page.get_by_label("Host", exact=True).fill("WWW.example.com")
    page.get_by_label("Started since").fill("2026-01-01")
    page.get_by_role("button", name="Find runs").click()
    entry = runs.filter(has_text="shop release 42")
    expect(entry).to_have_count(1)
    for text in (labelled, "1 of 2 URLs warm, 1 failed", HOST, "Singapore", "POPs", "$0.0", "by API key", "failed"):
        expect(entry).to_contain_text(text)
    assert "label=shop+release+42" in queries[-1]
    assert f"host={HOST}" in queries[-1]
    assert "since=2026-01-01" in queries[-1]
    page.get_by_label("Host", exact=True).fill("no host")
    page.get_by_role("button", name="Find runs").click()
    expect(page.locator("#find-host-error")).to_contain_text("host")
    visitor.expect_status(400)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#find-host-error")).to_be_empty()
    page.get_by_label("Status").select_option("FAILED")
    expect(runs.first).to_contain_text("failed")
    while page.get_by_role("link", name="shop release 42").count() == 0:
        before = runs.count()
        more.click()
        expect(runs).not_to_have_count(before)
    assert all("failed" in line for line in runs.all_inner_texts())

    # Fields that the runs of these tests lack, and those of an earlier version, which has none of them.
    document = json.dumps({"runs": [FULL, EARLIER]})
    page.unroute_all()
    page.route(re.compile(r"/runs\?"), lambda route: route.fulfill(content_type="application/json", body=document))
    page.get_by_label("Status").select_option("")
    expect(runs).to_have_count(2)
    hosts, places = "a.example, b.example, c.example and 6 more", "Europe, Japan · 213 POPs"
    for text in ("<i>main</i>", "30 of 40 URLs warm, 10 failed", hosts, places, "$1.50", "started by API key k3y1d"):
        expect(runs.first).to_contain_text(text)
    expect(runs.first.locator(".chip")).to_have_class("chip cancelled")
    assert "null" not in runs.last.inner_text()
    assert "undefined" not in runs.last.inner_text()


def test_look_up_says_when_a_url_was_last_warm_and_how_far_it_looked(visit: Visit, labelled: str) -> None:
    visitor = visit()
    page = visitor.open()
    url, result = page.get_by_label("When was this URL last warm?"), page.locator("[data-lookup-result]")
    look_up = page.get_by_role("button", name="Look up")
    look_up.click()
    expect(page.locator("#lookup-error")).to_have_text("Enter the URL to look for")
    url.fill(PAGE)
    look_up.click()
    expect(result).to_contain_text(re.compile(r"Warm at (\d+) of \1 on"))
    expect(result).to_contain_text(re.compile(r"Looked through \d+ runs? of its host in the last 30 days"))
    url.fill(ABSENT)
    look_up.click()
    expect(result).to_contain_text("Not warm after any run of the last 30 days.")
    expect(result).to_contain_text("warm at 0 of")
    url.fill("www.example.com/app.js")
    look_up.click()
    expect(page.locator("#lookup-error")).to_contain_text("did you mean https://www.example.com/app.js?")
    expect(result).to_be_hidden()
    visitor.expect_status(400)
    url.fill(PAGE)
    look_up.click()
    result.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert labelled


def test_request_that_is_opened_before_the_page_is_ready_is_shown(visit: Visit, labelled: str) -> None:
    visitor = visit()
    held: list[Route] = []
    visitor.page.route("**/pops", lambda route: held.append(route))  # noqa: PLW0108 - Playwright sets attributes on the handler
    with visitor.page.expect_request("**/pops"):
        page = visitor.open(f"#/run/{labelled}")
    page.locator("[data-request] summary").click()
    held[0].continue_()
    expect(page.get_by_role("region", name="Request")).to_contain_text(PAGE, timeout=5_000)


def test_request_of_a_run_is_shown_and_started_again_with_changes(visit: Visit, labelled: str) -> None:
    visitor = visit()
    page = visitor.open(f"#/run/{labelled}")
    page.locator("[data-request] summary").click()
    request = page.get_by_role("region", name="Request")
    for text in (
        PAGE,
        ABSENT,
        "Singapore",
        "shop release 42",
        "Accept-Language: de",
        "Cookie: …",
        "max bytes: 1000000",
    ):
        expect(request).to_contain_text(text)
    expect(request).not_to_contain_text("session=1")
    expect(request).not_to_contain_text("max concurrency")  # has its default
    page.locator("[data-again]").click()
    expect(page.get_by_label("URLs, one per line")).to_have_value(f"{PAGE}\n{ABSENT}")
    expect(page.get_by_role("checkbox", name=re.compile("Singapore"))).to_be_checked()
    expect(page.get_by_label("Verify with a second fetch")).to_have_value("none")
    expect(page.get_by_label("Timeout (minutes)")).to_have_value("9")
    expect(page.get_by_label("Concurrency")).to_have_value("")
    expect(page.locator("[data-carried]")).to_contain_text("max bytes: 1000000")
    expect(page.locator("[data-carried]")).to_contain_text("headers.Cookie")
    # A placeholder of a secret is never sent.
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("#headers-error")).to_contain_text("… stands for a secret of the earlier run")
    page.get_by_label("Request headers").fill("Accept-Language: fr\nNo header")
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("#headers-error")).to_contain_text("'No header' is not a header; write it as Name: value")
    page.get_by_label("Request headers").fill("Accept-Language: fr")
    page.get_by_label("URLs, one per line").fill(PAGE)
    with page.expect_request("**/prewarm") as sent:
        page.get_by_role("button", name="Start the run").click()
    assert sent.value.post_data_json == {
        "url_list": [PAGE], "region_type": "country", "region": ["singapore"], "verify": "none", "fail_on": "any",
        "timeout_minutes": 9, "label": "shop release 42", "headers": {"Accept-Language": "fr"},
        "max_bytes": 1_000_000,
    }  # fmt: skip
    page.wait_for_url(re.compile("#/run/"))
