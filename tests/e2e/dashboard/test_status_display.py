"""The dashboard's rendering of statuses: large runs, unusual values and causes of failure."""

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.support.browser import ENDED, PHONE, Visit, horizontal_overflow, respond_with
from tests.support.fake_runs import PAGE, endless_run
from tests.support.service import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE


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
        "targets": {"total": 5_000, "done": 0, "outcomes": {}, "verified": 0},
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
    page.wait_for_timeout(1_500)
    assert [each for each in requests if each][:3] == [
        "requestID=large&include=pops&limit=1000",
        "requestID=large&nextToken=rest",
        "requestID=large&include=pops&limit=1",
    ]
    expect(page.get_by_text("1 to 25 of 5,000")).to_be_visible()


def test_ended_run_with_every_status_field_is_rendered(visit: Visit) -> None:
    """Fields that the runs of these tests may lack: cost, remedy, outcome texts, console URL, unusual POPs."""
    status = {
        "status": "TIMEOUT",
        "requestID": "r",
        "run": "full",
        "total": 1,
        "completed": 1,
        "inProgress": 0,
        "failedUrl": [PAGE],
        "inProgressUrl": [],
        "successUrl": [],
        "failures": [{"url": PAGE, "reasons": {"deadline": 3, "new_thing": 1}, "coverage": 60.5}],
        "targets": {"total": 8, "done": 4, "outcomes": {"warmed": 4, "deadline": 3, "new_thing": 1}, "verified": 2},
        "pops": [
            {"pop": "NRT57-P3", "targets": 4, "done": 4, "warm": 4, "failed": 0, "bytes": 1_234_567, "meanMs": 41.5},
            {"pop": "FRA56-P1", "targets": 3, "done": 3, "warm": 0, "failed": 3, "bytes": 0, "meanMs": None},
            {"pop": "XXX1-C1", "targets": 1, "done": 0, "warm": 0, "failed": 0, "bytes": 0, "meanMs": None},
            {"pop": "LHR3-C1", "targets": 1, "done": 0, "warm": 0, "failed": 0, "bytes": 0, "meanMs": None},
            {"pop": "SIN2-P1", "targets": 3, "done": 2, "warm": 2, "failed": 0, "bytes": 9, "meanMs": 1.0},
            {"pop": "ICN51-C1", "targets": 3, "done": 3, "warm": 0, "failed": 3, "bytes": 0, "meanMs": None},
        ],
        "skippedPops": [
            {"pop": "SYD1-C1", "reason": "unresolved_pop", "detail": "NXDOMAIN"},
            {"pop": "ICN51-C1", "reason": "connect_error", "detail": "went dark"},
        ],
        "warnings": ["a <b>warning</b>"],
        "error": "Prewarm.DeadlinePassed",
        "cause": "time was up\nand more",
        "words": {"new_thing": "something new <i>happened</i>"},
        "remedy": {"kind": "retry", "how": "POST /retry?requestID=r starts a new run"},
        "startedAt": "2026-01-02T03:04:05Z",
        "endedAt": "2026-01-02T04:05:05Z",
        "bytes": 1_234_567,
        "cost": {"dollars": 0.0042},
        "consoleUrl": "https://console.aws.example/states",
    }
    visitor = visit()
    visitor.page.route("**/status?*", respond_with(status))
    reports: list[str] = []

    def report(route: Route) -> None:
        reports.append(route.request.url)
        url = f"{visitor.api}/?report"
        route.fulfill(status=200, content_type="application/json", body=json.dumps({"url": url, "format": "csv"}))

    visitor.page.route("**/report?*", report)
    page = visitor.open("#/run/full")
    for text in (
        "timed out",
        "took 1 h 1 min",
        "Next step: retry the URLs that are not warm",
        "$0.0042",
        "1.2 MB",
        "time was up",
    ):
        expect(page.locator("article")).to_contain_text(text)
    expect(page.get_by_role("button", name="Retry failed URLs")).to_be_visible()
    expect(page.locator("article")).not_to_contain_text("POST /retry")
    expect(page.get_by_text("Not on the map, because their location is unknown: XXX1-C1.")).to_be_visible()
    expect(page.get_by_text("a <b>warning</b>")).to_be_visible()
    expect(page.get_by_text("something new <i>happened</i>").first).to_be_visible()
    console = page.get_by_role("link", name="Step Functions console")
    assert console.get_attribute("href") == status["consoleUrl"]
    assert console.get_attribute("rel") == "noopener noreferrer"
    states = {
        "Tokyo": "warm",
        "Frankfurt": "failed",
        "Sydney": "skipped",
        "London": "cold",  # never fetched
        "Singapore": "partly warm",  # unfinished at the deadline
        "Seoul": "skipped",  # went dark during the run
    }
    for city, state in states.items():
        expect(page.get_by_role("button", name=re.compile(rf"^{city}.*\b{state}"))).to_be_attached()
    page.get_by_text("its DNS name does not resolve").click()
    expect(page.get_by_text("SYD1-C1 (NXDOMAIN)")).to_be_visible()
    visitor.picture("run-full", full_page=True)
    with visitor.context.expect_page() as opened:
        page.get_by_role("button", name="Report as CSV").click()
    opened.value.wait_for_url("**/?report")
    assert opened.value.evaluate("window.opener") is None
    assert "format=csv" in reports[0]
    assert "requestID=full" in reports[0]


