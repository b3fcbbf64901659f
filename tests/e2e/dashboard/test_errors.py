"""The dashboard in a browser, before answers that are no success and such as no run here has the time for."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import ENDED, Visit, as_if
from tests.support.fake_runs import going
from tests.support.service import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE


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
    expect(page.get_by_role("alert")).to_contain_text("run 'some-run' does not exist")
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


def refuse(status: int, message: str) -> Callable[[Route], None]:
    """Response as the API does when it says no."""
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
