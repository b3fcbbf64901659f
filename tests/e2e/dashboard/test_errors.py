"""The dashboard with error responses, hostile names and a rejected key."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import ENDED, Visit, respond_with
from tests.support.fake_runs import endless_run
from tests.support.service import DASHBOARD_SERVICE, HOST, Service

pytestmark = DASHBOARD_SERVICE


@pytest.fixture(scope="module")
def ended_run(service: Service) -> str:
    """Return a failed run: its only URL is missing at every POP."""
    urls = [f"https://{HOST}/absent.html"]
    request_id = service.start({"url_list": urls, "region_type": "country", "region": ["singapore"]})
    assert service.statuses(request_id)[-1]["status"] == "FAILED"
    return request_id


def test_rejected_key_is_prompted_for_again_with_the_reason(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.goto(f"{visitor.api}/#/run/some-run")
    field, button = page.get_by_label("API key", exact=True), page.get_by_role("button", name="Open the dashboard")
    attempts = [("", "Enter the API key"), ("schlüssel", "no spaces"), ("wrong", "The key was rejected")]
    for entered, message in attempts:
        field.fill(entered)
        button.click()
        expect(page.locator("#key-error")).to_contain_text(message)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()
    assert page.evaluate("sessionStorage.length") == 0
    field.fill(visitor.key)
    button.click()
    # The requested view: an unknown run.
    expect(page.get_by_role("alert")).to_contain_text("run 'some-run' does not exist")
    # A stored key that was revoked.
    page.evaluate("sessionStorage.setItem('prewarm-key', 'revoked')")
    page.reload()
    expect(page.locator("#key-error")).to_contain_text("The key was rejected")
    assert page.evaluate("sessionStorage.length") == 0
    visitor.expect_status(403)
    visitor.expect_status(404)


def test_key_is_kept_for_the_session_until_forgotten(visit: Visit) -> None:
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


def test_run_name_with_markup_is_shown_as_text(visit: Visit) -> None:
    visitor = visit()
    held: list[Route] = []
    visitor.page.route("**/status?*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright sets attributes on the handler
    with visitor.page.expect_request("**/status?*"):
        page = visitor.open("#/run/" + "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(1)>")
    held[0].continue_()
    expect(page.get_by_role("alert")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("img").count() == 0
    visitor.expect_status(404)


def test_policy_blocks_markup_and_external_styles(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    error_name = page.evaluate(
        """() => {
          const element = document.createElement("div");
          try { element.innerHTML = "<b>x</b>"; } catch (error) { return error.name; }
          return "accepted";
        }"""
    )
    assert error_name == "TypeError"
    page.evaluate(
        """() => {
          const element = document.createElement("link");
          document.head.append(Object.assign(element, { rel: "stylesheet", href: "x.css" }));
        }"""
    )
    page.wait_for_timeout(100)
    assert any("Content Security Policy" in error for error in visitor.errors)
    visitor.errors.clear()


def test_status_is_polled_again_after_a_connection_failure(visit: Visit, ended_run: str) -> None:
    visitor = visit()
    failures = {"left": 1}

    def fail_once(route: Route) -> None:
        failures["left"] -= 1
        if failures["left"] >= 0:
            route.abort()
        else:
            route.continue_()

    visitor.page.route("**/status?*", fail_once)
    page = visitor.open(f"#/run/{ended_run.rpartition(':')[2]}")
    expect(page.get_by_role("alert")).to_contain_text("Cannot get the run's status: the service cannot be reached")
    page.wait_for_selector(f"{ENDED}.failed")
    expect(page.locator("[data-problem]")).to_be_hidden()
    visitor.errors[:] = [error for error in visitor.errors if "ERR_FAILED" not in error]


def respond_with_error(status: int, message: str) -> Callable[[Route], None]:
    """Return a route handler that responds with an error document."""
    body = json.dumps({"error": {"code": "SomeError", "message": message, "details": []}})
    return lambda route: route.fulfill(status=status, content_type="application/json", body=body)


def test_error_of_an_action_stays_while_the_run_is_polled(visit: Visit) -> None:
    visitor = visit()
    visitor.page.route("**/status?*", respond_with(endless_run()))
    visitor.page.route("**/prewarm?*", respond_with_error(503, "not <b>now</b>"))
    page = visitor.open("#/run/endless")
    cancel = page.get_by_role("button", name="Cancel", exact=True)
    cancel.click()
    page.get_by_role("button", name="Cancel the run").click()
    alert = page.get_by_role("alert")
    expect(alert).to_have_text("The run could not be cancelled: not <b>now</b>.")
    for _ in range(2):
        with page.expect_request("**/status?*"):
            pass
    expect(alert).to_have_text("The run could not be cancelled: not <b>now</b>.")
    # The next attempt clears the error.
    visitor.page.unroute("**/prewarm?*")
    visitor.page.route("**/prewarm?*", respond_with(endless_run(status="FAILED", reason="cancelled", inProgress=0)))
    cancel.click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_text("The run was cancelled.")).to_be_visible()
    expect(alert).to_have_count(0)
    visitor.expect_status(503)


def test_resume_continues_stopped_live_updates(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.route("**/status?*", respond_with(endless_run()))
    visitor.open("#/run/endless")
    expect(page.locator("[data-figures]")).to_contain_text("1 of 4")
    page.unroute("**/status?*")
    page.route("**/status?*", respond_with_error(403, "blocked by a rule"))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Live updates stopped: blocked by a rule.")
    expect(page.locator("[data-figures]")).to_contain_text("1 of 4")
    page.unroute("**/status?*")
    page.route(
        "**/status?*",
        respond_with(endless_run(targets={"total": 4, "done": 3, "outcomes": {"warmed": 3}, "verified": 0})),
    )
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("[data-figures]")).to_contain_text("3 of 4")
    expect(alert).to_have_count(0)
    visitor.expect_status(403)


def test_run_without_any_status_shows_an_error_page_with_try_again(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.route("**/status?*", respond_with_error(403, "blocked by a rule"))
    visitor.open("#/run/endless")
    expect(page.get_by_role("heading", name="The page could not be loaded")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("blocked by a rule.")
    expect(page.get_by_role("heading", name="URLs")).to_have_count(0)
    page.unroute("**/status?*")
    page.route("**/status?*", respond_with(endless_run()))
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-figures]")).to_contain_text("1 of 4")
    visitor.expect_status(403)
