"""The dashboard in a browser, before answers that are no success and such as no run here has the time for."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.browsing import ENDED, PHONE, Visit, as_if, sideways
from tests.e2e.conftest import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE

PAGE = f"https://{HOST}/page/0.html"


@pytest.fixture(scope="module")
def ended_run(service: Service) -> str:
    """A run that has ended red: its one URL is absent at every POP."""
    urls = [f"https://{HOST}/absent.html"]
    request_id = service.start({"url_list": urls, "region_type": "country", "region": ["singapore"]})
    assert service.statuses(request_id)[-1]["status"] == "FAILED"
    return request_id


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


def test_a_hostile_name_of_a_run_is_a_text(visit: Visit) -> None:
    visitor = visit()
    held: list[Route] = []
    visitor.page.route("**/status?*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    with visitor.page.expect_request("**/status?*"):
        page = visitor.open("#/run/" + "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(1)>")
    held[0].continue_()
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
        "failedUrl": [PAGE],
        "inProgressUrl": [],
        "successUrl": [],
        "failures": [{"url": PAGE, "reasons": {"deadline": 3, "new_thing": 1}, "coverage": 60.5}],
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
        "remedy": {"kind": "retry", "how": "POST /retry?requestID=r starts a new run"},
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
    for words in (
        "timed out",
        "took 1 h 1 min",
        "What helps: a new run of what is not warm",
        "$0.0042",
        "1.2 MB",
        "time was up",
    ):
        expect(page.locator("article")).to_contain_text(words)
    expect(page.get_by_role("button", name="Retry what failed")).to_be_visible()
    expect(page.locator("article")).not_to_contain_text("POST /retry")
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


def test_a_run_that_was_refused_says_why(visit: Visit, service: Service) -> None:
    given = json.dumps({"url_list": [PAGE], "region_type": "country", "region": ["sinapore"]})
    arn = service.client("stepfunctions").start_execution(
        stateMachineArn=service.ready["stateMachineArn"], name=f"refused-{time.time_ns()}", input=given
    )["executionArn"]
    page = visit().open_run(arn)
    page.wait_for_selector(f"{ENDED}.failed")
    expect(page.locator("[data-ending]")).to_contain_text("Prewarm.InvalidRequest")
    expect(page.locator("[data-ending]")).to_contain_text("singapore")
    expect(page.get_by_role("progressbar", name="Targets done")).to_have_attribute("aria-valuenow", "0")
    expect(page.locator("[data-urls]")).to_contain_text(PAGE)
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


def going(**more: Any) -> dict[str, Any]:
    """Return a status of a run that never ends."""
    status = {"status": "IN_PROGRESS", "requestID": "r", "run": "going", "total": 1, "completed": 0, "inProgress": 1}
    lists = {"failedUrl": [], "inProgressUrl": [PAGE], "successUrl": [], "failures": []}
    return status | lists | {"targets": {"total": 4, "done": 1, "outcomes": {"warmed": 1}, "verified": 0}} | more


def refuse(status: int, message: str) -> Callable[[Route], None]:
    """Answer as the API does when it says no."""
    body = json.dumps({"error": {"code": "NoSuchLuck", "message": message, "details": []}})
    return lambda route: route.fulfill(status=status, content_type="application/json", body=body)


def test_the_words_of_a_failed_action_stay_while_the_run_is_followed(visit: Visit) -> None:
    visitor = visit()
    asked: list[str] = []
    visitor.page.on("request", lambda sent: asked.append(sent.url) if "/status" in sent.url else None)
    visitor.page.route("**/status?*", as_if(going()))
    visitor.page.route("**/prewarm?*", refuse(503, "not <b>now</b>"))
    page = visitor.open("#/run/going")
    cancel = page.get_by_role("button", name="Cancel", exact=True)
    cancel.click()
    page.get_by_role("button", name="Cancel the run").click()
    told = page.get_by_role("alert")
    expect(told).to_have_text("Cancel did not work: not <b>now</b>.")
    before = len(asked)
    page.wait_for_timeout(2_500)
    assert len(asked) > before + 1, "nothing was asked meanwhile, which proves nothing"
    expect(told).to_have_text("Cancel did not work: not <b>now</b>.")
    # The next attempt begins with a clean slate.
    visitor.page.unroute("**/prewarm?*")
    visitor.page.route("**/prewarm?*", as_if(going(status="FAILED", reason="cancelled", inProgress=0)))
    cancel.click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_text("It was cancelled.")).to_be_visible()
    expect(told).to_have_count(0)
    visitor.take_for_granted(503)


def test_watching_that_has_stopped_says_so_and_goes_on_when_asked(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.route("**/status?*", as_if(going()))
    visitor.open("#/run/going")
    expect(page.locator("[data-figures]")).to_contain_text("1 of 4")
    page.unroute("**/status?*")
    page.route("**/status?*", refuse(403, "a rule of somebody's"))
    told = page.get_by_role("alert")
    expect(told).to_contain_text("Watching has stopped: a rule of somebody's.")
    expect(page.locator("[data-figures]")).to_contain_text("1 of 4")
    page.unroute("**/status?*")
    page.route("**/status?*", as_if(going(targets={"total": 4, "done": 3, "outcomes": {"warmed": 3}, "verified": 0})))
    page.get_by_role("button", name="Go on watching").click()
    expect(page.locator("[data-figures]")).to_contain_text("3 of 4")
    expect(told).to_have_count(0)
    visitor.take_for_granted(403)


def test_a_run_that_cannot_be_shown_at_all_leaves_no_empty_page(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.route("**/status?*", refuse(403, "a rule of somebody's"))
    visitor.open("#/run/going")
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("a rule of somebody's.")
    expect(page.get_by_role("heading", name="URLs")).to_have_count(0)
    page.unroute("**/status?*")
    page.route("**/status?*", as_if(going()))
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-figures]")).to_contain_text("1 of 4")
    visitor.take_for_granted(403)


@pytest.mark.parametrize(
    ("kind", "how", "command"),
    [
        ("redrive", "mend what the cause names, then `aws redrive <b>ARN</b>` goes on", "aws redrive <b>ARN</b>"),
        ("mend", "mend what the cause names, and start a new run", None),
    ],
)
def test_what_helps_is_words_and_a_command_is_one(visit: Visit, kind: str, how: str, command: str | None) -> None:
    how = how.replace("ARN", "arn:" + "a" * 300)
    ended = going(status="FAILED", inProgress=0, error="States.Runtime", cause="", remedy={"kind": kind, "how": how})
    visitor = visit(viewport=PHONE)
    visitor.page.route("**/status?*", as_if(ended))
    page = visitor.open("#/run/going")
    expect(page.locator("[data-ending]")).to_contain_text(f"What helps: {how.replace('`', '')}")
    codes = page.locator("[data-ending] code").all_inner_texts()
    assert codes == ([command.replace("ARN", "arn:" + "a" * 300)] if command else [])
    expect(page.locator("[data-helps]")).to_be_hidden()
    assert sideways(page) == 0


def test_a_city_that_was_left_out_points_to_why(visit: Visit) -> None:
    used = {"pop": "SIN2-P1", "targets": 4, "done": 4, "warm": 4, "failed": 0, "bytes": 9, "meanMs": 1.0}
    left = {"pop": "SYD1-C1", "reason": "unresolved_pop"}
    visitor = visit()
    visitor.page.route("**/status?*", as_if(going(pops=[used], skippedPops=[left])))
    page = visitor.open("#/run/going")
    hint, rows = page.locator("[data-map-hint]"), page.locator("table.pops tbody tr")
    page.get_by_role("button", name=re.compile("^Singapore")).click()
    expect(hint).to_contain_text("shows this place only")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name=re.compile("^Sydney")).click()
    expect(hint).to_contain_text("“POPs left out”")
    expect(hint).not_to_contain_text("this place only")
    expect(rows).to_have_count(1)
