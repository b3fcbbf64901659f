"""Finish a run: the roll-up of its ledger, its summary, and whether it passes."""

import time
from dataclasses import replace
from typing import Any

import pytest

import aggregate.handler
import aggregate.run_ended_handler
from prewarm.results.batch_result import BatchResult
from prewarm.storage.ledger_items import Stored
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import fresh, path_of
from tests.support.handlers import DARK, OLD, SYDNEY, TOKYO, Context, Machine, Ran, document


def request(urls: list[str], **fields: Any) -> dict[str, Any]:
    return {"url_list": urls, "region_type": "pop", "region": [SYDNEY[0], TOKYO], "verify": "none"} | fields


def broken(edge: SimulatedCloudFront, url: str, pops: list[str] | None = None) -> str:
    edge.fault(path_of(url), "waf_block", pops=pops)
    return url


def test_summary_of_a_warm_run(machine: Machine) -> None:
    started = time.time()
    ran = machine.run(request(fresh(3)), "warm-run")
    summary = document("warm-run", "summary.json")
    plan = document("warm-run", "plan/plan.json")
    assert started <= plan["started_at"] <= summary["endedAt"] <= time.time()
    measured = {
        "fetches",
        "timeToFirstByteMs",
        "timesToFirstByte",
        "pops",
        "regions",
        "gain",
        "cost",
        "executionStatus",
        "redrives",
    }
    assert {name: value for name, value in summary.items() if name not in measured} == {
        "run": "warm-run",
        "label": "",
        "warm": True,
        "startedAt": plan["started_at"],
        "endedAt": summary["endedAt"],
        "total": 3,
        "success": 3,
        "failed": 0,
        "targets": 6,
        "targetsDone": 6,
        "outcomes": {"warmed": 6},
        "verified": 0,
        "bytes": 3000,
        "failures": [],
        "successTargets": [[2, 2, 3]],
        "skippedPops": [],
        "skippedText": "",
        "duplicates": 0,
        "respelled": 0,
        "mostlySkipped": "",
        "sources": [],
        "verifiedInPop": 0,
        "verifiedElsewhere": 0,
        "addresses": 4,
        "addressesProven": 0,
        "separatePops": [],
        "uncompressedUrls": 0,
        "uncompressed": [],
        "warnings": [],
        "layers": {},
        "unfinishedAs": "lost",
        "failedEverywhere": 0,
        "nextSteps": [],
        "variants": 1,
        "popsPerUrl": 2,
        # Not started by the API.
        "page": "",
    }
    assert ran.output["passed"] is ran.output["warm"] is True
    assert ran.output["summary"] == "s3://prewarm-runs/runs/warm-run/summary.json"


def test_summary_of_a_failed_url_has_reasons_and_coverage(machine: Machine, edge: SimulatedCloudFront) -> None:
    good, bad = fresh(2)
    ran = machine.run(request([good, broken(edge, bad, [TOKYO])]))
    (failure,) = document(ran.name, "summary.json")["failures"]
    example = failure.pop("example")
    assert failure == {
        "index": 1,
        "url": bad,
        "reasons": {"blocked": 1},
        "warm": 1,
        "reachable": 2,
        "coverage": 50.0,
        "everywhere": False,
        "kinds": {"blocked:403": 1},
        "statuses": {"403": 1},
    }
    assert (example["pop"], example["status"], example["xCache"]) == (TOKYO, 403, None), (
        "the strict edge's WAF sends no X-Cache"
    )
    assert len(example["requestId"]) > 20
    assert (ran.output["passed"], ran.output["success"], ran.output["failed"]) == (False, 1, 1)
    assert ran.output["error"] == "Prewarm.NotWarm"


def test_cause_has_counts_first_failures_and_the_summarys_location(
    machine: Machine, edge: SimulatedCloudFront
) -> None:
    urls = [broken(edge, url) for url in fresh(13)]
    ran = machine.run(request([*fresh(2), *urls]))
    lines = ran.output["cause"].splitlines()
    assert lines[0] == "2 of 15 URLs are warm, 13 failed."
    assert lines[1].startswith(f"{urls[0]}: 403 Forbidden (the edge or the origin refused it)")
    assert " at all 2 POPs, such as " in lines[1]
    assert "x-amz-cf-id" in lines[1]
    assert lines[-2:] == ["and 3 more URLs", f"Summary: {ran.output['summary']}"]
    assert len(ran.output["error"]) <= 256


def test_cause_with_very_long_urls_fits_into_a_fail_state(machine: Machine, edge: SimulatedCloudFront) -> None:
    urls = [broken(edge, url + "/" + "x" * 7000) for url in fresh(12)]
    ran = machine.run(request(urls))
    assert len(ran.output["cause"]) <= 32_768


