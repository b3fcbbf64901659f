"""The dashboard's start form: draft, requests, validation errors and estimate."""

import re

from playwright.sync_api import Page, Route, expect

from tests.support.browser import TIMEOUT_MS, Visit
from tests.support.service import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE

PAGE = f"https://{HOST}/page/0.html"
REFUSED = "ftp://www.example.com/<img src=x onerror=alert(1)>"


def test_form_is_disabled_until_locations_are_loaded(visit: Visit) -> None:
    visitor = visit()
    held: list[Route] = []
    visitor.page.route("**/pops", lambda route: held.append(route))  # noqa: PLW0108 - Playwright sets attributes on the handler
    page = visitor.open()
    button = page.get_by_role("button", name="Start the run")
    expect(button).to_be_disabled()
    page.evaluate("document.querySelector('[data-form]').requestSubmit()")
    page.wait_for_timeout(100)
    assert "?" not in page.url
    held[0].continue_()
    expect(button).to_be_enabled()


def test_validation_errors_are_shown_next_to_their_fields(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    page.get_by_label("URLs, one per line").fill(f"{PAGE}\n{REFUSED}")
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Max requests per second").fill("fast")
    page.get_by_label("Timeout (minutes)").fill("0")
    page.get_by_text("Options", exact=True).click()
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("[data-field=max_rps] [data-error]")).to_contain_text("number")
    expect(page.locator("[data-field=timeout_minutes] [data-error]")).to_contain_text("must be at least 1, got 0")
    expect(page.locator("[data-field=region] > [data-error]")).to_contain_text("is empty")
    expect(page.get_by_label("Timeout (minutes)")).to_be_visible()
    expect(page.get_by_label("Timeout (minutes)")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Max requests per second").fill("")
    page.get_by_label("Timeout (minutes)").fill("")
    page.get_by_role("checkbox", name=re.compile("Asia-Pacific")).check()
    page.get_by_role("button", name="Start the run").click()
    url_error = page.locator("[data-field=url_list] [data-error]")
    expect(url_error).to_contain_text("Line 2:")
    expect(url_error).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page.get_by_label("URLs, one per line")).to_be_focused()
    expect(page.locator("[data-field=max_rps] [data-error]")).to_be_empty()
    assert page.locator("main img").count() == 0
    visitor.picture("problems", full_page=True)
    visitor.expect_status(400)


def fill_for_singapore(page: Page) -> None:
    page.get_by_label("URLs, one per line").fill(PAGE)
    page.get_by_role("radio", name="Countries").check()
    page.get_by_role("checkbox", name=re.compile("Singapore")).check()


