"""Failed URLs as the dashboard shows them: what happened, whose fault it is, what to do, and the main button."""

from typing import Any

from playwright.sync_api import expect

from tests.support.browser import Visit, respond_by_run
from tests.support.fake_runs import ended_run, endless_run
from tests.support.service import DASHBOARD_SERVICE, HOST

pytestmark = DASHBOARD_SERVICE

GONE = [f"https://{HOST}/gone/{number}.html" for number in range(7)]
BUSY = f"https://{HOST}/busy.html"
DOCS = "https://docs.example/troubleshooting.md"
PUBLISH = {"outcome": "client_error", "do": "fix", "how": "publish <b>it</b>", "link": f"{DOCS}#client_error"}
LATER = {"outcome": "timeout", "do": "retry", "how": "retry; or run `dig` first", "link": "javascript:alert(1)"}


def gone(url: str) -> dict[str, Any]:
    return {
        "url": url, "reasons": {"client_error": 12, "timeout": 1}, "coverage": 0.0, "everywhere": True,
        "statuses": {"404": 11, "410": 1, "none": 1}, "nextStep": PUBLISH,
        "what": "404 Not Found at 11 POPs, such as SIN2-P1 (x-amz-cf-id <i>abc</i>)",
        "mainFailure": "410 Gone" if url == GONE[-1] else "404 <i>Not</i> Found",
    }  # fmt: skip


BUSY_FAILURE = {
    "url": BUSY, "reasons": {"timeout": 1}, "coverage": 92.3, "everywhere": False, "statuses": {"none": 1},
    "what": "timeout (the edge stopped responding) at 1 POP, such as ICN51-C1", "nextStep": LATER,
}  # fmt: skip


def pop(name: str, failed: int, *, differs: bool = False, targets: int = 10, judged: int = 3) -> dict[str, Any]:
    """Return a POP's sums: seven of ten URLs failed everywhere, and `failed` others here."""
    sums = {"pop": name, "targets": targets, "done": targets, "warm": judged - failed, "failed": 7 + failed}
    return sums | {"bytes": 1, "meanMs": 1.0, "judged": judged, "judgedFailed": failed, "differs": differs}


