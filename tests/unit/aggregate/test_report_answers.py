"""A report answers what happened, why, where and what to do: page, CSV and JSON."""

import csv
import io
import re
from html import unescape
from importlib import resources
from typing import Any

import pytest

from aggregate.report import as_csv, build_report
from aggregate.report_html import page
from aggregate.run_stats import measured_sums
from aggregate.summary import summarise
from api.schemas.report import Report
from prewarm.catalogue import catalogue
from prewarm.planning.plan import Group
from prewarm.results.batch_result import BatchResult
from prewarm.results.failures import Example
from prewarm.results.judging import set_aside
from prewarm.results.outcome import Outcome
from prewarm.results.rollup import roll_up
from prewarm.results.stats import PopSums, measure, pack_pops
from tests.support.builders import plan

POPS = ("ATL56-C1", "NRT57-P3", "FRA2-C1")
URLS = [f"https://www.example.com/{name}" for name in ("app.js", "gone.js", "late.js")]
RUN_PAGE = "https://abc.execute-api.eu-west-1.amazonaws.com/v1/#/run/run"


def reported(failed: dict[int, dict[str, int]], cold: dict[str, int], **more: Any) -> dict[str, Any]:
    """Return the report of three URLs at three POPs; `cold`: by POP, how many of its targets failed."""
    group = Group("d111.cloudfront.net", "E1", 0, 3, POPS, 3)
    whole = plan(groups=(group,), url_count=3, targets=9)
    sums = [PopSums(3, 3 - cold.get(pop, 0), 3, 5, 30, 3) for pop in POPS]
    ledger = [
        BatchResult(
            "1-000000", 0, 0, 0, 3, 3, finished=True, done=9, outcomes={}, verified=1, bytes=7, failed=failed,
            per_pop=pack_pops(sums),
            examples=(Example(1, "FRA2-C1", "client_error", 404, "Error from cloudfront", "Zx9=="),),
        )
    ]  # fmt: skip
    rolled = roll_up(whole, ledger)
    summary = summarise(whole, rolled, URLS, 1010.5, Outcome.LOST)
    summary |= measured_sums(whole, measure(whole, ledger, set_aside(whole, rolled.urls)), 1.0, catalogue())
    summary |= {"redrives": 0, "executionStatus": "FAILED", "page": RUN_PAGE} | more
    return build_report(summary, rolled, URLS)


GONE = {1: {"client_error:404": 3}}


def text_of(report: dict[str, Any]) -> str:
    """Return the page's text as a person reads it."""
    body = page(report, catalogue()).decode().partition("<body>")[2]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def test_page_says_what_failed_with_which_status_where_and_what_to_do() -> None:
    report = reported(GONE, dict.fromkeys(POPS, 1))
    text, html = text_of(report), page(report, catalogue()).decode()
    assert "Not warm: 1 of 3 URLs failed" in text
    assert f"{URLS[1]} 404 Not Found at all 3 POPs, such as FRA2-C1 (x-amz-cf-id Zx9==)" in text
    assert "What to do: publish the file, or take the URL off the list" in text
    assert 'docs/troubleshooting.md#client_error">' in html
    assert "retry" not in text.lower()
    assert text.index("What to do") < text.index("Warm locations")
    assert f'<a href="{RUN_PAGE}">' in html


@pytest.mark.parametrize(
    ("failed", "heading"),
    [
        (GONE, "1 URL failed: 404 Not Found What to do"),
        (
            {1: {"server_error:502:unreachable": 3}},
            "1 URL failed: 502 (the edge could not connect to the origin) What",
        ),
        ({1: {"truncated:200": 3}}, "1 URL failed: the body ended early (status 200 received) What"),
        (
            {1: {"client_error:404": 3}, 2: {"client_error:410": 3}},
            "2 URLs failed: the origin answered with a 4xx What",
        ),
        ({1: {"timeout": 3}, 2: {"timeout": 2}}, "2 URLs failed: no complete response in time What"),
        ({1: {"cancelled": 3}}, "1 URL not warm: not finished (the run was cancelled) What"),
    ],
)
def test_heading_of_a_group_has_the_status_of_all_its_urls(failed: dict[int, dict[str, int]], heading: str) -> None:
    assert heading in text_of(reported(failed, {}))


