"""The dashboard with runs of many URLs: it stays responsive, and fetches their lists rarely."""

import re
import time
from typing import Any

from playwright.sync_api import expect

from tests.support.browser import Visit, respond_with
from tests.support.service import DASHBOARD_SERVICE, HOST

pytestmark = DASHBOARD_SERVICE


def test_page_with_20000_urls_stays_responsive(visit: Visit) -> None:
    urls = [f"https://{HOST}/{number}.html" for number in range(20_000)]
    whole = {"requestID": "r", "run": "large", "total": 20_000, "completed": 20_000, "inProgress": 0}
    targets = {"total": 20_000, "done": 20_000, "outcomes": {"warmed": 19_999, "lost": 1}, "verified": 0}
    first = whole | {"status": "FAILED", "targets": targets, "warnings": [], "skippedPops": []}
    none: dict[str, Any] = {"failedUrl": [], "inProgressUrl": [], "successUrl": [], "failures": []}
    failure = {"url": urls[-1], "reasons": {"lost": 1}, "coverage": 0}
    pages = {
        "two": first | none | {"successUrl": urls[1_000:15_000], "nextToken": "three"},
        "three": first | none | {"successUrl": urls[15_000:-1], "failedUrl": urls[-1:], "failures": [failure]},
    }
    visitor = visit()
    visitor.page.route(
        "**/status?*", respond_with(first | none | {"successUrl": urls[:1_000], "nextToken": "two"}, pages)
    )
    page = visitor.open("#/run/large")
    table = page.get_by_role("region", name="URLs", exact=True).first
    expect(page.get_by_text("1 to 25 of 20,000")).to_be_visible()
    assert page.locator("table.urls tbody tr").count() == 25
    expect(table).to_contain_text("failed")
    began = time.monotonic()
    page.locator("#url-search").fill("/1999")
    expect(page.get_by_text("1 to 11 of 11")).to_be_visible()
    page.get_by_label("State").select_option("failed")
    expect(page.get_by_text("1 to 1 of 1", exact=True)).to_be_visible()
    assert time.monotonic() - began < 3
    page.get_by_label("State").select_option("")
    page.locator("#url-search").fill("")
    expect(page.get_by_text("1 to 25 of 20,000")).to_be_visible()
    page.get_by_role("button", name="Next").first.click()
    expect(page.locator("[data-urls] [data-range]")).to_have_text("26 to 50 of 20,000")


def test_lists_of_a_large_run_are_not_fetched_with_every_poll(visit: Visit) -> None:
    moving = {
        "status": "IN_PROGRESS",
        "run": "large",
        "total": 5_000,
        "completed": 0,
        "inProgress": 5_000,
        "failing": 3,
        "targets": {"total": 5_000, "done": 0, "outcomes": {}, "verified": 0, "popsPerUrl": 1, "variants": 1},
        "failedUrl": [],
        "inProgressUrl": [f"https://{HOST}/{number}.html" for number in range(1_000)],
        "successUrl": [],
        "failures": [],
        "nextToken": "rest",
    }
    rest = {"inProgressUrl": [f"https://{HOST}/{number}.html" for number in range(1_000, 5_000)]}
    visitor = visit()
    requests: list[str] = []
    visitor.page.on("request", lambda sent: requests.append(sent.url.partition("/status?")[2]))
    visitor.page.route("**/status?*", respond_with(moving, {"rest": rest}))
    page = visitor.open("#/run/large")
    expect(page.get_by_text("1 to 25 of 5,000")).to_be_visible()
    expect(page.get_by_text(re.compile(r"3 failing \(.*\), 4,997 in progress"))).to_be_visible()
    expect(page.get_by_text("0 %; 5,000 URLs \u00d7 1 POP", exact=True)).to_be_visible()
    page.wait_for_timeout(1_500)
    assert [each for each in requests if each][:3] == [
        "requestID=large&include=pops&limit=1000",
        "requestID=large&nextToken=rest",
        "requestID=large&include=pops&limit=1",
    ]
    expect(page.get_by_text("1 to 25 of 5,000")).to_be_visible()