def run_of(name: str, failures: list[dict[str, Any]], steps: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return a run that ended with these failures."""
    lists = {"failures": failures, "failedUrl": [each["url"] for each in failures], "successUrl": []}
    outcomes: dict[str, int] = {}
    for each in failures:
        for outcome, count in each["reasons"].items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    counts = {"total": len(failures), "completed": len(failures), "nextSteps": steps}
    targets = {"total": 130, "done": 130, "outcomes": outcomes, "verified": 0}
    return ended_run(name, status="FAILED", targets=targets, **lists, **counts, **more)


GONE_STEP, LATER_STEP = PUBLISH | {"urls": 7}, LATER | {"urls": 1}
RETRY = {"kind": "retry", "how": "POST /retry"}


def test_failures_are_explained_with_next_step_and_the_main_button_follows_it(visit: Visit) -> None:
    statuses = {
        "mixed": run_of("mixed", [*map(gone, GONE), BUSY_FAILURE], [GONE_STEP, LATER_STEP]),
        "later": run_of("later", [BUSY_FAILURE], [LATER_STEP]),
        "gone": run_of("gone", [gone(GONE[0])], [PUBLISH | {"urls": 1}]),
        # A run of an earlier version has neither next steps nor statuses.
        "earlier": run_of("earlier", [{"url": BUSY, "reasons": {"timeout": 1}, "coverage": 50.5}], [], remedy=RETRY),
    }
    visitor = visit()
    visitor.page.route("**/status?*", respond_by_run(statuses))
    page = visitor.open("#/run/mixed")
    failed, result = page.locator("[data-failed]"), page.locator("[data-result]")
    causes = failed.locator(".cause")
    expect(result).to_contain_text("The failed URLs have 2 different next steps, which are below.")
    expect(result).not_to_contain_text("publish")
    expect(failed.get_by_role("heading", level=2)).to_have_text("8 URLs failed")
    expect(causes).to_have_count(2)
    first = causes.first
    what, step = gone("")["what"], "Next step: publish <b>it</b>"
    for text in ("7 URLs: 404 <i>Not</i> Found, 410 Gone client_error", what, "404 × 11", "no response × 1", step):
        expect(first).to_contain_text(text)
    assert first.get_by_role("link").get_attribute("href") == PUBLISH["link"]
    expect(first.locator("ul:not(.statuses) > li")).to_have_count(5)
    assert causes.last.locator("code").all_inner_texts() == ["timeout", "dig"]
    assert causes.last.get_by_role("link").count() == 0, "only http addresses become links"
    first.get_by_role("button", name="Show all 7 URLs").click()
    expect(page.get_by_label("State")).to_have_value("failed")
    expect(page.get_by_label("State")).to_be_focused()
    expect(page.locator("[data-urls] [data-range]")).to_have_text("1 to 8 of 8")
    page.get_by_role("button", name=GONE[0]).click()
    expect(page.locator("tr.details")).to_contain_text("Next step: publish <b>it</b>")

    retry, again = page.locator("[data-retry]"), page.locator("[data-again]")
    # Most URLs would fail again, one would not.
    expect(again).to_have_text("Run again with changes…")
    expect(again).to_have_class("primary")
    expect(retry).to_be_visible()
    expect(retry).not_to_have_class("primary")
    for run, retried, changed in (("later", True, False), ("gone", False, True), ("earlier", True, False)):
        page.goto(f"{visitor.api}/#/run/{run}")
        expect(page.get_by_role("heading", level=1)).to_have_text(run)
        expect(page.locator("[data-chip]")).to_contain_text("failed")
        expect(retry).to_be_visible(visible=retried)
        expect(again).to_have_class("primary" if changed else "")
        if changed:
            expect(result).to_contain_text("Next step: publish <b>it</b>")
    expect(failed).to_contain_text("Warm at 50.5 % of its reachable targets.")


def test_pops_are_judged_by_urls_that_are_warm_somewhere(visit: Visit) -> None:
    pops = [pop("SIN2-P1", 0), pop("FRA56-P1", 0), pop("ICN51-C1", 2, differs=True), pop("NRT57-P3", 0)]
    nothing = [pop("SIN2-P1", 0, judged=0), pop("FRA56-P1", 0, judged=0)]
    for each in nothing:
        each["warm"], each["failed"] = 0, 10
    earlier = {name: value for name, value in pops[2].items() if name not in {"judged", "judgedFailed", "differs"}}
    failures = [*map(gone, GONE), BUSY_FAILURE]
    statuses = {
        "one": run_of("one", failures, [GONE_STEP], pops=pops, failedEverywhere=7),
        "all": run_of("all", failures[:7], [GONE_STEP], pops=nothing, failedEverywhere=7),
        "earlier": run_of("earlier", failures[:7], [], pops=[earlier]),
    }
    visitor = visit()
    visitor.page.route("**/status?*", respond_by_run(statuses))
    page = visitor.open("#/run/one")
    judged, marks = page.locator("[data-judged]"), page.locator("g[data-city]")
    expect(judged).to_have_text(
        "7 URLs failed everywhere. Map and POPs count only the other URLs; the table has these failures apart. "
        "1 POP is less warm than the others: ICN51-C1."
    )
    states = {mark.get_attribute("data-city"): mark.get_attribute("class") for mark in marks.all()}
    assert states == {"SIN": "city warm", "FRA": "city warm", "NRT": "city warm", "ICN": "city partly differs"}
    seoul = page.locator("g[data-city=ICN]")
    assert (
        "1 of 3 targets warm, 2 failed, without 7 of URLs that failed everywhere, 1 POP less warm than the others"
        in (seoul.get_attribute("aria-label") or "")
    )
    rows = page.locator("table.pops tbody tr")
    expect(rows.first).to_contain_text("ICN51-C1")
    expect(rows.first).to_contain_text("partly warm ▲ less than the others")
    assert [row.locator("td").nth(2).inner_text() for row in rows.all()[1:]] == ["warm"] * 3
    region = page.get_by_role("region", name="Table of POPs")
    assert region.evaluate("each => each.scrollWidth <= each.clientWidth"), "a column is cut at a desktop's width"
    # What the map counts and what the table counts are the same numbers, and the legend says that it counts cities.
    heads = page.locator("table.pops th").all_inner_texts()
    assert [head.lower() for head in heads[3:7]] == ["tried", "warm", "failed", "failed everywhere"]
    cells = [[cell.inner_text() for cell in row.locator("td").all()[3:7]] for row in rows.all()]
    assert cells == [["3 of 3", "1", "2", "7"]] + [["3 of 3", "3", "0", "7"]] * 3
    legend = page.locator("[data-legend]")
    for text in ("warm: 3 cities", "partly warm: 1 city", "failed: 0 cities"):
        expect(legend).to_contain_text(text)
    # Without any warm URL, nothing is said about the POPs.
    page.goto(f"{visitor.api}/#/run/all")
    expect(judged).to_have_text("7 URLs failed everywhere.")
    expect(marks).to_have_count(2)
    assert {mark.get_attribute("class") for mark in marks.all()} == {"city unjudged"}
    # A run of an earlier version has its POPs judged by all URLs.
    page.goto(f"{visitor.api}/#/run/earlier")
    expect(page.locator("g[data-city=ICN]")).to_have_class("city partly")
    expect(judged).to_be_hidden()


def test_no_page_of_a_cold_run_reads_like_a_success_or_calls_unfinished_urls_failed(visit: Visit) -> None:
    left = {
        "url": BUSY, "reasons": {"cancelled": 3}, "coverage": 0.0, "everywhere": False,
        "what": "not finished (the run was cancelled) at 3 POPs",
        "mainFailure": "not finished (the run was cancelled)",
        "nextStep": LATER | {"outcome": "cancelled"},
    }  # fmt: skip
    skipped = {
        "skippedText": "1 of the 4 selected POPs was skipped",
        "skippedPops": [{"pop": "A", "reason": "timeout"}],
    }
    accepted = run_of("accepted", [gone(GONE[0])], [GONE_STEP]) | {"status": "COMPLETED", "failed": 1}
    statuses = {
        "cancelled": run_of("cancelled", [left], [LATER_STEP], reason="cancelled", remedy=RETRY, **skipped),
        "accepted": accepted,
        "running": endless_run(run="running", failing=1, total=3, inProgress=3),
    }
    visitor = visit()
    visitor.page.route("**/status?*", respond_by_run(statuses))
    page = visitor.open("#/run/cancelled")
    chip, figures = page.locator("[data-chip]"), page.locator("[data-figures]")
    expect(page.locator("[data-failed] h2")).to_have_text("1 URL not warm when the run was cancelled")
    expect(page.locator("[data-failed] h3")).to_contain_text("1 URL: not finished (the run was cancelled)")
    expect(page.locator("[data-urls] tbody td.state")).to_contain_text("not warm")
    expect(page.locator("[data-skipped]")).to_contain_text("1 of the 4 selected POPs was skipped.")
    expect(page.locator("[data-retry]")).to_have_text("Warm the rest")
    page.goto(f"{visitor.api}/#/run/accepted")
    expect(chip).to_have_class("chip not_warm")
    expect(chip).to_contain_text("not warm")
    expect(page.locator("[data-failed] h2")).to_have_text("1 URL failed")
    page.goto(f"{visitor.api}/#/run/running")
    meaning = "1 failing (failed at too many POPs already; final once the others have been tried), 2 in progress"
    expect(figures).to_contain_text(meaning)
    expect(figures).not_to_contain_text("done")