@pytest.mark.parametrize(
    ("ended", "heading"),
    [
        ({}, "Not warm: 1 of 3 URLs failed"),
        ({"executionStatus": "SUCCEEDED"}, "Not warm: 1 of 3 URLs failed"),
        ({"executionStatus": "ABORTED"}, "Cancelled: 2 of 3 URLs are warm"),
        ({"executionStatus": "TIMED_OUT"}, "Timed out: 2 of 3 URLs are warm"),
        ({"error": "Prewarm.DeadlinePassed"}, "Timed out: 2 of 3 URLs are warm"),
    ],
)
def test_heading_says_how_a_cold_run_ended(ended: dict[str, Any], heading: str) -> None:
    text = text_of(reported({1: {"cancelled": 3}}, {}, **ended))
    assert text.strip().startswith(heading)
    assert "1 URL not warm: not finished (the run was cancelled)" in text


def test_skipped_pops_are_all_named_and_counted() -> None:
    skipped = [{"pop": f"AKL{n}-C1", "reason": "unresolved_pop", "detail": ""} for n in range(1, 9)]
    text = text_of(reported(GONE, {}, skippedPops=skipped, skippedText="8 of the 11 selected POPs were skipped"))
    assert "Skipped POPs 8 of the 11 selected POPs were skipped. 8 POPs: the POP's name" in text
    assert "AKL1-C1, AKL2-C1, AKL3-C1, AKL4-C1, AKL5-C1 and 3 more)" in text
    assert [f"AKL{n}-C1" in text for n in range(1, 9)] == [True] * 8


def test_map_counts_one_pop_in_the_singular() -> None:
    text = text_of(reported(GONE, dict.fromkeys(POPS, 1)))
    assert "Tokyo (NRT): 1 POP, 100 % of " in text
    assert "1 POPs" not in text


def test_one_missing_file_leaves_every_pop_warm() -> None:
    report = reported(GONE, dict.fromkeys(POPS, 1))
    text, html = text_of(report), page(report, catalogue()).decode()
    assert report["failedEverywhere"] == 1
    assert text.index("1 URL failed everywhere : POPs are judged by the others") < text.index("By region")
    assert html.count('<circle class="warm" cx="') == 4, "the cities and the legend"
    assert html.count('<circle class="partly"') == 1, "the legend"
    assert "100.0 %" in text
    assert "66.7 %" not in text
    assert "differ" not in text


def test_a_pop_that_differs_stands_out_above_the_regions() -> None:
    report = reported({1: {"client_error:404": 3}, 2: {"timeout": 1}}, {POPS[0]: 1, POPS[1]: 2, POPS[2]: 1})
    text = text_of(report)
    assert [pop["pop"] for pop in report["pops"] if pop["differs"]] == ["NRT57-P3"]
    assert "1 POP differs from the others POP Targets warm Failed NRT57-P3 1 of 2 1" in text
    assert text.index("1 POP differs") < text.index("By region")


def test_without_any_warm_url_no_pop_is_judged() -> None:
    everything = {url: {"client_error:404": 3} for url in range(3)}
    report = reported(everything, dict.fromkeys(POPS, 3))
    text = text_of(report)
    assert "3 URLs failed everywhere : there is no other URL to judge the POPs by" in text
    assert "not judged" in text
    assert '<circle class="failed" cx="10"' in page(report, catalogue()).decode(), "in the legend only"
    assert "every URL failed everywhere" in text


@pytest.mark.parametrize(
    ("status", "kind", "heading"),
    [("FAILED", "bad", "Not warm"), ("ABORTED", "cancelled", "Cancelled"), ("TIMED_OUT", "bad", "Timed out")],
)
def test_heading_has_the_colour_of_the_state(status: str, kind: str, heading: str) -> None:
    html = page(reported(GONE, {}, executionStatus=status), catalogue()).decode()
    assert f'<span class="{kind}">{heading}' in html
    warm = page(reported({}, {}, executionStatus="SUCCEEDED"), catalogue()).decode()
    assert '<span class="good">3 of 3 URLs are warm' in warm


def test_csv_has_statuses_and_an_example() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(reported(GONE, {})).decode(), newline="")))
    assert (rows[1]["statuses"], rows[1]["example_pop"]) == ("404: 3", "FRA2-C1")
    assert (rows[1]["example_status"], rows[1]["example_request_id"]) == ("404", "Zx9==")
    assert (rows[0]["statuses"], rows[0]["example_pop"]) == ("", "")


