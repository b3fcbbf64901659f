"""The dashboard in a browser, on the embedded stack: runs started, watched, opened, retried and cancelled."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.browsing import ENDED, PATIENCE_MS, Visitor
from tests.e2e.conftest import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE

PAGES = [f"https://{HOST}/page/{number}.html" for number in range(24)]
ABSENT = f"https://{HOST}/absent.html"
HOSTILE = f"https://{HOST}/<img/src=x/onerror=alert(1)>"
REFUSED = f"https://{HOST}/<img src=x onerror=alert(1)>"
# Every URL at once is over before one has looked: so many fetches a second make a run last some seconds.
SLOW = {"max_concurrency": 1, "max_rps": 150}
MAPS_PICTURED = 3
Visit = Callable[..., Visitor]
IN_WORDS = {"partly": "partly warm", "skipped": "left out"}
MARKS = "all => all.map(each => [each.classList[1], each.getAttribute('aria-label')])"
HIDE_OR_SHOW = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def request(urls: list[str], **more: Any) -> dict[str, Any]:
    return {"url_list": urls, "region_type": "country", "region": ["singapore", "south_korea"]} | more


def test_a_run_from_the_form_to_the_retry_of_what_failed(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.goto(visitor.api)  # the bare stage, without a slash
    page.get_by_label("API key", exact=True).fill(visitor.key)
    page.get_by_role("button", name="Open the dashboard").click()
    page.get_by_label("URLs, one in each line").fill("\n".join([*PAGES, ABSENT, HOSTILE]))
    page.get_by_role("radio", name="Countries").check()
    for country in ("Singapore", "South Korea", "Germany"):
        page.get_by_label("Search places").fill(country)
        page.get_by_role("checkbox", name=re.compile(country)).check()
    visitor.picture("start-form", full_page=True)

    page.get_by_role("button", name="Estimate only").click()
    estimate = page.get_by_role("region", name="What it would do")
    expect(estimate).to_contain_text("26", timeout=PATIENCE_MS)
    expect(estimate).to_contain_text("$")
    expect(estimate.get_by_text("prices of")).to_be_visible()

    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Batches at once").fill("1")
    page.get_by_label("Fetches a second at the most").fill("600")
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url(re.compile(r"#/run/\d{8}T\d{6}Z-[0-9a-f]{8}$"))

    looks = watch_the_map(visitor)
    unfinished = {look for seen in looks[:-1] for look in seen if look in {"cold", "warming"}}
    assert unfinished, f"the map was never seen before the end: {looks}"
    # Every POP has the pages and lacks the broken ones; Germany's others are not there at all.
    assert set(looks[-1]) == {"partly", "skipped"}
    assert looks[-1].count("partly") == 3
    expect(page.locator("[data-chip]")).to_have_text(re.compile("failed"))
    expect(page.get_by_role("progressbar", name="Targets done")).to_have_attribute("aria-valuenow", "100")
    expect(page.locator("[data-figures]")).to_contain_text("26 of 26")
    expect(page.locator("[data-figures]")).to_contain_text("2 failed")
    visitor.picture("run-ended", full_page=True)

    failure = page.get_by_role("button", name=ABSENT)
    failure.click()
    expect(failure).to_have_attribute("aria-expanded", "true")
    expect(page.locator("tr.details")).to_contain_text("Warm at 0 %")
    expect(page.locator("tr.details")).to_contain_text("the origin answered with a 4xx (client_error")
    assert page.get_by_role("button", name=HOSTILE).inner_text() == HOSTILE, "markup was read"
    assert page.locator("td img").count() == 0
    reasons = page.get_by_role("region", name="Why targets failed")
    expect(reasons).to_contain_text("the origin answered with a 4xx")

    before = page.url
    page.get_by_role("button", name="Retry what failed").click()
    page.wait_for_url(lambda url: "#/run/" in url and url != before)
    expect(page.locator("[data-figures]")).to_contain_text("2 of 2", timeout=PATIENCE_MS)
    expect(page.locator("[data-chip]")).to_have_text(re.compile("failed"), timeout=PATIENCE_MS)


def watch_the_map(visitor: Visitor) -> list[list[str]]:
    """Look at the cities' states until the run has ended; returns them in their order, each change once."""
    page = visitor.page
    page.wait_for_selector("g[data-city]")
    seen: list[list[str]] = []
    until = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < until:
        over = page.locator("[data-retry]:visible").count() > 0
        marks = page.eval_on_selector_all("g[data-city]", MARKS)
        for look, words in marks:
            assert IN_WORDS.get(look, look) in words, "colour and words differ"
        now = [look for look, _ in marks]
        if not seen or seen[-1] != now:
            seen.append(now)
            if len(seen) <= MAPS_PICTURED:
                visitor.picture(f"map-{len(seen)}")
        if over:
            return seen
        page.wait_for_timeout(150)
    raise AssertionError("the run did not end")


