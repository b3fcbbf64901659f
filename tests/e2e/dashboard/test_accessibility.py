"""The dashboard by keyboard, with a screen reader, on a phone, in dark mode, and without motion."""

import re
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import DESKTOP, ENDED, PHONE, TIMEOUT_MS, Visit, Visitor, horizontal_overflow
from tests.support.service import DASHBOARD_SERVICE, HOST, Service

pytestmark = DASHBOARD_SERVICE

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
REPORTED_IMPACTS = {"moderate", "serious", "critical"}
LONG = f"https://{HOST}/" + "a-very-long-path-without-any-break/" * 6 + "absent.html"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MOVING = """() => document.getAnimations().length + [...document.querySelectorAll("*")]
  .filter((each) => parseFloat(getComputedStyle(each).transitionDuration) > 0).length"""
COLOURS = "(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.body))"
LEVELS = "all => all.map(each => Number(each.localName[1]))"


@pytest.fixture(scope="module")
def ended_run(service: Service) -> str:
    """Return a failed run with skipped POPs, a long URL, and nearly everything that a page can show."""
    urls = [f"https://{HOST}/page/1.html", LONG, f"https://{HOST}/cut.html"]
    request_id = service.start({"url_list": urls, "region_type": "country", "region": ["singapore", "DE"]})
    assert service.statuses(request_id)[-1]["status"] == "FAILED"
    return request_id


def open_key_form(visitor: Visitor, _run: str) -> Page:
    visitor.page.goto(f"{visitor.api}/")
    visitor.page.get_by_role("button", name="Open the dashboard").click()
    expect(visitor.page.locator("#key-error")).to_have_text("Enter the API key.")
    visitor.page.get_by_text("Where to find it").click()
    return visitor.page


def open_start_form(visitor: Visitor, _run: str) -> Page:
    page = visitor.open()
    page.get_by_label("URLs, one per line").fill(f"https://{HOST}/page/1.html")
    page.get_by_text("Options", exact=True).click()
    page.get_by_role("checkbox", name=re.compile("Asia-Pacific")).check()
    page.get_by_role("button", name="Estimate only").click()
    expect(page.get_by_role("heading", name="Estimate")).to_be_focused(timeout=TIMEOUT_MS)
    page.get_by_text("Cost breakdown").click()
    page.get_by_role("button", name="Start the run").wait_for()
    expect(page.locator("[data-runs] li").first).to_be_visible()
    return page


def open_problems(visitor: Visitor, _run: str) -> Page:
    page = visitor.open()
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("[data-field=region] > [data-error]")).to_contain_text("Select at least one location")
    visitor.expect_status(400)
    return page


def open_run(visitor: Visitor, run: str) -> Page:
    page = visitor.open_run(run)
    page.wait_for_selector("g[data-city]")
    page.get_by_role("button", name=LONG).click()
    page.locator("[data-skipped] summary").first.click()
    return page


def open_confirmation(visitor: Visitor, _run: str) -> Page:
    page = visitor.open()
    page.evaluate("document.querySelector('[data-confirm]').showModal()")
    return page


VIEWS = (open_key_form, open_start_form, open_problems, open_run, open_confirmation)
views = pytest.mark.parametrize("view", VIEWS, ids=[view.__name__.removeprefix("open_") for view in VIEWS])


def top_left(element: Locator) -> tuple[float, float]:
    """Return where a visible element begins, in pixels."""
    box = element.bounding_box()
    assert box is not None
    return box["x"], box["y"]


def axe_violations(page: Page) -> list[str]:
    """Return axe's findings above minor, of a page in which axe is loaded."""
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert len(result["passes"]) > 10, "axe checked too little"
    return [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary']}"
        for each in result["violations"]
        if each["impact"] in REPORTED_IMPACTS
        for node in each["nodes"]
    ]


