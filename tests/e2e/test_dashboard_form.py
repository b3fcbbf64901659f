"""The dashboard's form that starts a run, in a browser: what it keeps, what it sends, and what it says."""

import re

from playwright.sync_api import Route, expect

from tests.e2e.browsing import Visit
from tests.e2e.conftest import HOST, ONE_SERVICE

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