def test_rejected_run_shows_the_cause(visit: Visit, service: Service) -> None:
    given = json.dumps({"url_list": [PAGE], "region_type": "country", "region": ["sinapore"]})
    arn = service.client("stepfunctions").start_execution(
        stateMachineArn=service.ready["stateMachineArn"], name=f"refused-{time.time_ns()}", input=given
    )["executionArn"]
    page = visit().open_run(arn)
    page.wait_for_selector(f"{ENDED}.failed")
    expect(page.locator("[data-result]")).to_contain_text("Prewarm.InvalidRequest")
    expect(page.locator("[data-result]")).to_contain_text("singapore")
    expect(page.get_by_role("progressbar", name="Targets done")).to_have_attribute("aria-valuenow", "0")
    expect(page.locator("[data-urls]")).to_contain_text(PAGE)
    expect(page.locator("[data-map]")).to_be_hidden()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", ""])
def test_addresses_other_than_http_do_not_become_links(visit: Visit, address: str) -> None:
    status = {"status": "COMPLETED", "run": "odd", "total": 0, "completed": 0, "inProgress": 0, "consoleUrl": address}
    visitor = visit()
    visitor.page.route("**/status?*", respond_with(status | {"failedUrl": [], "inProgressUrl": [], "successUrl": []}))
    visitor.page.route("**/report?*", respond_with({"url": address}))
    page = visitor.open("#/run/odd")
    page.get_by_role("button", name="Report", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("the report has no valid address")
    assert page.get_by_role("link", name="Step Functions console").count() == 0
    assert len(visitor.context.pages) == 1


@pytest.mark.parametrize(
    ("kind", "how", "command"),
    [
        ("redrive", "fix what the cause names, then `aws redrive <b>ARN</b>` continues", "aws redrive <b>ARN</b>"),
        ("fix", "fix what the cause names, and start a new run", None),
    ],
)
def test_remedy_is_shown_as_text_and_its_command_as_code(
    visit: Visit, kind: str, how: str, command: str | None
) -> None:
    how = how.replace("ARN", "arn:" + "a" * 300)
    ended = endless_run(
        status="FAILED", inProgress=0, error="States.Runtime", cause="", remedy={"kind": kind, "how": how}
    )
    visitor = visit(viewport=PHONE)
    visitor.page.route("**/status?*", respond_with(ended))
    page = visitor.open("#/run/endless")
    expect(page.locator("[data-result]")).to_contain_text(f"Next step: {how.replace('`', '')}")
    codes = page.locator("[data-result] code").all_inner_texts()
    assert codes == ([command.replace("ARN", "arn:" + "a" * 300)] if command else [])
    expect(page.locator("[data-next-step]")).to_be_hidden()
    assert horizontal_overflow(page) == 0


def test_skipped_city_refers_to_the_skipped_pops(visit: Visit) -> None:
    used = {"pop": "SIN2-P1", "targets": 4, "done": 4, "warm": 4, "failed": 0, "bytes": 9, "meanMs": 1.0}
    left = {"pop": "SYD1-C1", "reason": "unresolved_pop"}
    visitor = visit()
    visitor.page.route("**/status?*", respond_with(endless_run(pops=[used], skippedPops=[left])))
    page = visitor.open("#/run/endless")
    hint, rows = page.locator("[data-map-hint]"), page.locator("table.pops tbody tr")
    page.get_by_role("button", name=re.compile("^Singapore")).click()
    expect(hint).to_contain_text("shows only this location")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name=re.compile("^Sydney")).click()
    expect(hint).to_contain_text("“Skipped POPs”")
    expect(hint).not_to_contain_text("only this location")
    expect(rows).to_have_count(1)