def test_a_city_on_the_map_narrows_the_table_of_pops(visit: Visit, ended_run: str) -> None:
    page = visit().open_run(ended_run)
    page.wait_for_selector("g[data-city]")
    rows = page.locator("table.pops tbody tr")
    everywhere = rows.count()
    city = page.get_by_role("button", name=re.compile(r"^Singapore"))
    city.click()
    expect(city).to_have_attribute("aria-pressed", "true")
    assert 0 < rows.count() < everywhere
    assert {name[:3] for name in rows.locator("td:first-child").all_inner_texts()} == {"SIN"}
    city.press("Enter")
    expect(city).to_have_attribute("aria-pressed", "false")
    assert rows.count() == everywhere
    # From city to city by arrows, one stop for the tab key.
    city.press("ArrowRight")
    expect(page.get_by_role("button", name=re.compile(r"^Seoul|^Incheon"))).to_be_focused()
    assert page.locator("g[data-city][tabindex='0']").count() == 1
    # By a column, one way and the other; few enough that all are on one page.
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


def test_the_map_shows_parts_of_the_world_with_marks_of_one_size(visit: Visit, ended_run: str) -> None:
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
    """A run that has ended red: two URLs warm, one absent at every POP."""
    request_id = service.start(request([*PAGES[:2], ABSENT]))
    assert service.statuses(request_id)[-1]["status"] == "FAILED"
    return request_id


def test_a_run_is_cancelled_only_when_that_is_confirmed(visit: Visit, service: Service) -> None:
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
    expect(page.get_by_text("It was cancelled.")).to_be_visible()
    expect(page.get_by_role("region", name="Why targets failed")).to_contain_text("the run was cancelled")
    expect(cancel).to_be_hidden()
    assert service.get_status(request_id).json()["reason"] == "cancelled"


