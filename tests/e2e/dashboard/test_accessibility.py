"""The dashboard for everyone: by keyboard, by screen reader, on a phone, in the dark, and without motion."""

import itertools
import re
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import ENDED, PATIENCE_MS, PHONE, Visit, Visitor, sideways
from tests.support.service import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
GRAVE = {"moderate", "serious", "critical"}
LONG = f"https://{HOST}/" + "a-very-long-path-without-any-break/" * 6 + "absent.html"
COLOURS = "(({ backgroundColor, color }) => [backgroundColor, color])(getComputedStyle(document.body))"
LEVELS = "all => all.map(each => Number(each.localName[1]))"


@pytest.fixture(scope="module")
def ended_run(service: Service) -> str:
    """A run that has ended red, with POPs left out, a long URL, and nearly everything that a page can show."""
    urls = [f"https://{HOST}/page/1.html", LONG, f"https://{HOST}/cut.html"]
    request_id = service.start({"url_list": urls, "region_type": "country", "region": ["singapore", "DE"]})
    assert service.statuses(request_id)[-1]["status"] == "FAILED"
    return request_id


def open_key_form(visitor: Visitor, _run: str) -> Page:
    visitor.page.goto(f"{visitor.api}/")
    visitor.page.get_by_role("button", name="Open the dashboard").click()
    expect(visitor.page.locator("#key-error")).to_have_text("Give the key.")
    visitor.page.get_by_text("Where to find it").click()
    return visitor.page


def open_start_form(visitor: Visitor, _run: str) -> Page:
    page = visitor.open()
    page.get_by_label("URLs, one in each line").fill(f"https://{HOST}/page/1.html")
    page.get_by_text("Options", exact=True).click()
    page.get_by_role("checkbox", name=re.compile("Asia-Pacific")).check()
    page.get_by_role("button", name="Estimate only").click()
    expect(page.get_by_role("heading", name="What it would do")).to_be_focused(timeout=PATIENCE_MS)
    page.get_by_text("What the dollars are made of").click()
    page.get_by_role("button", name="Start the run").wait_for()
    expect(page.locator("[data-runs] li").first).to_be_visible()
    return page


def open_problems(visitor: Visitor, _run: str) -> Page:
    page = visitor.open()
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("[data-field=region] > [data-error]")).to_contain_text("is empty")
    visitor.take_for_granted(400)
    return page


def open_run(visitor: Visitor, run: str) -> Page:
    page = visitor.open_run(run)
    page.wait_for_selector("g[data-city]")
    page.get_by_role("button", name=LONG).click()
    page.locator("[data-skipped] summary").first.click()
    return page


def open_question(visitor: Visitor, _run: str) -> Page:
    page = visitor.open()
    page.evaluate("document.querySelector('[data-confirm]').showModal()")
    return page


VIEWS = (open_key_form, open_start_form, open_problems, open_run, open_question)
views = pytest.mark.parametrize("view", VIEWS, ids=[view.__name__.removeprefix("open_") for view in VIEWS])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@views
def test_axe_finds_nothing_grave(visit: Visit, ended_run: str, view: Any, scheme: str) -> None:
    # The page's own policy keeps even a checker out.
    visitor = visit(color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page = view(visitor, ended_run)
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    grave = [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]
    assert grave == []
    assert len(found["passes"]) > 10, "it did not look"
    for role in ("banner", "main", "navigation", "contentinfo", "status"):
        assert page.get_by_role(role, include_hidden=True).count() == 1, role
    levels = page.eval_on_selector_all("main :is(h1, h2, h3)", LEVELS)
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels


@views
def test_a_phone_scrolls_no_page_sideways(visit: Visit, ended_run: str, view: Any) -> None:
    visitor = visit(viewport=PHONE, color_scheme="dark", has_touch=True, is_mobile=True)
    page = view(visitor, ended_run)
    assert sideways(page) == 0
    visitor.picture(f"phone-{view.__name__.removeprefix('open_')}", full_page=True)
    beyond = page.evaluate(
        """() => [...document.querySelectorAll("main h1, main h2, main button, main input, main .card, main dd")]
          .filter((each) => each.offsetParent && !each.closest(".scroll, .places"))
          .filter((each) => each.getBoundingClientRect().right > innerWidth + 0.5)
          .map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert beyond == []


def test_light_and_dark_follow_the_system(visit: Visit, ended_run: str) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        visitor = visit(color_scheme=scheme)
        page = open_run(visitor, ended_run)
        colours = page.evaluate(COLOURS)
        grounds[scheme] = [sum(map(int, re.findall(r"\d+", colour)[:3])) / 765 for colour in colours]
        visitor.picture(f"run-{scheme}")
    light, dark = 0.9, 0.15
    assert grounds["light"][0] > light
    assert grounds["light"][1] < dark
    assert grounds["dark"][0] < dark
    assert grounds["dark"][1] > light


def test_without_motion_nothing_moves(visit: Visit, ended_run: str) -> None:
    moving = """() => document.getAnimations().length + [...document.querySelectorAll("*")]
      .filter((each) => parseFloat(getComputedStyle(each).transitionDuration) > 0).length"""
    assert open_run(visit(reduced_motion="reduce"), ended_run).evaluate(moving) == 0
    assert open_run(visit(reduced_motion="no-preference"), ended_run).evaluate(moving) > 0


def test_a_run_is_started_by_keyboard_alone(visit: Visit) -> None:
    visitor = visit()
    page, press = visitor.page, visitor.page.keyboard.press
    page.goto(f"{visitor.api}/")
    expect(page.get_by_label("API key", exact=True)).to_be_focused()
    page.keyboard.type(visitor.key)
    press("Enter")
    expect(page.get_by_role("heading", name="Warm URLs")).to_be_focused()
    expect(page.get_by_role("button", name="Start the run")).to_be_enabled()
    press("Tab")
    expect(page.get_by_label("URLs, one in each line")).to_be_focused()
    page.keyboard.type(f"https://{HOST}/page/2.html")
    press("Tab")
    expect(page.get_by_role("radio", name="Regions")).to_be_focused()
    press("ArrowRight")
    expect(page.get_by_role("radio", name="Countries")).to_be_checked()
    press("Tab")
    expect(page.get_by_label("Search places")).to_be_focused()
    page.keyboard.type("a")
    press("Enter")  # searches, and starts nothing
    press("Tab")
    expect(page.locator("[data-list] input").first).to_be_focused()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) != "none", "one must see where one is"
    press("End")
    last = page.evaluate("document.activeElement.value")
    assert last == page.locator("[data-list] label:not([hidden]) input").last.get_attribute("value")
    press("Shift+Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("south korea")
    expect(page.locator("[data-list] label:visible")).to_have_count(1)
    press("Tab")
    press("Space")
    expect(page.locator("[data-chosen]")).to_contain_text("1 chosen")
    press("Tab")
    expect(page.locator("[data-options] summary")).to_be_focused()
    press("Tab")
    expect(page.get_by_role("button", name="Start the run")).to_be_focused()
    press("Enter")
    page.wait_for_url(re.compile("#/run/"))
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.wait_for_selector(f"{ENDED}.completed")
    # What a screen reader is told of it.
    expect(page.get_by_role("status")).to_have_text("The run has ended: completed, 1 of 1 URL warm")
    assert page.title().startswith("completed · ")


def test_the_skip_link_leads_past_the_header_and_leaves_the_view(visit: Visit, ended_run: str) -> None:
    visitor = visit()
    page = visitor.open_run(ended_run)
    before = page.url
    page.evaluate("document.activeElement.blur()")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    assert page.url == before
