"""Starting a run from the dashboard: repeated requests, the estimate, and the price of a run through all POPs."""

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.support.browser import TIMEOUT_MS, Visit, fill_for_singapore, respond_with
from tests.support.fake_runs import PAGE, ended_run
from tests.support.service import DASHBOARD_SERVICE

pytestmark = DASHBOARD_SERVICE

DRY_RUN: dict[str, Any] = {
    "urls": 1, "targets": 623, "fetches": 700, "estimatedBytes": 2_000_000_000, "sizes": {"asked": 1, "known": 1},
    "cost": {"dollars": 12.345, "pricesOf": "2026-01", "parts": []}, "batches": 4, "stages": 1,
    "invalidation": {"paths": 0}, "distributions": [], "noDistribution": {"urls": 0, "hosts": []}, "warnings": [],
    "sources": [], "mostlySkipped": "",
}  # fmt: skip
LOST: tuple[int, object] = (504, {})


def answer_starts(page: Page, answer: Callable[[dict[str, Any]], tuple[int, object]]) -> list[tuple[str, Any]]:
    """Answer every POST /prewarm by a function of its body; return a list that collects keys and bodies."""
    sent: list[tuple[str, Any]] = []

    def respond(route: Route) -> None:
        body: Any = route.request.post_data_json
        sent.append((route.request.headers.get("idempotency-key", ""), body))
        status, document = answer(body)
        route.fulfill(status=status, content_type="application/json", body=json.dumps(document))

    page.route("**/prewarm", respond)
    page.route("**/status?*", respond_with(ended_run()))
    return sent


def test_repeated_start_has_the_same_key_until_it_is_a_run_or_another_request(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    answers: list[tuple[int, object]] = [LOST]
    sent = answer_starts(page, lambda body: (200, {"dryRun": DRY_RUN}) if "dry_run" in body else answers[0])
    start, error = page.get_by_role("button", name="Start the run"), page.locator("[data-form-error]")

    def press() -> str:
        with page.expect_response("**/prewarm"):
            start.click()
        return sent[-1][0]

    fill_for_singapore(page)
    first = press()
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{32}", first)
    expect(error).to_contain_text("the service returned 504")
    page.get_by_role("button", name="Estimate only").click()
    expect(page.get_by_role("region", name="Estimate")).to_be_visible()
    assert sent[-1][0] == "", "a dry run has no key"
    assert press() == first
    # The site may have a new release after ten minutes: returning an old run would warm nothing.
    later = "later => { const now = Date.now; Date.now = () => now() + later; }"
    page.evaluate(later, 60_000)
    assert press() == first
    page.evaluate(later, 601_000)
    second = press()
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Concurrency").fill("2")
    third = press()
    assert press() == third
    # The request has become a run: the same request now starts another run.
    answers[0] = (200, {"requestID": "arn:x:ended"})
    assert press() == third
    page.wait_for_url(re.compile("#/run/ended"))
    page.go_back()
    fill_for_singapore(page)
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Concurrency").fill("2")
    fourth = press()
    assert len({first, second, third, fourth}) == 4
    visitor.expect_status(504)


def test_start_through_all_pops_shows_its_price_first(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    answers: list[object] = [{"dryRun": DRY_RUN}]
    started = {"requestID": "arn:x:ended"}
    sent = answer_starts(page, lambda body: (200, answers[0] if "dry_run" in body else started))
    page.get_by_label("URLs, one per line").fill(PAGE)
    page.get_by_role("radio", name="Everywhere").check()
    show_price = page.get_by_role("button", name="Show the price, then start")
    show_price.click()
    estimate = page.get_by_role("region", name="Estimate")
    expect(estimate).to_contain_text("$12.35")
    assert [body.get("dry_run", False) for _, body in sent] == [True]
    # Another request has another price, so it is shown again.
    page.get_by_label("URLs, one per line").fill(f"{PAGE}?2")
    expect(estimate).to_be_hidden()
    answers[0] = {"dryRun": DRY_RUN | {"estimatedBytes": None, "sizes": {"asked": 1, "known": 0}}}
    show_price.click()
    expect(estimate).to_contain_text("without transfer: size unknown")
    assert [body.get("dry_run", False) for _, body in sent] == [True, True]
    page.get_by_role("button", name="Start the run for about $12.35, without transfer: size unknown").click()
    page.wait_for_url(re.compile("#/run/ended"))
    assert "dry_run" not in sent[-1][1]
    assert sent[-1][1]["region"] == "all"
    # A dry run that takes long has a page of its own, which shows the price; the form then starts the run.
    page.go_back()
    answers[0] = {"requestID": "arn:x:long-dry-run"}
    page.get_by_label("URLs, one per line").fill(PAGE)
    page.get_by_role("radio", name="Everywhere").check()
    show_price.click()
    page.wait_for_url(re.compile("#/run/long-dry-run"))
    page.go_back()
    expect(page.get_by_role("radio", name="Everywhere")).to_be_checked()
    show_price.click()
    page.wait_for_url(re.compile("#/run/ended"))
    assert [body.get("dry_run", False) for _, body in sent] == [True, True, False, True, False]


def test_estimate_is_hidden_when_the_form_changes(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open()
    fill_for_singapore(page)
    estimate = page.get_by_role("region", name="Estimate")
    estimate_button = page.get_by_role("button", name="Estimate only")
    estimate_button.click()
    expect(estimate).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_label("Search locations").fill("korea")  # does not change the request
    expect(estimate).to_be_visible()
    page.get_by_role("checkbox", name=re.compile("South Korea")).check()
    expect(estimate).to_be_hidden()
    held: list[Route] = []
    page.route("**/prewarm", lambda route: held.append(route))  # noqa: PLW0108 - Playwright sets attributes on the handler
    with page.expect_request("**/prewarm"):
        estimate_button.click()
    # A response to an outdated form is not shown.
    page.get_by_label("URLs, one per line").fill(f"{PAGE}?changed")
    held[0].fulfill(json={"dryRun": DRY_RUN})
    expect(page.locator("[data-form-error]")).to_contain_text("The form has changed since")
    expect(estimate).to_be_hidden()