def test_start_repeated_after_a_lost_response_returns_the_same_run(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    sent: list[tuple[str, bool]] = []
    request_ids: list[str] = []

    def lose_response(route: Route) -> None:
        dry = '"dry_run"' in (route.request.post_data or "")
        sent.append((route.request.headers.get("idempotency-key", ""), dry))
        if dry:
            return route.continue_()
        response = route.fetch()
        request_ids.append(response.json()["requestID"])
        if len(sent) in {1, 3}:
            return route.fulfill(status=504, content_type="application/json", body="{}")
        return route.fulfill(response=response)

    page.route("**/prewarm", lose_response)
    fill_for_singapore(page)
    start = page.get_by_role("button", name="Start the run")
    start.click()
    expect(page.locator("[data-form-error]")).to_contain_text("the service returned 504")
    page.get_by_role("button", name="Estimate only").click()
    expect(page.get_by_role("region", name="Estimate")).to_be_visible(timeout=TIMEOUT_MS)
    start.click()
    expect(page.locator("[data-form-error]")).to_contain_text("the service returned 504")
    start.click()
    page.wait_for_url(re.compile(r"#/run/"))
    keys = [key for key, dry in sent if not dry]
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{32}", keys[0])
    assert len(keys) == 3
    assert len(set(keys)) == len(set(request_ids)) == 1
    assert [key for key, dry in sent if dry] == [""]
    # The request has become a run: the same request now starts another run.
    page.go_back()
    fill_for_singapore(page)
    start.click()
    page.wait_for_url(re.compile(r"#/run/"))
    assert len({key for key, dry in sent if not dry}) == len(set(request_ids)) == 2
    visitor.expect_status(504)


def keys_of_unanswered_starts(page: Page) -> list[str]:
    """Make every start fail from now on, and return a list that collects their keys."""
    keys: list[str] = []

    def fail(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.fulfill(status=504, content_type="application/json", body="{}")

    page.route("**/prewarm", fail)
    return keys


def test_same_start_after_ten_minutes_has_a_new_key(visit: Visit) -> None:
    """The site may have a new release: returning an old COMPLETED run would warm nothing."""
    visitor = visit()
    page = visitor.open()
    keys = keys_of_unanswered_starts(page)
    fill_for_singapore(page)
    start = page.get_by_role("button", name="Start the run")
    for later in (0, 60_000, 601_000):
        page.evaluate("later => { const now = Date.now; Date.now = () => now() + later; }", later)
        with page.expect_response("**/prewarm"):
            start.click()
        expect(start).to_be_enabled()
    assert keys[0] == keys[1] != keys[2]
    visitor.expect_status(504)


def test_changed_request_has_a_new_key(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    keys = keys_of_unanswered_starts(page)
    fill_for_singapore(page)
    for batches in ("", "", "2"):
        page.get_by_text("Options", exact=True).click()
        page.get_by_label("Concurrency").fill(batches)
        page.get_by_text("Options", exact=True).click()
        page.get_by_role("button", name="Start the run").click()
        expect(page.locator("[data-form-error]")).to_contain_text("the service returned 504")
    assert keys[0] == keys[1] != keys[2]
    visitor.expect_status(504)


def test_form_keeps_its_contents_until_a_run_starts_or_the_key_is_forgotten(visit: Visit, service: Service) -> None:
    run = service.start({"url_list": [PAGE], "region_type": "country", "region": ["singapore"]})
    page = visit().open()
    fill_for_singapore(page)
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Max requests per second").fill("70")
    page.get_by_label("Verify with a second fetch").select_option("all")
    page.get_by_label("Invalidate the URLs first").check()
    page.get_by_role("link", name=run.rpartition(":")[2]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(run.rpartition(":")[2])
    page.go_back()
    expect(page.locator("[data-chosen]")).to_contain_text("1 selected")
    expect(page.get_by_label("URLs, one per line")).to_have_value(PAGE)
    expect(page.locator("[data-url-count]")).to_have_text("1 URL")
    expect(page.get_by_role("checkbox", name=re.compile("Singapore"))).to_be_checked()
    expect(page.get_by_label("Max requests per second")).to_have_value("70")
    expect(page.get_by_label("Verify with a second fetch")).to_have_value("all")
    expect(page.get_by_label("Invalidate the URLs first")).to_be_checked()
    page.get_by_label("Invalidate the URLs first").uncheck()
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url(re.compile(r"#/run/"))
    page.get_by_role("link", name="All runs").click()
    expect(page.locator("[data-chosen]")).to_contain_text("No location selected.")
    expect(page.get_by_label("URLs, one per line")).to_have_value("")
    # Forgetting the key clears the form too.
    page.get_by_label("URLs, one per line").fill(PAGE)
    page.get_by_role("button", name="Forget key").click()
    page.get_by_label("API key", exact=True).fill(service.ready["apiKey"])
    page.keyboard.press("Enter")
    expect(page.get_by_label("URLs, one per line")).to_have_value("")


def test_estimate_is_hidden_when_the_form_changes(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    fill_for_singapore(page)
    estimate, estimate_button = (
        page.get_by_role("region", name="Estimate"),
        page.get_by_role("button", name="Estimate only"),
    )
    estimate_button.click()
    expect(estimate).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_label("Search locations").fill("korea")  # does not change the request
    expect(estimate).to_be_visible()
    page.get_by_role("checkbox", name=re.compile("South Korea")).check()
    expect(estimate).to_be_hidden()
    estimate_button.click()
    expect(estimate).to_be_visible(timeout=TIMEOUT_MS)
    held: list[Route] = []
    page.route("**/prewarm", lambda route: held.append(route))  # noqa: PLW0108 - Playwright sets attributes on the handler
    with page.expect_request("**/prewarm"):
        estimate_button.click()
    expect(estimate).to_be_hidden()
    # A response to an outdated form is not shown.
    page.get_by_label("URLs, one per line").fill(f"{PAGE}?changed")
    held[0].continue_()
    expect(page.locator("[data-form-error]")).to_contain_text("The form has changed since", timeout=TIMEOUT_MS)
    expect(estimate).to_be_hidden()


def test_location_search_without_match_shows_a_message(visit: Visit) -> None:
    page = visit().open()
    summary, locations = page.locator("[data-chosen]"), page.get_by_role("group", name="List of locations")
    expect(summary).to_have_text("No location selected.")
    search = page.get_by_label("Search locations")
    search.fill("atlantis")
    expect(summary).to_have_text("No matching location.")
    expect(page.get_by_role("status")).to_have_text("No matching location.")
    expect(locations).to_be_hidden()
    search.fill("")
    expect(summary).to_have_text("No location selected.")
    page.get_by_role("checkbox", name=re.compile("Asia-Pacific")).check()
    search.fill("atlantis")
    expect(summary).to_contain_text("No matching location. 1 selected")
    page.get_by_role("radio", name="All POPs").check()
    expect(summary).to_contain_text("All")
    page.get_by_role("radio", name="Countries").check()
    expect(locations).to_be_visible()