@pytest.mark.usefixtures("small_batches")
def test_batch_without_a_result_is_lost_and_the_run_fails(machine: Machine) -> None:
    ran = machine.resolve(request(fresh(250)))
    kept, *lost = machine.items(ran)
    assert lost
    machine.warm(ran, kept)
    machine.aggregate(ran)
    summary = document(ran.name, "summary.json")
    missing = sum(item["targets"] for item in lost)
    assert summary["outcomes"] == {"warmed": kept["targets"], "lost": missing}
    assert summary["targetsDone"] == kept["targets"]
    assert (ran.output["passed"], ran.output["failed"]) == (False, missing // 2)
    assert "no result (the run or its worker failed before it reported one) at 2 POPs" in ran.output["cause"]


def test_batch_lost_after_its_first_part_counts_each_target_once(machine: Machine, edge: SimulatedCloudFront) -> None:
    """Its first worker reported failures; the coverage of their URLs must not become negative."""
    url = fresh()[0]
    ran = machine.resolve(request([url]))
    part = BatchResult("1-000000", 0, 0, 0, 1, 2, False, 1, {"blocked": 1}, 0, 0, {0: {"blocked": 1}})
    machine.storage.ledger.put_result(ran.name, part)
    machine.aggregate(ran)
    summary = document(ran.name, "summary.json")
    assert summary["failures"] == [
        {
            "index": 0,
            "url": url,
            "reasons": {"blocked": 1, "lost": 1},
            "warm": 0,
            "reachable": 2,
            "coverage": 0.0,
            "everywhere": False,
            "kinds": {"blocked": 1, "lost": 1},
            "statuses": {"none": 2},
            "example": None,
        }
    ]
    assert summary["outcomes"] == {"blocked": 1, "lost": 1}


def test_run_without_results_is_lost(machine: Machine) -> None:
    ran = machine.resolve(request(fresh(2)))
    machine.aggregate(ran)
    assert document(ran.name, "summary.json")["outcomes"] == {"lost": 4}
    assert ran.output["passed"] is False


def test_fail_on_none_passes_with_the_same_summary(machine: Machine, edge: SimulatedCloudFront) -> None:
    good, bad = fresh(2)
    broken(edge, bad)
    machine.run(request([good]))
    strict = machine.run(request([good, bad]))
    lenient = machine.run(request([good, bad], fail_on="none"))
    assert (strict.output["passed"], lenient.output["passed"]) == (False, True)
    assert lenient.output["warm"] is False
    first, second = (document(ran.name, "summary.json") for ran in (strict, lenient))
    # Measurements differ slightly, and only one of the executions failed.
    own = {"run", "startedAt", "endedAt", "timeToFirstByteMs", "timesToFirstByte", "pops", "regions", "cost"}
    own |= {"executionStatus", "error", "cause"}
    for summary in (first, second):
        for failure in summary["failures"]:
            assert failure.pop("example")["requestId"], "which is another one in each run"
    assert {k: v for k, v in first.items() if k not in own} == {k: v for k, v in second.items() if k not in own}


@pytest.mark.parametrize(
    ("percent", "passed"),
    [(None, False), (100, False), (75.1, False), (75, True), (50, True)],
)
def test_url_passes_at_min_warm_percent(
    machine: Machine, edge: SimulatedCloudFront, percent: float | None, passed: object
) -> None:
    (url,) = fresh()
    broken(edge, url, [TOKYO])
    fields = {} if percent is None else {"min_warm_percent": percent}
    ran = machine.run(request([url], region=[*SYDNEY, TOKYO], **fields))
    assert ran.output["passed"] is passed
    summary = document(ran.name, "summary.json")
    assert [entry["coverage"] for entry in summary["failures"]] == ([] if passed else [75.0])
    # Failed targets are counted even if the URL passes.
    assert summary["outcomes"]["blocked"] == 1


def test_region_needs_95_percent_by_default(machine: Machine, edge: SimulatedCloudFront) -> None:
    (url,) = fresh()
    broken(edge, url, [SYDNEY[0]])
    ran = machine.run(request([url], region_type="country", region=["AU", "NZ"]))
    assert document(ran.name, "plan/plan.json")["percent_needed"] == 95
    assert ran.output["passed"] is False


def test_ledger_refuses_results_after_the_roll_up(machine: Machine) -> None:
    ran = machine.resolve(request(fresh(2)))
    (item,) = machine.items(ran)
    machine.warm(ran, item)
    machine.aggregate(ran)
    assert machine.storage.ledger.control(ran.name).ended
    (result, *_) = machine.storage.ledger.results(ran.name)
    late = replace(result, attempt="late", done=0)
    owner = machine.storage.ledger.put_result(ran.name, late)
    assert owner == Stored(result.attempt, finished=True)
    assert machine.storage.ledger.results(ran.name) == [result]


def test_repeated_aggregation_returns_the_same_output(machine: Machine, edge: SimulatedCloudFront) -> None:
    """Step Functions retries a state whose response was lost."""
    good, bad = fresh(2)
    ran = machine.run(request([good, broken(edge, bad)]))
    first = ran.output
    assert machine.aggregate(ran) == first


def test_summary_lists_each_skipped_pop_once(machine: Machine, edge: SimulatedCloudFront) -> None:
    ran = machine.resolve(request(fresh(80), region_type="country", region=["JP", "AU"]))
    edge.dark(OLD)
    try:
        for item in machine.items(ran):
            machine.warm(ran, item)
    finally:
        edge.dark(OLD, dark=False)
    machine.aggregate(ran)
    skipped = [(entry["pop"], entry["reason"]) for entry in document(ran.name, "summary.json")["skippedPops"]]
    assert skipped == sorted(set(skipped))
    assert (OLD, "connect_error") in skipped
    assert (DARK, "connect_error") in skipped
    assert ran.output["passed"]


def test_aggregating_without_a_plan_raises(machine: Machine) -> None:
    with pytest.raises(FileNotFoundError, match="run nowhere has no plan"):
        aggregate.handler.handler({"run": "nowhere"}, Context())


def test_summary_is_stored_in_s3(machine: Machine) -> None:
    ran: Ran = machine.run(request(fresh()))
    assert machine.storage.get_summary(ran.name) == document(ran.name, "summary.json")
