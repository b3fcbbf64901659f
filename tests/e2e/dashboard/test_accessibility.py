"""The dashboard by keyboard, with a screen reader, on a phone, in dark mode, and without motion."""

import itertools
import re
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import ENDED, PHONE, TIMEOUT_MS, Visit, Visitor, horizontal_overflow
from tests.support.service import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
REPORTED_IMPACTS = {"moderate", "serious", "critical"}
LONG = f"https://{HOST}/" + "a-very-long-path-without-any-break/" * 6 + "absent.html"
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
    expect(page.locator("[data-field=region] > [data-error]")).to_contain_text("is empty")
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@views
def test_axe_reports_no_violation_above_minor(visit: Visit, ended_run: str, view: Any, scheme: str) -> None:
    # The page's policy blocks axe too.
    visitor = visit(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page = view(visitor, ended_run)
    page.evaluate(AXE.read_text())
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    violations = [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary']}"
        for each in result["violations"]
        if each["impact"] in REPORTED_IMPACTS
        for node in each["nodes"]
    ]
    assert violations == []
    assert len(result["passes"]) > 10, "axe checked too little"
    for role in ("banner", "main", "navigation", "contentinfo", "status"):
        assert page.get_by_role(role, include_hidden=True).count() == 1, role
    levels = page.eval_on_selector_all("main :is(h1, h2, h3)", LEVELS)
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels


@views
def test_phone_view_has_no_horizontal_scrolling(visit: Visit, ended_run: str, view: Any) -> None:
    visitor = visit(viewport=PHONE, color_scheme="dark", has_touch=True, is_mobile=True)
    page = view(visitor, ended_run)
    assert horizontal_overflow(page) == 0
    visitor.picture(f"phone-{view.__name__.removeprefix('open_')}", full_page=True)
    overflowing = page.evaluate(
        """() => [...document.querySelectorAll("main h1, main h2, main button, main input, main .card, main dd")]
          .filter((each) => each.offsetParent && !each.closest(".scroll, .locations"))
          .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5)
          .map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert overflowing == []


def test_colours_follow_the_system_scheme(visit: Visit, ended_run: str) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        visitor = visit(color_scheme=scheme)
        page = open_run(visitor, ended_run)
        colours = page.evaluate(COLOURS)
        brightness[scheme] = [sum(map(int, re.findall(r"\d+", colour)[:3])) / 765 for colour in colours]
        visitor.picture(f"run-{scheme}")
    light, dark = 0.9, 0.15
    assert brightness["light"][0] > light
    assert brightness["light"][1] < dark
    assert brightness["dark"][0] < dark
    assert brightness["dark"][1] > light


def test_reduced_motion_disables_animations(visit: Visit, ended_run: str) -> None:
    moving = """() => document.getAnimations().length + [...document.querySelectorAll("*")]
      .filter((each) => parseFloat(getComputedStyle(each).transitionDuration) > 0).length"""
    assert open_run(visit(reduced_motion="reduce"), ended_run).evaluate(moving) == 0
    assert open_run(visit(reduced_motion="no-preference"), ended_run).evaluate(moving) > 0


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
