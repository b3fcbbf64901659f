"""The HTML report in a browser: accessible at any width, in light and dark, for every result of a run."""

import json
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Browser

from aggregate.report_html import page
from prewarm.catalogue import catalogue

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
SERIOUS = {"serious", "critical"}
VIEWS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((360, "light"), (1200, "dark"))
LONG = "https://www.example.com/" + "x" * 1500 + "?a=1|2|3"


def report(pops: int = 30, failures: int = 3, done: int = 4) -> dict[str, Any]:
    """Return a run's report with the given numbers of POPs, failures and done targets."""
    names = list(catalogue().pops)[:pops]
    one = {"targets": 4, "done": done, "warm": done, "failed": 0, "fetches": 8, "bytes": 4_000}
    one |= {"judged": 4 if done else 0, "judgedFailed": 0, "differs": False}
    kinds = {"blocked:403": 2, "timeout": 1}
    example = {"pop": "NRT57-P3", "outcome": "blocked", "status": 403, "cause": None, "inRecords": False}
    example |= {"xCache": "Error from cloudfront", "requestId": "y" * 56}
    part = {"name": "Lambda time", "quantity": 1.5, "unit": "GB-second", "unitPrice": 0.1, "dollars": 0.15}
    reasons = {"blocked": 2, "timeout": 1}
    failed = [
        {
            "index": n,
            "url": f"{LONG}{n}",
            "reasons": reasons,
            "warm": 1,
            "reachable": 4,
            "coverage": 25.0,
            "kinds": kinds,
            "statuses": {"403": 2, "none": 1},
            "example": example,
            "everywhere": False,
        }
        for n in range(failures)
    ]
    return {
        "variants": 1, "failedEverywhere": 0, "executionStatus": "FAILED", "page": None,
        "run": "20261124T013829Z-c0af4526", "warm": not failures, "startedAt": 1.8e9, "endedAt": 1.8e9 + 75,
        "total": 40, "success": 40 - failures, "failed": failures, "bytes": 123_456_789, "failures": failed,
        "targets": 4 * pops, "verified": 7, "fetches": 240,
        "timeToFirstByteMs": {"p50": 20.0, "p90": 40.0, "p99": 80.0} if done else None,
        "timesToFirstByte": [{"fromMs": 16, "toMs": 32, "count": 40}, {"fromMs": 32, "toMs": 64, "count": 9}],
        "warnings": [f"query strings are not in the cache key (such as {LONG})"],
        "pops": [one | {"pop": name, "meanMs": 20.5 if done else None} for name in names],
        "regions": [{"region": "Japan", "pops": pops, "targets": 4 * pops, "warm": done, "bytes": 1,
                     "meanMs": None, "judged": 4}],
        "skippedPops": [{"pop": "NRT57-P3", "reason": "connect_error", "detail": "curl: " + "z" * 300}],
        "cost": {"dollars": 0.1234, "pricesOf": "2025-07", "parts": [part], "notIncluded": ["taxes"]},
    }  # fmt: skip


REPORTS = {
    "failed": report(),
    "warm": report(failures=0),
    "nothing reached": report(done=0),
    "many failures": report(pops=537, failures=60),
}


@pytest.mark.parametrize("name", REPORTS)
def test_report_is_accessible_without_horizontal_scrolling(browser: Browser, tmp_path: Path, name: str) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(page(REPORTS[name], catalogue()))
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    try:
        report_page = context.new_page()
        report_page.goto(path.as_uri())
        report_page.evaluate(AXE.read_text())
        # axe takes seconds for the largest report; colours and widths are independent of each other.
        for width, scheme in VIEWS:
            report_page.set_viewport_size({"width": width, "height": 800})
            report_page.emulate_media(color_scheme=scheme)
            assert report_page.evaluate("document.documentElement.scrollWidth") <= width, "horizontal scrolling"
            result = report_page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            serious = [each for each in result["violations"] if each["impact"] in SERIOUS]
            assert serious == [], json.dumps(serious, indent=1)[:3_000]
    finally:
        context.close()


def test_report_without_reached_pops_has_a_message_and_no_empty_table() -> None:
    html = page(REPORTS["nothing reached"], catalogue()).decode()
    assert "No POP was reached." in html
    assert "<tbody></tbody>" not in html