def test_url_has_the_form_in_which_it_is_fetched_where_that_differs(visit: Visit) -> None:
    given, plain, cold = (f"https://{HOST}/{name}" for name in ("^a", "b", "o'neill?'"))
    forms = {given: f"https://{HOST}/%5Ea", cold: f"https://{HOST}/o'neill?%27"}
    ended = {
        "status": "FAILED",
        "run": "respelled",
        "total": 3,
        "completed": 3,
        "inProgress": 0,
        "duplicates": 4,
        "targets": {"total": 3, "done": 3, "outcomes": {"warmed": 2, "lost": 1}, "verified": 0},
        "failedUrl": [],
        "inProgressUrl": [],
        "successUrl": [given, plain],
        "failures": [],
        "fetched": {given: forms[given]},
        "nextToken": "rest",
    }
    failure = {"url": cold, "reasons": {"lost": 1}, "coverage": 0}
    rest = {"failedUrl": [cold], "successUrl": [], "failures": [failure], "fetched": {cold: forms[cold]}}
    visitor = visit()
    visitor.page.route("**/status?*", respond_with(ended, {"rest": rest}))
    page = visitor.open("#/run/respelled")
    rows = page.locator("table.urls tbody tr")
    expect(rows.filter(has_text=given)).to_contain_text(f"fetched as {forms[given]}")
    expect(rows.filter(has_text=cold)).to_contain_text(f"fetched as {forms[cold]}")
    expect(rows.filter(has_text=plain)).not_to_contain_text("fetched as")
    expect(page.locator("[data-figures]")).to_contain_text("other spellings, left out")
    page.locator("#url-search").fill("%5Ea")
    expect(rows).to_have_count(1)


SOURCES = [
    {
        "source": "sitemap[0]",
        "address": f"https://{HOST}/sitemap.xml",
        "urls": 1,
        "skipped": 2,
        "parts": 1,
        "partsSkipped": 0,
        "leftOut": [
            {"reason": "no distribution <b>", "count": 2, "skipped": True, "examples": ["https://x.example/1"]},
            {"reason": "excluded by exclude", "count": 1, "skipped": False, "examples": []},
        ],
    }
]
MOSTLY = "sitemap[0]: 2 of 3 entries cannot be warmed and were skipped"


def test_what_a_run_does_not_take_from_its_sources_is_shown_with_counts_and_examples(visit: Visit) -> None:
    status = {
        "status": "FAILED",
        "requestID": "r",
        "run": "skipping",
        "total": 1,
        "completed": 1,
        "inProgress": 0,
        "failedUrl": [],
        "inProgressUrl": [],
        "successUrl": [PAGE],
        "failures": [],
        "targets": {"total": 1, "done": 1, "outcomes": {"warmed": 1}, "verified": 0},
        "warnings": [],
        "skippedPops": [],
        "sources": SOURCES,
        "mostlySkipped": MOSTLY,
    }
    visitor = visit()
    visitor.page.route("**/status?*", respond_with(status))
    page = visitor.open("#/run/skipping")
    expect(page.locator("[data-mostly-skipped]")).to_have_text(MOSTLY)
    section = page.get_by_role("region", name="Not taken from the sources")
    lines = section.get_by_role("listitem")
    expect(lines.first).to_contain_text("sitemap[0]: 2 entries skipped: no distribution <b>")
    expect(lines.first).to_contain_text("such as https://x.example/1")
    expect(lines.nth(1)).to_have_text("sitemap[0]: 1 entry left out: excluded by exclude")
    status.update({"sources": [], "mostlySkipped": ""})
    visitor.page.route("**/status?*", respond_with(status))
    visitor.page.reload()
    expect(page.get_by_role("heading", name="skipping")).to_be_visible()
    expect(page.locator("[data-sources]")).to_be_hidden()
    expect(page.locator("[data-mostly-skipped]")).to_be_hidden()


def test_estimate_shows_what_would_not_be_taken_from_the_sources(visit: Visit) -> None:
    dry_run = {
        "urls": 1,
        "targets": 1,
        "fetches": 1,
        "estimatedBytes": None,
        "sizes": {"asked": 0, "known": 0},
        "cost": {"dollars": 0, "pricesOf": "2026", "parts": []},
        "batches": 1,
        "stages": 1,
        "invalidation": {"paths": 0},
        "distributions": [],
        "noDistribution": {"urls": 0, "hosts": []},
        "warnings": [],
        "sources": SOURCES,
        "mostlySkipped": MOSTLY,
    }
    lists: dict[str, Any] = {"failedUrl": [], "inProgressUrl": [], "successUrl": [], "failures": []}
    counts = {"total": 1, "completed": 1, "inProgress": 0}
    status = {"status": "COMPLETED", "requestID": "r", "run": "dry", "dryRun": dry_run} | lists | counts
    visitor = visit()
    visitor.page.route("**/status?*", respond_with(status))
    page = visitor.open("#/run/dry")
    result = page.get_by_role("region", name="Result")
    expect(result.locator(".banner")).to_have_text(MOSTLY)
    expect(result).to_contain_text("sitemap[0]: 2 entries skipped: no distribution <b>such as https://x.example/1")
    expect(result).to_contain_text("sitemap[0]: 1 entry left out: excluded by exclude")