def test_a_wrong_key_is_asked_for_again_in_words(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.goto(f"{visitor.api}/#/run/some-run")
    field, button = page.get_by_label("API key", exact=True), page.get_by_role("button", name="Open the dashboard")
    for given, words in (("", "Give the key"), ("schlüssel", "no spaces"), ("wrong", "The key was refused")):
        field.fill(given)
        button.click()
        expect(page.locator("#key-error")).to_contain_text(words)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()
    assert page.evaluate("sessionStorage.length") == 0
    field.fill(visitor.key)
    button.click()
    # The view that was asked for: a run that nobody knows.
    expect(page.get_by_role("alert")).to_contain_text("no run 'some-run' is known here")
    # A key that was good and is not any more.
    page.evaluate("sessionStorage.setItem('prewarm-key', 'revoked')")
    page.reload()
    expect(page.locator("#key-error")).to_contain_text("The key was refused")
    assert page.evaluate("sessionStorage.length") == 0
    visitor.take_for_granted(403)
    visitor.take_for_granted(404)


def test_the_key_is_kept_for_the_session_and_can_be_forgotten(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.goto(f"{visitor.api}/")
    page.get_by_label("API key", exact=True).fill(visitor.key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Warm URLs")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Warm URLs")).to_be_visible()
    assert page.evaluate("[localStorage.length, document.cookie, sessionStorage.length]") == [0, "", 1]
    assert visitor.key not in page.content()
    page.get_by_role("button", name="Forget key").click()
    expect(page.get_by_label("API key", exact=True)).to_be_focused()
    assert page.evaluate("sessionStorage.length") == 0
    assert page.get_by_label("API key", exact=True).input_value() == ""


def test_a_form_that_is_not_ready_cannot_be_sent(visit: Visit) -> None:
    visitor = visit()
    held: list[Route] = []
    visitor.page.route("**/pops", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    page = visitor.open()
    button = page.get_by_role("button", name="Start the run")
    expect(button).to_be_disabled()
    page.evaluate("document.querySelector('[data-form]').requestSubmit()")
    page.wait_for_timeout(100)
    assert "?" not in page.url
    held[0].continue_()
    expect(button).to_be_enabled()


def test_what_is_wrong_stands_beside_its_field(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    page.get_by_label("URLs, one in each line").fill(f"{PAGES[0]}\n{REFUSED}")
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Fetches a second at the most").fill("fast")
    page.get_by_label("Minutes at the most").fill("0")
    page.get_by_text("Options", exact=True).click()
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("[data-field=max_rps] [data-error]")).to_contain_text("number")
    expect(page.locator("[data-field=timeout_minutes] [data-error]")).to_contain_text("greater than or equal to 1")
    expect(page.locator("[data-field=region] > [data-error]")).to_contain_text("at least 1")
    expect(page.get_by_label("Minutes at the most")).to_be_visible()
    expect(page.get_by_label("Minutes at the most")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Fetches a second at the most").fill("")
    page.get_by_label("Minutes at the most").fill("")
    page.get_by_role("checkbox", name=re.compile("Asia-Pacific")).check()
    page.get_by_role("button", name="Start the run").click()
    told = page.locator("[data-field=url_list] [data-error]")
    expect(told).to_contain_text("Line 2:")
    expect(told).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page.get_by_label("URLs, one in each line")).to_be_focused()
    expect(page.locator("[data-field=max_rps] [data-error]")).to_be_empty()
    assert page.locator("main img").count() == 0
    visitor.picture("problems", full_page=True)
    visitor.take_for_granted(400)


def test_a_hostile_name_of_a_run_is_a_text(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("#/run/" + "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(1)>")
    expect(page.get_by_role("alert")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("img").count() == 0
    visitor.take_for_granted(404)


def test_the_policy_lets_no_script_in(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    refused = page.evaluate(
        """() => {
          const made = document.createElement("div");
          try { made.innerHTML = "<b>x</b>"; } catch (error) { return error.name; }
          return "taken";
        }"""
    )
    assert refused == "TypeError"
    page.evaluate(
        """() => {
          const made = document.createElement("link");
          document.head.append(Object.assign(made, { rel: "stylesheet", href: "x.css" }));
        }"""
    )
    page.wait_for_timeout(100)
    assert any("Content Security Policy" in error for error in visitor.errors)
    visitor.errors.clear()


def test_the_report_of_a_run_opens_beside_it(visit: Visit, ended_run: str) -> None:
    visitor = visit()
    page = visitor.open_run(ended_run)
    with visitor.context.expect_page() as opened:
        page.get_by_role("button", name="Report", exact=True).click()
    report = opened.value
    report.wait_for_url(re.compile("report.html"))
    expect(report.locator("body")).to_contain_text(ended_run.rpartition(":")[2])
    assert report.evaluate("window.opener") is None
    assert "#/run/" in page.url
    expect(page.locator("[data-trouble]")).to_be_hidden()


def test_the_list_of_runs_by_status_and_by_the_page(visit: Visit, service: Service, ended_run: str) -> None:
    for _ in range(2):
        service.start(request(PAGES[:1]))
    visitor = visit()

    def one_by_one(route: Route) -> None:
        route.continue_(url=re.sub(r"limit=\d+", "limit=1", route.request.url))

    visitor.page.route(re.compile(r"/runs\?"), one_by_one)
    page = visitor.open()
    runs, more = page.locator("[data-runs] li"), page.get_by_role("button", name="More runs")
    expect(runs).to_have_count(1)
    more.click()
    expect(runs).to_have_count(2)
    page.get_by_label("Status").select_option("FAILED")
    expect(runs.first).to_contain_text("failed")
    while page.get_by_role("link", name=ended_run.rpartition(":")[2]).count() == 0:
        before = runs.count()
        more.click()
        expect(runs).not_to_have_count(before)
    assert all("failed" in line for line in runs.all_inner_texts())
    page.get_by_role("link", name=ended_run.rpartition(":")[2]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(ended_run.rpartition(":")[2])


def test_nobody_is_asked_while_the_tab_is_hidden(visit: Visit, service: Service) -> None:
    request_id = service.start(request(PAGES, verify="none", **SLOW | {"max_rps": 30}))
    visitor = visit()
    asked: list[float] = []
    visitor.page.on("request", lambda sent: asked.append(time.monotonic()) if "/status" in sent.url else None)
    page = visitor.open_run(request_id)
    page.evaluate(HIDE_OR_SHOW, True)
    page.wait_for_timeout(500)  # for an answer that is on its way
    before = len(asked)
    page.wait_for_timeout(2_000)  # longer than the pause between two questions
    assert len(asked) == before, "it asked though nobody looked"
    page.evaluate(HIDE_OR_SHOW, False)
    page.wait_for_timeout(600)
    assert len(asked) > before
    service.call("DELETE", "/prewarm", requestID=request_id)


def as_if(status: dict[str, Any], pages: dict[str, dict[str, Any]] | None = None) -> Callable[[Route], None]:
    """Answer as the API does for runs that no test has the time for; `pages` by their token."""

    def answer(route: Route) -> None:
        token = re.search(r"nextToken=(\w+)", route.request.url)
        body = (pages or {})[token[1]] if token else status
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    return answer


def test_twenty_thousand_urls_do_not_freeze_the_page(visit: Visit) -> None:
    urls = [f"https://{HOST}/{number}.html" for number in range(20_000)]
    whole = {"requestID": "r", "run": "large", "total": 20_000, "completed": 20_000, "inProgress": 0}
    targets = {"total": 20_000, "done": 20_000, "outcomes": {"warmed": 19_999, "lost": 1}, "verified": 0}
    first = whole | {"status": "FAILED", "targets": targets, "warnings": [], "skippedPops": []}
    none: dict[str, Any] = {"failedUrl": [], "inProgressUrl": [], "successUrl": [], "failures": []}
    failure = {"url": urls[-1], "reasons": {"lost": 1}, "coverage": 0}
    pages = {
        "two": first | none | {"successUrl": urls[1_000:15_000], "nextToken": "three"},
        "three": first | none | {"successUrl": urls[15_000:-1], "failedUrl": urls[-1:], "failures": [failure]},
    }
    visitor = visit()
    visitor.page.route("**/status?*", as_if(first | none | {"successUrl": urls[:1_000], "nextToken": "two"}, pages))
    page = visitor.open("#/run/large")
    table = page.get_by_role("region", name="URLs", exact=True).first
    expect(page.get_by_text("1 to 25 of 20,000")).to_be_visible()
    assert page.locator("table.urls tbody tr").count() == 25
    expect(table).to_contain_text("failed")
    began = time.monotonic()
    page.locator("#url-search").fill("/1999")
    expect(page.get_by_text("1 to 11 of 11")).to_be_visible()
    page.get_by_label("State").select_option("failed")
    expect(page.get_by_text("1 to 1 of 1", exact=True)).to_be_visible()
    assert time.monotonic() - began < 3
    page.get_by_label("State").select_option("")
    page.locator("#url-search").fill("")
    expect(page.get_by_text("1 to 25 of 20,000")).to_be_visible()
    page.get_by_role("button", name="Next").first.click()
    expect(page.locator("[data-urls] [data-range]")).to_have_text("26 to 50 of 20,000")


def test_the_lists_of_a_large_run_are_not_fetched_with_every_status(visit: Visit) -> None:
    moving = {
        "status": "IN_PROGRESS",
        "run": "large",
        "total": 5_000,
        "completed": 0,
        "inProgress": 5_000,
        "targets": {"total": 5_000, "done": 0, "outcomes": {}, "verified": 0},
        "failedUrl": [],
        "inProgressUrl": [f"https://{HOST}/{number}.html" for number in range(1_000)],
        "successUrl": [],
        "failures": [],
        "nextToken": "rest",
    }
    rest = {"inProgressUrl": [f"https://{HOST}/{number}.html" for number in range(1_000, 5_000)]}
    visitor = visit()
    asked: list[str] = []
    visitor.page.on("request", lambda sent: asked.append(sent.url.partition("/status?")[2]))
    visitor.page.route("**/status?*", as_if(moving, {"rest": rest}))
    page = visitor.open("#/run/large")
    expect(page.get_by_text("1 to 25 of 5,000")).to_be_visible()
    page.wait_for_timeout(1_500)
    assert [each for each in asked if each][:3] == [
        "requestID=large&include=pops&limit=1000",
        "requestID=large&nextToken=rest",
        "requestID=large&include=pops&limit=1",
    ]
    expect(page.get_by_text("1 to 25 of 5,000")).to_be_visible()


def test_the_end_of_a_run_with_all_that_a_status_can_tell(visit: Visit) -> None:
    """Fields that a run of these tests may not have: dollars, remedy, words, console, a report, odd POPs."""
    status = {
        "status": "TIMEOUT",
        "requestID": "r",
        "run": "told",
        "total": 1,
        "completed": 1,
        "inProgress": 0,
        "failedUrl": [PAGES[0]],
        "inProgressUrl": [],
        "successUrl": [],
        "failures": [{"url": PAGES[0], "reasons": {"deadline": 3, "new_thing": 1}, "coverage": 60.5}],
        "targets": {"total": 8, "done": 4, "outcomes": {"warmed": 4, "deadline": 3, "new_thing": 1}, "verified": 2},
        "pops": [
            {"pop": "NRT57-P3", "targets": 4, "done": 4, "warm": 4, "failed": 0, "bytes": 1_234_567, "meanMs": 41.5},
            {"pop": "FRA56-P1", "targets": 3, "done": 3, "warm": 0, "failed": 3, "bytes": 0, "meanMs": None},
            {"pop": "XXX1-C1", "targets": 1, "done": 0, "warm": 0, "failed": 0, "bytes": 0, "meanMs": None},
            {"pop": "LHR3-C1", "targets": 1, "done": 0, "warm": 0, "failed": 0, "bytes": 0, "meanMs": None},
            {"pop": "SIN2-P1", "targets": 3, "done": 2, "warm": 2, "failed": 0, "bytes": 9, "meanMs": 1.0},
            {"pop": "ICN51-C1", "targets": 3, "done": 3, "warm": 0, "failed": 3, "bytes": 0, "meanMs": None},
        ],
        "skippedPops": [
            {"pop": "SYD1-C1", "reason": "unresolved_pop", "detail": "NXDOMAIN"},
            {"pop": "ICN51-C1", "reason": "connect_error", "detail": "went dark"},
        ],
        "warnings": ["a <b>warning</b>"],
        "error": "Prewarm.DeadlinePassed",
        "cause": "time was up\nand more",
        "words": {"new_thing": "something new <i>happened</i>"},
        "remedy": {"kind": "retry", "how": "retry with more minutes"},
        "startedAt": "2026-01-02T03:04:05Z",
        "endedAt": "2026-01-02T04:05:05Z",
        "bytes": 1_234_567,
        "cost": {"dollars": 0.0042},
        "consoleUrl": "https://console.aws.example/states",
    }
    visitor = visit()
    visitor.page.route("**/status?*", as_if(status))
    reports: list[str] = []

    def report(route: Route) -> None:
        reports.append(route.request.url)
        there = f"{visitor.api}/?report"
        route.fulfill(status=200, content_type="application/json", body=json.dumps({"url": there, "format": "csv"}))

    visitor.page.route("**/report?*", report)
    page = visitor.open("#/run/told")
    for words in ("timed out", "took 1 h 1 min", "retry with more minutes", "$0.0042", "1.2 MB", "time was up"):
        expect(page.locator("article")).to_contain_text(words)
    expect(page.get_by_text("Not on the map, since their places are not known: XXX1-C1.")).to_be_visible()
    expect(page.get_by_text("a <b>warning</b>")).to_be_visible()
    expect(page.get_by_text("something new <i>happened</i>").first).to_be_visible()
    console = page.get_by_role("link", name="Step Functions console")
    assert console.get_attribute("href") == status["consoleUrl"]
    assert console.get_attribute("rel") == "noopener noreferrer"
    states = {
        "Tokyo": "warm",
        "Frankfurt": "failed",
        "Sydney": "left out",
        "London": "cold",  # never fetched
        "Singapore": "partly warm",  # the time was up before it was done
        "Seoul": "left out",  # went dark on the way
    }
    for city, state in states.items():
        expect(page.get_by_role("button", name=re.compile(rf"^{city}.*\b{state}"))).to_be_attached()
    page.get_by_text("its name does not resolve").click()
    expect(page.get_by_text("SYD1-C1 (NXDOMAIN)")).to_be_visible()
    visitor.picture("run-told", full_page=True)
    with visitor.context.expect_page() as opened:
        page.get_by_role("button", name="Report as CSV").click()
    opened.value.wait_for_url("**/?report")
    assert opened.value.evaluate("window.opener") is None
    assert "format=csv" in reports[0]
    assert "requestID=told" in reports[0]


def test_a_dry_run_that_took_long_shows_its_estimate_as_a_run(visit: Visit, service: Service) -> None:
    given = json.dumps(request(PAGES[:2], dry_run=True))
    arn = service.client("stepfunctions").start_execution(
        stateMachineArn=service.ready["stateMachineArn"], name=f"dry-{time.time_ns()}", input=given
    )["executionArn"]
    page = visit().open_run(arn)
    expect(page.get_by_role("heading", name="A dry run: what it would do")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("[data-ending]")).to_contain_text("2 URLs through")
    for part in ("[data-urls]", "[data-map]", "[data-retry]", "[data-meter]"):
        expect(page.locator(part)).to_be_hidden()


def test_a_run_that_was_refused_says_why(visit: Visit, service: Service) -> None:
    given = json.dumps(request(PAGES[:1]) | {"region": ["sinapore"]})
    arn = service.client("stepfunctions").start_execution(
        stateMachineArn=service.ready["stateMachineArn"], name=f"refused-{time.time_ns()}", input=given
    )["executionArn"]
    page = visit().open_run(arn)
    page.wait_for_selector(f"{ENDED}.failed")
    expect(page.locator("[data-ending]")).to_contain_text("Prewarm.InvalidRequest")
    expect(page.locator("[data-ending]")).to_contain_text("singapore")
    expect(page.get_by_role("progressbar", name="Targets done")).to_have_attribute("aria-valuenow", "0")
    expect(page.locator("[data-urls]")).to_contain_text(PAGES[0])
    expect(page.locator("[data-map]")).to_be_hidden()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", ""])
def test_addresses_that_are_none_of_the_web_are_no_links(visit: Visit, address: str) -> None:
    status = {"status": "COMPLETED", "run": "odd", "total": 0, "completed": 0, "inProgress": 0, "consoleUrl": address}
    visitor = visit()
    visitor.page.route("**/status?*", as_if(status | {"failedUrl": [], "inProgressUrl": [], "successUrl": []}))
    visitor.page.route("**/report?*", as_if({"url": address}))
    page = visitor.open("#/run/odd")
    page.get_by_role("button", name="Report", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("the report has no address")
    assert page.get_by_role("link", name="Step Functions console").count() == 0
    assert len(visitor.context.pages) == 1


def test_a_service_that_is_away_for_a_while_is_asked_again(visit: Visit, ended_run: str) -> None:
    visitor = visit()
    away = {"left": 1}

    def fail_at_first(route: Route) -> None:
        away["left"] -= 1
        if away["left"] >= 0:
            route.abort()
        else:
            route.continue_()

    visitor.page.route("**/status?*", fail_at_first)
    page = visitor.open(f"#/run/{ended_run.rpartition(':')[2]}")
    expect(page.get_by_role("alert")).to_contain_text("No news of the run: the service cannot be reached")
    page.wait_for_selector(f"{ENDED}.failed")
    expect(page.locator("[data-trouble]")).to_be_hidden()
    visitor.errors[:] = [error for error in visitor.errors if "ERR_FAILED" not in error]
