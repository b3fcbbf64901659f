"""The dashboard's form that starts a run, in a browser: what it keeps, what it sends, and what it says."""

import re

from playwright.sync_api import Page, Route, expect

from tests.support.browser import PATIENCE_MS, Visit
from tests.support.service import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE

PAGE = f"https://{HOST}/page/0.html"
REFUSED = f"https://{HOST}/<img src=x onerror=alert(1)>"


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
    page.get_by_label("URLs, one in each line").fill(f"{PAGE}\n{REFUSED}")
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Fetches a second at the most").fill("fast")
    page.get_by_label("Minutes at the most").fill("0")
    page.get_by_text("Options", exact=True).click()
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("[data-field=max_rps] [data-error]")).to_contain_text("number")
    expect(page.locator("[data-field=timeout_minutes] [data-error]")).to_contain_text("must be at least 1, got 0")
    expect(page.locator("[data-field=region] > [data-error]")).to_contain_text("is empty")
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


def fill_for_singapore(page: Page) -> None:
    page.get_by_label("URLs, one in each line").fill(PAGE)
    page.get_by_role("radio", name="Countries").check()
    page.get_by_role("checkbox", name=re.compile("Singapore")).check()


def test_a_start_without_an_answer_is_the_same_run_when_it_is_sent_again(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    sent: list[tuple[str, bool]] = []
    answers: list[str] = []

    def lose_the_answer(route: Route) -> None:
        dry = '"dry_run"' in (route.request.post_data or "")
        sent.append((route.request.headers.get("idempotency-key", ""), dry))
        if dry:
            return route.continue_()
        response = route.fetch()
        answers.append(response.json()["requestID"])
        if len(sent) in {1, 3}:
            return route.fulfill(status=504, content_type="application/json", body="{}")
        return route.fulfill(response=response)

    page.route("**/prewarm", lose_the_answer)
    fill_for_singapore(page)
    start = page.get_by_role("button", name="Start the run")
    start.click()
    expect(page.locator("[data-loose]")).to_contain_text("the service answered 504")
    page.get_by_role("button", name="Estimate only").click()
    expect(page.get_by_role("region", name="What it would do")).to_be_visible(timeout=PATIENCE_MS)
    start.click()
    expect(page.locator("[data-loose]")).to_contain_text("the service answered 504")
    start.click()
    page.wait_for_url(re.compile(r"#/run/"))
    keys = [key for key, dry in sent if not dry]
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{32}", keys[0])
    assert len(keys) == 3
    assert len(set(keys)) == len(set(answers)) == 1
    assert [key for key, dry in sent if dry] == [""]
    # What was asked for is a run: the same request is now another one, and so is a changed request.
    page.go_back()
    fill_for_singapore(page)
    start.click()
    page.wait_for_url(re.compile(r"#/run/"))
    assert len({key for key, dry in sent if not dry}) == len(set(answers)) == 2
    visitor.take_for_granted(504)


def keys_of_unanswered_starts(page: Page) -> list[str]:
    """Response no start of a run from now on, and gather their keys."""
    keys: list[str] = []

    def fail(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.fulfill(status=504, content_type="application/json", body="{}")

    page.route("**/prewarm", fail)
    return keys


def test_the_same_start_much_later_is_another_run(visit: Visit) -> None:
    """The site may have been released anew since: an old run that is COMPLETED would warm nothing."""
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
    visitor.take_for_granted(504)


def test_a_changed_request_has_a_key_of_its_own(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    keys = keys_of_unanswered_starts(page)
    fill_for_singapore(page)
    for batches in ("", "", "2"):
        page.get_by_text("Options", exact=True).click()
        page.get_by_label("Batches at once").fill(batches)
        page.get_by_text("Options", exact=True).click()
        page.get_by_role("button", name="Start the run").click()
        expect(page.locator("[data-loose]")).to_contain_text("the service answered 504")
    assert keys[0] == keys[1] != keys[2]
    visitor.take_for_granted(504)


def test_what_is_written_is_kept_until_it_is_a_run(visit: Visit, service: Service) -> None:
    run = service.start({"url_list": [PAGE], "region_type": "country", "region": ["singapore"]})
    page = visit().open()
    fill_for_singapore(page)
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Fetches a second at the most").fill("70")
    page.get_by_label("Prove by a second fetch").select_option("all")
    page.get_by_label("Invalidate the URLs first").check()
    page.get_by_role("link", name=run.rpartition(":")[2]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(run.rpartition(":")[2])
    page.go_back()
    expect(page.locator("[data-chosen]")).to_contain_text("1 chosen")
    expect(page.get_by_label("URLs, one in each line")).to_have_value(PAGE)
    expect(page.locator("[data-url-count]")).to_have_text("1 URL")
    expect(page.get_by_role("checkbox", name=re.compile("Singapore"))).to_be_checked()
    expect(page.get_by_label("Fetches a second at the most")).to_have_value("70")
    expect(page.get_by_label("Prove by a second fetch")).to_have_value("all")
    expect(page.get_by_label("Invalidate the URLs first")).to_be_checked()
    page.get_by_label("Invalidate the URLs first").uncheck()
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url(re.compile(r"#/run/"))
    page.get_by_role("link", name="All runs").click()
    expect(page.locator("[data-chosen]")).to_contain_text("Nothing chosen yet.")
    expect(page.get_by_label("URLs, one in each line")).to_have_value("")
    # Nor is it left to whoever comes next.
    page.get_by_label("URLs, one in each line").fill(PAGE)
    page.get_by_role("button", name="Forget key").click()
    page.get_by_label("API key", exact=True).fill(service.ready["apiKey"])
    page.keyboard.press("Enter")
    expect(page.get_by_label("URLs, one in each line")).to_have_value("")


def test_an_estimate_does_not_outlive_what_it_was_made_of(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    fill_for_singapore(page)
    estimate, ask = (
        page.get_by_role("region", name="What it would do"),
        page.get_by_role("button", name="Estimate only"),
    )
    ask.click()
    expect(estimate).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_label("Search places").fill("korea")  # asks for nothing else
    expect(estimate).to_be_visible()
    page.get_by_role("checkbox", name=re.compile("South Korea")).check()
    expect(estimate).to_be_hidden()
    ask.click()
    expect(estimate).to_be_visible(timeout=PATIENCE_MS)
    held: list[Route] = []
    page.route("**/prewarm", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    with page.expect_request("**/prewarm"):
        ask.click()
    expect(estimate).to_be_hidden()
    # Nor does one come that is old when it comes.
    page.get_by_label("URLs, one in each line").fill(f"{PAGE}?changed")
    held[0].continue_()
    expect(page.locator("[data-loose]")).to_contain_text("The form has changed since", timeout=PATIENCE_MS)
    expect(estimate).to_be_hidden()


def test_a_search_without_a_hit_says_so(visit: Visit) -> None:
    page = visit().open()
    told, places = page.locator("[data-chosen]"), page.get_by_role("group", name="Places")
    expect(told).to_have_text("Nothing chosen yet.")
    search = page.get_by_label("Search places")
    search.fill("atlantis")
    expect(told).to_have_text("No place is called so.")
    expect(page.get_by_role("status")).to_have_text("No place is called so.")
    expect(places).to_be_hidden()
    search.fill("")
    expect(told).to_have_text("Nothing chosen yet.")
    page.get_by_role("checkbox", name=re.compile("Asia-Pacific")).check()
    search.fill("atlantis")
    expect(told).to_contain_text("No place is called so. 1 chosen")
    page.get_by_role("radio", name="Everywhere").check()
    expect(told).to_contain_text("All")
    page.get_by_role("radio", name="Countries").check()
    expect(places).to_be_visible()
