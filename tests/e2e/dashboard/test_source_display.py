"""What a run takes from its sources, in which form, and what it leaves out, as the dashboard shows it."""

from playwright.sync_api import expect

from tests.support.browser import Visit, respond_by_run, respond_with
from tests.support.fake_runs import ended_run
from tests.support.service import DASHBOARD_SERVICE, HOST

pytestmark = DASHBOARD_SERVICE


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


def test_what_a_run_does_not_take_from_its_sources_is_shown_with_counts_and_examples(visit: Visit) -> None:
    dry_run = {
        "urls": 1,
        "targets": 1,
        "fetches": 1,
        "estimatedBytes": None,
        "sizes": {"asked": 0, "known": 0},
        "cost": {"dollars": 0.25, "pricesOf": "2026", "parts": []},
        "batches": 1,
        "stages": 1,
        "invalidation": {"paths": 0},
        "distributions": [],
        "noDistribution": {"urls": 0, "hosts": []},
        "warnings": [],
        "sources": SOURCES,
        "mostlySkipped": MOSTLY,
    }
    visitor = visit()
    statuses = {
        "skipping": ended_run("skipping", status="FAILED", sources=SOURCES, mostlySkipped=MOSTLY),
        "complete": ended_run("complete", sources=[], mostlySkipped=""),
        "dry": ended_run("dry", dryRun=dry_run),
    }
    visitor.page.route("**/status?*", respond_by_run(statuses))
    page = visitor.open("#/run/skipping")
    expect(page.locator("[data-mostly-skipped]")).to_have_text(MOSTLY)
    section = page.get_by_role("region", name="Not taken from the sources")
    lines = section.get_by_role("listitem")
    expect(lines.first).to_contain_text("sitemap[0]: 2 entries skipped: no distribution <b>")
    expect(lines.first).to_contain_text("such as https://x.example/1")
    expect(lines.nth(1)).to_have_text("sitemap[0]: 1 entry left out: excluded by exclude")

    page.goto(f"{visitor.api}/#/run/complete")
    expect(page.get_by_role("heading", name="complete", exact=True)).to_be_visible()
    expect(page.locator("[data-sources]")).to_be_hidden()
    expect(page.locator("[data-mostly-skipped]")).to_be_hidden()

    page.goto(f"{visitor.api}/#/run/dry")
    result = page.get_by_role("region", name="Result")
    expect(result.locator(".banner")).to_have_text(MOSTLY)
    expect(result).to_contain_text("sitemap[0]: 2 entries skipped: no distribution <b>such as https://x.example/1")
    expect(result).to_contain_text("sitemap[0]: 1 entry left out: excluded by exclude")
    # An estimate without the largest part of the price says so.
    expect(result).to_contain_text("$0.25without transfer: size unknown")