def test_csv_ends_with_what_happened_and_what_to_do_for_failed_urls_only() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(reported(GONE, {})).decode(), newline="")))
    assert list(rows[1])[-3:] == ["what", "next_step", "next_step_link"]
    assert rows[1]["what"] == "404 Not Found at all 3 POPs, such as FRA2-C1 (x-amz-cf-id Zx9==)"
    assert rows[1]["next_step"] == "publish the file, or take the URL off the list"
    assert rows[1]["next_step_link"].endswith("troubleshooting.md#client_error")
    assert {rows[0][name] for name in ("what", "next_step", "next_step_link")} == {""}


def test_json_has_statuses_example_steps_and_page_as_its_schema_says() -> None:
    report = reported(GONE, dict.fromkeys(POPS, 1))
    model = Report.model_validate(report)
    assert model.page == RUN_PAGE
    assert [(step.outcome, step.urls, step.do) for step in model.next_steps] == [("client_error", 1, "fix")]
    (failure,) = model.failures
    assert (failure.statuses, failure.everywhere, failure.kinds) == ({"404": 3}, True, {"client_error:404": 3})
    assert failure.example is not None
    assert failure.example.request_id == "Zx9=="
    assert [(pop.judged, pop.judged_failed, pop.differs) for pop in model.pops] == [(2, 0, False)] * 3


def colours(scheme: str) -> dict[str, str]:
    css = resources.files("aggregate").joinpath("data/report.html").read_text(encoding="utf-8")
    light, dark = (dict(re.findall(r"--(\w+): (#\w+)", part)) for part in css.split("@media")[:2])
    return light if scheme == "light" else light | dark


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "soft", "good", "bad", "cancelled", "running", "link"])
@pytest.mark.parametrize("paper", ["paper", "card"])
def test_text_colours_have_enough_contrast(scheme: str, ink: str, paper: str) -> None:
    table = colours(scheme)
    dark, light = sorted((luminance(table[ink]), luminance(table[paper])))
    assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{table[ink]} on {table[paper]}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_success_is_green_failure_red_running_blue_and_cancelled_grey(scheme: str) -> None:
    table = {name: [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
             for name, colour in colours(scheme).items() if len(colour) == 7}  # fmt: skip
    assert max(table["good"]) == table["good"][1]
    assert max(table["bad"]) == table["bad"][0]
    assert max(table["running"]) == table["running"][2]
    assert max(table["cancelled"]) - min(table["cancelled"]) < 40


GAIN = {
    "pairs": 1_240,
    "sparedMs": {"p50": 182.4, "p95": 400.0, "p99": 900.0},
    "fetched": 9,
    "warmBefore": 1,
    "text": "First viewers were spared a median of 182 ms (p95 400 ms) at 1,240 targets; 11 % were warm before.",
    "regions": [
        {"region": "Japan", "pairs": 1_240, "sparedMs": {"p50": -2.0, "p95": 400.0, "p99": 900.0}, "fetched": 5,
         "warmBefore": 1},
        {"region": "Europe, Israel", "pairs": 0, "sparedMs": None, "fetched": 4, "warmBefore": 0},
    ],
}  # fmt: skip


def test_page_has_the_gain_by_region_and_that_of_an_earlier_run_none() -> None:
    report = reported(GONE, {}, gain=GAIN)
    Report.model_validate(report)
    text = text_of(report)
    assert f"What the first viewers were spared {GAIN['text']}" in text
    assert "a difference, not a viewer's time" in text
    assert "Japan 1,240 -2 ms 400 ms 900 ms 5 20 %" in text
    assert "Europe, Israel 0 - - - 4 0 %" in text
    earlier = reported(GONE, {})
    Report.model_validate(earlier)
    assert "spared" not in text_of(earlier)


def test_page_counts_by_what_its_shares_are_and_says_why_pops_were_skipped() -> None:
    skipped = [{"pop": pop, "reason": "outside_price_class", "detail": "x"} for pop in POPS]
    text = text_of(reported(GONE, dict.fromkeys(POPS, 1), skippedPops=skipped))
    assert "Targets warm (3 URLs \u00d7 3 POPs)" in text
    assert "Japan 1 2 of 2 100.0 %" in text, "the share and the counts of a region are of the same targets"
    assert "3 POPs: outside the distribution's price class, so CloudFront sends no viewers there" in text
    assert "outside_price_class" not in text
