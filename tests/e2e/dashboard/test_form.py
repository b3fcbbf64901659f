"""The dashboard's start form: its fields, problems next to them, and the draft that it keeps."""

import re

from playwright.sync_api import Route, expect

from tests.support.browser import Visit, fields_with_problems, fill_for_singapore
from tests.support.service import DASHBOARD_SERVICE, HOST, Service

pytestmark = DASHBOARD_SERVICE

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


def test_problems_are_shown_next_to_their_fields_in_the_forms_words(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    start = page.get_by_role("button", name="Start the run")
    start.click()
    expect(page.locator("#urls-error")).to_have_text(
        "Enter a URL, or choose a file, a sitemap, a manifest or a list in S3"
    )
    assert fields_with_problems(page)["region"] == "Select at least one location, or Everywhere"

    page.get_by_label("URLs, one per line").fill(f"{PAGE}\n\n{REFUSED}\nwww.example.com")
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Max requests per second").fill("fast")
    page.get_by_label("Timeout (minutes)").fill("0")
    page.get_by_label("Request headers").fill("Host: other.example\nX-Ok: yes")
    page.get_by_text("Options", exact=True).click()
    page.get_by_text("Sitemaps, manifests, lists in S3").click()
    page.get_by_label("Sitemaps or feeds").fill("\nsitemap.xml")
    page.get_by_label("Lists in S3, one per line").fill("bucket/key")
    page.get_by_text("Sitemaps, manifests, lists in S3").click()
    start.click()
    expect(page.locator("#max_rps-error")).to_contain_text("Must be a number, got 'fast'; leave the field empty")
    problems = fields_with_problems(page)
    assert "Must be at least 1, got 0; leave the field empty for the default, 300" in problems["timeout_minutes"]
    assert problems["url_list"].startswith(f"Line 3: '{REFUSED}'")
    assert "Line 4: 'www.example.com'" in problems["url_list"]
    assert "did you mean https://www.example.com/?" in problems["url_list"]
    assert problems["sitemap"].startswith("Line 2: 'sitemap.xml'")
    assert problems["url_list_s3"].startswith("Line 1: 'bucket/key' is not an S3 address")
    # No name that only a caller of the API writes, and no text of a library.
    everything = " ".join(problems.values())
    assert not re.search(r"url_list|timeout_minutes|max_rps|omit it|Value error|\[\d\]", everything), everything
    expect(page.get_by_label("Timeout (minutes)")).to_be_visible()
    expect(page.get_by_label("Timeout (minutes)")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Sitemaps or feeds")).to_be_visible()
    assert page.locator("main img").count() == 0
    visitor.picture("problems", full_page=True)

    for label in ("Max requests per second", "Timeout (minutes)", "Sitemaps or feeds", "Lists in S3, one per line"):
        page.get_by_label(label).fill("")
    page.get_by_label("URLs, one per line").fill(PAGE)
    page.get_by_role("checkbox", name=re.compile("Asia-Pacific")).check()
    start.click()
    expect(page.locator("#headers-error")).to_contain_text("Host: ")
    expect(page.get_by_label("Request headers")).to_be_focused()
    assert set(fields_with_problems(page)) == {"headers"}
    visitor.expect_status(400)


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
    page.get_by_role("radio", name="Everywhere").check()
    expect(summary).to_contain_text("All")
    page.get_by_role("radio", name="Countries").check()
    expect(locations).to_be_visible()
