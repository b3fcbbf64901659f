"""The dashboard on the embedded stack: start, follow, open, retry and cancel runs."""

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import TIMEOUT_MS, Visit, Visitor
from tests.support.service import DASHBOARD_SERVICE, HOST, Service

pytestmark = DASHBOARD_SERVICE

PAGES = [f"https://{HOST}/page/{number}.html" for number in range(10)]
ABSENT = f"https://{HOST}/absent.html"
HOSTILE = f"https://{HOST}/<img/src=x/onerror=alert(1)>"
# A limit on requests per second, so that a run takes some seconds and its progress is visible.
SLOW = {"max_concurrency": 1, "max_rps": 150}
MAPS_PICTURED = 3
STATE_LABELS = {"partly": "partly warm", "skipped": "skipped"}
MARKS = "all => all.map(each => [each.classList[1], each.getAttribute('aria-label')])"
HIDE_OR_SHOW = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def request(urls: list[str], **more: Any) -> dict[str, Any]:
    return {"url_list": urls, "region_type": "country", "region": ["singapore", "south_korea"]} | more


def test_run_from_the_form_to_its_failed_urls_and_the_next_step(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.goto(visitor.api)  # the bare stage, without a slash
    page.get_by_label("API key", exact=True).fill(visitor.key)
    page.get_by_role("button", name="Open the dashboard").click()
    page.get_by_label("URLs, one per line").fill("\n".join([*PAGES, ABSENT, HOSTILE]))
    page.get_by_role("radio", name="Countries").check()
    for country in ("Singapore", "South Korea", "Germany"):
        page.get_by_label("Search locations").fill(country)
        # The list is filtered a moment after the typing; until then a click may hit another row.
        expect(page.locator("[data-list] label:visible")).to_have_count(1, timeout=TIMEOUT_MS)
        page.get_by_role("checkbox", name=re.compile(country)).check()
    visitor.picture("start-form", full_page=True)

    page.get_by_role("button", name="Estimate only").click()
    estimate = page.get_by_role("region", name="Estimate")
    expect(estimate).to_contain_text("12", timeout=TIMEOUT_MS)
    expect(estimate).to_contain_text("$")
    expect(estimate.get_by_text("prices of")).to_be_visible()

    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Label, to find the run by").fill("shop 1a2b3c4")
    page.get_by_label("Concurrency").fill("1")
    page.get_by_label("Max requests per second").fill("300")
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url(re.compile(r"#/run/\d{8}T\d{6}Z-[0-9a-f]{16}$"))

    changes = map_states(visitor)
    unfinished = {state for states in changes[:-1] for state in states if state in {"cold", "warming"}}
    assert unfinished, f"the map was shown only after the end: {changes}"
    # Every POP has the pages. The broken URLs fail everywhere, which is their own problem.
    assert set(changes[-1]) == {"warm", "skipped"}
    assert changes[-1].count("warm") == 3
    expect(page.locator("[data-judged]")).to_have_text(
        "2 URLs failed everywhere. Map and POPs count only the other URLs; the table has these failures apart."
    )
    expect(page.locator("[data-chip]")).to_have_text(re.compile("failed"))
    expect(page.get_by_role("progressbar", name="Targets tried")).to_have_attribute("aria-valuenow", "100")
    expect(page.locator("[data-figures]")).to_contain_text("10 of 12")
    expect(page.locator("[data-figures]")).to_contain_text("2 failed")
    visitor.picture("run-ended", full_page=True)

    check_failures(page)
    # A repetition would not help, so the main button leads to a changed request.
    expect(page.get_by_role("button", name="Retry failed URLs")).to_be_hidden()
    main = page.get_by_role("button", name="Run again with changes…")
    expect(main).to_have_class("primary")
    main.click()
    expect(page.get_by_label("URLs, one per line")).to_have_value("\n".join([*PAGES, ABSENT, HOSTILE]))


def check_failures(page: Page) -> None:
    """Check what a run's page says about ABSENT and HOSTILE, which are missing everywhere."""
    failure = page.get_by_role("button", name=ABSENT)
    failure.click()
    expect(failure).to_have_attribute("aria-expanded", "true")
    expect(page.locator("tr.details")).to_contain_text("Warm at 0 %")
    details = page.locator("tr.details")
    expect(details).to_contain_text("the origin answered with a 4xx (client_error")
    expect(details).to_contain_text(re.compile(r"404 Not Found at all \d+ POPs, such as \w+-\w+ \(x-amz-cf-id \S+\)"))
    expect(details.get_by_role("list", name="HTTP statuses")).to_have_text(re.compile(r"404 × \d+"))
    assert page.get_by_role("button", name=HOSTILE).inner_text() == HOSTILE, "markup was parsed"
    assert page.locator("td img").count() == 0
    reasons = page.get_by_role("region", name="Why targets are not warm")
    expect(reasons).to_contain_text("the origin answered with a 4xx")
    # What failed comes before the map, by cause, with the next step; at how many targets a URL is warm is a count.
    failed = page.get_by_role("region", name="2 URLs failed")
    expect(failed).to_contain_text("2 URLs: 404 Not Found")
    expect(failed).to_contain_text(ABSENT)
    expect(failed).to_contain_text("404 Not Found at")
    expect(failed).to_contain_text("Next step: publish the file, or take the URL off the list")
    assert "#client_error" in (failed.get_by_role("link", name="How to do that").get_attribute("href") or "")
    row = page.locator("table.urls tbody tr").filter(has_text=PAGES[0])
    expect(row).to_contain_text(re.compile(r"(\d+) of \1"))
    expect(page.locator("article > header")).to_contain_text("shop 1a2b3c4")


def map_states(visitor: Visitor) -> list[list[str]]:
    """Return the cities' states at each change, until the run has ended."""
    page = visitor.page
    page.wait_for_selector("g[data-city]")
    changes: list[list[str]] = []
    until = time.monotonic() + TIMEOUT_MS / 1000
    while time.monotonic() < until:
        ended = page.locator("[data-again]:visible").count() > 0
        marks = page.eval_on_selector_all("g[data-city]", MARKS)
        for state, label in marks:
            assert STATE_LABELS.get(state, state) in label, "colour and label differ"
        now = [state for state, _ in marks]
        if not changes or changes[-1] != now:
            changes.append(now)
            if len(changes) <= MAPS_PICTURED:
                visitor.picture(f"map-{len(changes)}")
        if ended:
            return changes
        page.wait_for_timeout(150)
    raise AssertionError("the run did not end")


def test_selected_city_filters_the_table_of_pops(visit: Visit, ended_run: str) -> None:
    page = visit().open_run(ended_run)
    page.wait_for_selector("g[data-city]")
    rows = page.locator("table.pops tbody tr")
    all_rows = rows.count()
    city = page.get_by_role("button", name=re.compile(r"^Singapore"))
    city.click()
    expect(city).to_have_attribute("aria-pressed", "true")
    assert 0 < rows.count() < all_rows
    assert {name[:3] for name in rows.locator("td:first-child").all_inner_texts()} == {"SIN"}
    city.press("Enter")
    expect(city).to_have_attribute("aria-pressed", "false")
    assert rows.count() == all_rows
    # Arrow keys move between cities, which are one tab stop.
    city.press("ArrowRight")
    expect(page.get_by_role("button", name=re.compile(r"^Seoul|^Incheon"))).to_be_focused()
    assert page.locator("g[data-city][tabindex='0']").count() == 1
    # Sorted by a column in both directions, with few enough rows for one page.
    page.locator("#pop-search").fill("korea")
    expect(page.locator("[data-pops] [data-range]")).to_have_text(re.compile(r"^1 to (\d+) of \1$"))
    column = page.locator("table.pops").get_by_role("button", name="POP")
    column.click()
    names = rows.locator("td:first-child").all_inner_texts()
    assert len(set(names)) > 3
    assert names == sorted(names)
    column.click()
    assert rows.locator("td:first-child").all_inner_texts() == names[::-1]
    expect(page.locator("table.pops th").first).to_have_attribute("aria-sort", "descending")


def test_map_zooms_to_world_regions_with_marks_of_constant_size(visit: Visit, ended_run: str) -> None:
    page = visit().open_run(ended_run)
    page.wait_for_selector("g[data-city]")
    world, ring = page.locator("svg.world"), page.locator("g[data-city] .ring").first
    parts = page.eval_on_selector_all("#map-view option", "all => all.map(each => each.value)")
    assert len(parts) == 8
    widths = {}
    for part in parts:
        page.get_by_label("Show").select_option(part)
        x, y, width, height = map(float, (world.get_attribute("viewBox") or "").split())
        assert x >= 0
        assert x + width <= 3600
        assert y >= 58
        assert y + height <= 1502
        widths[part] = width
        box = ring.evaluate("each => each.getBoundingClientRect().width")
        assert box == pytest.approx(ring.evaluate("each => 2 * each.r.baseVal.value"), rel=0.05)
    assert widths.pop("world") == pytest.approx(3600, abs=3)
    assert max(widths.values()) < 2400


@pytest.fixture(scope="module")
def ended_run(service: Service) -> str:
    """Return a failed run: two URLs warm, one missing at every POP."""
    request_id = service.start(request([*PAGES[:2], ABSENT]))
    assert service.statuses(request_id)[-1]["status"] == "FAILED"
    return request_id


def test_run_is_cancelled_only_after_confirmation(visit: Visit, service: Service) -> None:
    request_id = service.start(request(PAGES, verify="none", **SLOW | {"max_rps": 20}))
    page = visit().open_run(request_id)
    cancel, dialog = page.get_by_role("button", name="Cancel", exact=True), page.get_by_role("dialog")
    cancel.click()
    expect(dialog).to_be_visible()
    expect(page.get_by_role("button", name="Keep it running")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(cancel).to_be_focused()
    cancel.click()
    dialog.get_by_role("button", name="Keep it running").click()
    expect(dialog).to_be_hidden()
    assert service.get_status(request_id).json()["status"] == "IN_PROGRESS"
    cancel.click()
    dialog.get_by_role("button", name="Cancel the run").click()
    expect(page.locator("[data-chip]")).to_have_text(re.compile("cancelled"))
    expect(page.get_by_text("The run was cancelled.")).to_be_visible()
    expect(page.get_by_role("region", name="Why targets are not warm")).to_contain_text("the run was cancelled")
    expect(cancel).to_be_hidden()
    assert service.get_status(request_id).json()["reason"] == "cancelled"
    # The rest can be warmed by the same request, so this is the main button.
    expect(page.locator("[data-failed]")).to_contain_text("retry when you want the rest")
    retry, before = page.get_by_role("button", name="Warm the rest"), page.url
    expect(retry).to_have_class("primary")
    retry.click()
    page.wait_for_url(lambda url: "#/run/" in url and url != before)
    service.call("DELETE", "/prewarm", requestID=page.url.rpartition("/")[2])


def test_report_opens_in_a_new_tab(visit: Visit, ended_run: str) -> None:
    visitor = visit()
    page = visitor.open_run(ended_run)
    with visitor.context.expect_page() as opened:
        page.get_by_role("button", name="Report", exact=True).click()
    report = opened.value
    report.wait_for_url(re.compile("report.html"))
    expect(report.locator("body")).to_contain_text(ended_run.rpartition(":")[2])
    assert report.evaluate("window.opener") is None
    assert "#/run/" in page.url
    expect(page.locator("[data-problem]")).to_be_hidden()


def test_hidden_tab_sends_no_requests(visit: Visit, service: Service) -> None:
    request_id = service.start(request(PAGES, verify="none", **SLOW | {"max_rps": 30}))
    visitor = visit()
    polls: list[float] = []
    visitor.page.on("request", lambda sent: polls.append(time.monotonic()) if "/status" in sent.url else None)
    page = visitor.open_run(request_id)
    page.evaluate(HIDE_OR_SHOW, True)
    page.wait_for_timeout(500)  # for a response that is on its way
    before = len(polls)
    page.wait_for_timeout(1_500)  # longer than the pause between the first polls
    assert len(polls) == before, "a hidden tab sent a request"
    page.evaluate(HIDE_OR_SHOW, False)
    page.wait_for_timeout(600)
    assert len(polls) > before
    service.call("DELETE", "/prewarm", requestID=request_id)


def test_dry_run_execution_shows_its_estimate(visit: Visit, service: Service) -> None:
    given = json.dumps(request(PAGES[:2], dry_run=True))
    arn = service.client("stepfunctions").start_execution(
        stateMachineArn=service.ready["stateMachineArn"], name=f"dry-{time.time_ns()}", input=given
    )["executionArn"]
    page = visit().open_run(arn)
    expect(page.get_by_role("heading", name="Dry run: estimate")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.locator("[data-result]")).to_contain_text("2 URLs through")
    for part in ("[data-urls]", "[data-map]", "[data-retry]", "[data-meter]"):
        expect(page.locator(part)).to_be_hidden()