@views
def test_view_is_accessible_in_both_schemes_and_fits_a_phone(visit: Visit, ended_run: str, view: Any) -> None:
    # The page's policy blocks axe too.
    visitor = visit(bypass_csp=True, reduced_motion="reduce")
    page = view(visitor, ended_run)
    page.evaluate(AXE.read_text())
    brightness: dict[str, list[float]] = {}
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert axe_violations(page) == [], scheme
        colours = page.evaluate(COLOURS)
        brightness[scheme] = [sum(map(int, re.findall(r"\d+", colour)[:3])) / 765 for colour in colours]
    light, dark = 0.9, 0.15
    assert brightness["light"][0] > light > dark > brightness["light"][1]
    assert brightness["dark"][1] > light > dark > brightness["dark"][0]
    for role in ("banner", "main", "navigation", "contentinfo", "status"):
        assert page.get_by_role(role, include_hidden=True).count() == 1, role
    levels = page.eval_on_selector_all("main :is(h1, h2, h3)", LEVELS)
    assert levels.count(1) == 1
    assert page.evaluate(MOVING) == 0, "something moves although less motion is asked for"
    for width in (PHONE["width"], 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert horizontal_overflow(page) == 0
        overflowing = page.evaluate(
            """() => [...document.querySelectorAll("main h1, main h2, main button, main input, main .card, main dd")]
              .filter((each) => each.offsetParent && !each.closest(".scroll, .locations"))
              .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5)
              .map((each) => each.outerHTML.slice(0, 120))"""
        )
        assert overflowing == []
    visitor.picture(f"phone-{view.__name__.removeprefix('open_')}", full_page=True)


def test_phone_has_the_runs_before_the_form_and_the_failed_urls_before_the_map(visit: Visit, ended_run: str) -> None:
    visitor = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = visitor.open()
    expect(page.locator("[data-runs] li").first).to_be_in_viewport()
    form, runs = page.locator("[data-start-card]"), page.locator("[data-runs-card]")
    # In the document too, which is the order of the keyboard and of screen readers.
    assert page.eval_on_selector_all(".home > section", "all => all.map(each => 'startCard' in each.dataset)") == [
        False,
        True,
    ]
    page.get_by_role("button", name="Warm URLs…").click()
    expect(page.get_by_label("URLs, one per line")).to_be_in_viewport()
    page.set_viewport_size(DESKTOP)
    expect(page.get_by_role("button", name="Warm URLs…")).to_be_hidden()
    assert top_left(form)[0] < top_left(runs)[0]
    page.goto(f"{visitor.api}/#/run/{ended_run.rpartition(':')[2]}")
    page.wait_for_selector("g[data-city]")
    failed, world = page.locator("[data-failed]"), page.locator("svg.world")
    assert top_left(failed)[1] < top_left(world)[1]
    assert page.evaluate(MOVING) > 0, "without the preference for less motion, marks and bars move"


def test_run_can_be_started_by_keyboard(visit: Visit) -> None:
    visitor = visit()
    page, press = visitor.page, visitor.page.keyboard.press
    page.goto(f"{visitor.api}/")
    expect(page.get_by_label("API key", exact=True)).to_be_focused()
    page.keyboard.type(visitor.key)
    press("Enter")
    expect(page.get_by_role("heading", name="Warm URLs")).to_be_focused()
    expect(page.get_by_role("button", name="Start the run")).to_be_enabled()
    press("Tab")
    expect(page.get_by_label("URLs, one per line")).to_be_focused()
    page.keyboard.type(f"https://{HOST}/page/2.html")
    press("Tab")
    expect(page.get_by_role("button", name="Choose a file")).to_be_focused()
    press("Tab")
    expect(page.locator("[data-more-sources] summary")).to_be_focused()
    press("Tab")
    expect(page.get_by_role("radio", name="Regions")).to_be_focused()
    press("ArrowRight")
    expect(page.get_by_role("radio", name="Countries")).to_be_checked()
    press("Tab")
    expect(page.get_by_label("Search locations")).to_be_focused()
    shown = page.locator("[data-list] label:visible")
    countries = shown.count()
    page.keyboard.type("a")
    press("Enter")  # filters the list, and starts no run
    # The filter runs after a pause in typing, and must not run after the focus has moved into the list.
    expect(shown).not_to_have_count(countries)
    press("Tab")
    expect(page.locator("[data-list] input").first).to_be_focused()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) != "none", "the focus must be visible"
    press("End")
    last = page.evaluate("document.activeElement.value")
    assert last == page.locator("[data-list] label:not([hidden]) input").last.get_attribute("value")
    press("Shift+Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("south korea")
    expect(shown).to_have_count(1)
    press("Tab")
    press("Space")
    expect(page.locator("[data-chosen]")).to_contain_text("1 selected")
    press("Tab")
    expect(page.locator("[data-options] summary")).to_be_focused()
    press("Tab")
    expect(page.get_by_role("button", name="Start the run")).to_be_focused()
    press("Enter")
    page.wait_for_url(re.compile("#/run/"))
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.wait_for_selector(f"{ENDED}.completed")
    # The text for screen readers.
    expect(page.get_by_role("status")).to_have_text("The run has ended: completed, 1 of 1 URL warm")
    assert page.title().startswith("completed · ")


def test_skip_link_focuses_main_and_keeps_the_view(visit: Visit, ended_run: str) -> None:
    visitor = visit()
    page = visitor.open_run(ended_run)
    before = page.url
    page.evaluate("document.activeElement.blur()")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    assert page.url == before
