"""The page of a run: every field, errors, links, remedies."""

import json
import re
import time
from typing import Any

from playwright.sync_api import Route, expect

from tests.support.browser import ENDED, PHONE, Visit, horizontal_overflow, respond_by_run, respond_with
from tests.support.fake_runs import PAGE, ended_run, endless_run
from tests.support.service import DASHBOARD_SERVICE, Service

pytestmark = DASHBOARD_SERVICE


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
        "label": "release <b>42</b>",
        "timeToFirstByteMs": {"p50": 41.0, "p90": 88.0, "p99": 12_000.0},
        "timesToFirstByte": [{"fromMs": 32, "toMs": 64, "count": 1_234}, {"fromMs": 64, "toMs": 128, "count": 6}],
        "gain": {
            "text": "First viewers were spared a median of 182 ms; <i>12 %</i> were warm before.",
            "regions": [
                {"region": "Japan", "pairs": 7, "sparedMs": {"p50": -3.0, "p95": 410.0, "p99": 999.0}, "fetched": 9,
                 "warmBefore": 2},
                {"region": "Europe, Israel", "pairs": 0, "sparedMs": None, "fetched": 999, "warmBefore": 1},
            ],
        },
        "consoleUrl": "https://console.aws.example/states",
    }  # fmt: skip
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
        "$0.0042",
        "1.2 MB",
        "time was up",
        "release <b>42</b>",
        "88 ms",
        "12.0 s",
        "32 ms to 64 ms",
        "1,234",
        "<i>12 %</i> were warm before.",
        "Japan7 targets-3 ms410 ms999 ms22 %",
        "Europe, Israel0 targetsunder 1 %",
    ):
        expect(page.locator("article")).to_contain_text(text)
    expect(page.get_by_role("button", name="Warm the rest")).to_be_visible()
    expect(page.locator("article")).not_to_contain_text("POST /retry")
    expect(page.get_by_text("Not on the map, because their location is unknown: XXX1-C1.")).to_be_visible()
    expect(page.get_by_text("a <b>warning</b>")).to_be_visible()
    expect(page.get_by_text("something new <i>happened</i>").first).to_be_visible()
    # The service of these tests runs on this machine, without a console.
    expect(page.get_by_role("link", name="Step Functions console")).to_have_count(0)
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
    page.get_by_text("the POP's name does not resolve, so the POP may be retired").click()
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
    expect(page.get_by_role("progressbar", name="Targets tried")).to_have_attribute("aria-valuenow", "0")
    expect(page.locator("[data-urls]")).to_contain_text(PAGE)
    expect(page.locator("[data-map]")).to_be_hidden()


def with_console(route: Route) -> None:
    """Serve the page as a deployed stack does, where runs have a console."""
    response = route.fetch()
    page = response.text()
    assert "const HAS_CONSOLE = false;" in page
    route.fulfill(response=response, body=page.replace("const HAS_CONSOLE = false;", "const HAS_CONSOLE = true;"))


def test_only_http_addresses_become_links(visit: Visit) -> None:
    addresses = {
        "script": "javascript:alert(1)",
        "data": "data:text/html,x",
        "none": "",
        "real": "https://c.example/",
    }
    # The page's policy blocks a changed script.
    visitor = visit(bypass_csp=True)
    visitor.page.route(re.compile(r"/v1/(#|$)"), with_console)
    statuses = {name: ended_run(name, consoleUrl=address) for name, address in addresses.items()}
    visitor.page.route("**/status?*", respond_by_run(statuses))
    for name, address in addresses.items():
        visitor.page.route("**/report?*", respond_with({"url": address}))
        page = visitor.open(f"#/run/{name}")
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        console = page.get_by_role("link", name="Step Functions console")
        expect(page.get_by_role("button", name="Report", exact=True)).to_be_visible()
        if name == "real":
            assert console.get_attribute("href") == address
            assert console.get_attribute("rel") == "noopener noreferrer"
            continue
        page.get_by_role("button", name="Report", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("the report has no valid address")
        assert console.count() == 0
    assert len(visitor.context.pages) == 1


REMEDIES = {
    "redrive": ("fix what the cause names, then `aws redrive <b>ARN</b>` continues", ["aws redrive <b>ARN</b>"]),
    "fix": ("fix what the cause names, and start a new run", []),
}
ARN = "arn:" + "a" * 300


def test_remedy_is_shown_as_text_and_its_command_as_code(visit: Visit) -> None:
    statuses = {}
    for kind, (how, _) in REMEDIES.items():
        remedy = {"kind": kind, "how": how.replace("ARN", ARN)}
        error = {"status": "FAILED", "error": "States.Runtime", "cause": "", "successUrl": []}
        statuses[kind] = ended_run(kind, remedy=remedy, **error)
    visitor = visit(viewport=PHONE)
    visitor.page.route("**/status?*", respond_by_run(statuses))
    for kind, (how, commands) in REMEDIES.items():
        page = visitor.open(f"#/run/{kind}")
        shown = how.replace("ARN", ARN).replace("`", "")
        expect(page.locator("[data-result]")).to_contain_text(f"Next step: {shown}")
        codes = page.locator("[data-result] code").all_inner_texts()
        assert codes == [command.replace("ARN", ARN) for command in commands]
        expect(page.locator("[data-retry]")).to_be_hidden()
        assert horizontal_overflow(page) == 0


def test_progress_shows_phase_time_left_and_cancelled_as_a_state_of_its_own(visit: Visit) -> None:
    phases: dict[str, tuple[dict[str, Any], list[str]]] = {
        "resolving": ({"name": "resolving"}, ["resolving", "finding distributions and POPs"]),
        "invalidating": (
            {"name": "invalidating", "round": 2, "rounds": 3, "done": 5, "total": 8},
            ["invalidating", "round 2 of 3, 5 of 8 invalidations"],
        ),
        "warming": (
            {"name": "warming", "stage": 1, "stages": 2, "done": 3, "total": 12, "secondsLeft": 95},
            ["warming", "stage 1 of 2, 3 of 12 batches", "about 1 min 35 s"],
        ),
        "summing-up": ({"name": "summing_up"}, ["summing up"]),
    }
    statuses = {name: endless_run(run=name, phase=phase) for name, (phase, _) in phases.items()}
    outcomes = {"warmed": 1, "cancelled": 2, "timeout": 1}
    targets = {"total": 4, "done": 4, "outcomes": outcomes, "verified": 0}
    statuses["cancelled"] = ended_run("cancelled", status="FAILED", reason="cancelled", targets=targets)
    visitor = visit()
    visitor.page.route("**/status?*", respond_by_run(statuses))
    page = visitor.open("#/")
    for name, (_, texts) in phases.items():
        page.goto(f"{visitor.api}/#/run/{name}")
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        for text in texts:
            expect(page.locator("[data-figures]")).to_contain_text(text)
    page.goto(f"{visitor.api}/#/run/cancelled")
    chip = page.locator("[data-chip]")
    expect(chip).to_have_class("chip cancelled")
    expect(chip).to_contain_text("cancelled")
    assert page.title().startswith("cancelled · ")
    # A quarter of the bar is green, a quarter red, half of it grey.
    widths = page.eval_on_selector_all("[data-meter] > div", "all => all.map(each => each.style.width)")
    assert widths == ["25%", "25%", "50%"]
    assert page.locator("[data-reasons] .bar.cancelled").count() == 1


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
