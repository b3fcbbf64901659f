"""`prewarm doctor`: runs that are warmed, reported, cancelled and invalidated."""

import json

import pytest

from prewarm.diagnosis import FAILURE, OK
from prewarm_cli.doctor.trials import Trials, trial
from tests.support.doctor_world import (
    ALWAYS,
    NEVER_KEPT,
    THREE,
    URL,
    Denied,
    DoctorWorld,
    Reply,
    explained,
)
from tests.support.fake_api import prewarm

pytestmark = pytest.mark.xdist_group("doctor")


def test_url_that_is_not_kept_is_found(trials: Trials) -> None:
    run, transitions, report = trials.three_pops(NEVER_KEPT, THREE)
    assert run.result == FAILURE
    assert run.detail.startswith("0 of 3 targets warm; the edge had no cached copy when the URL was fetched again")
    assert "TTL" in run.action
    assert (transitions.result, report.result) == (OK, OK)


def test_missing_right_to_start_runs_is_found(world: DoctorWorld, trials: Trials) -> None:
    world.aws.add("stepfunctions:StartExecution", Denied("states:StartExecution", status=400), times=ALWAYS)
    (row,) = trials.three_pops(URL, THREE)
    assert (row.check, row.result) == ("run", FAILURE)
    assert explained(row)


def test_workers_that_may_not_store_their_records_are_found(world: DoctorWorld, trials: Trials) -> None:
    world.aws.add("s3:PUT records", Denied("s3:PutObject"), times=ALWAYS)
    run, *_ = trials.three_pops(URL, THREE)
    assert run.result == FAILURE
    assert explained(run)


def test_broken_report_link_is_found(world: DoctorWorld, trials: Trials) -> None:
    run = trials.start(trial(URL, THREE))
    trials.watch(run)
    for fault in ("s3:GET report.json", "s3:HEAD report.json"):
        world.aws.clear()
        world.aws.add(fault, Denied("s3:GetObject"), times=ALWAYS)
        row = trials.report(run)
        assert (row.check, row.result) == ("report", FAILURE)
        assert explained(row)


@pytest.mark.parametrize("fault", ["denied", "ignored"])
def test_cancel_that_has_no_effect_is_found(world: DoctorWorld, trials: Trials, fault: str) -> None:
    reply = Denied("states:StopExecution", status=400) if fault == "denied" else Reply({"stopDate": 1})
    world.aws.add("stepfunctions:StopExecution", reply, times=ALWAYS)
    row = trials.cancel(URL, THREE)
    assert (row.check, row.result) == ("cancel", FAILURE)
    assert explained(row)


def test_missing_right_to_invalidate_is_found(world: DoctorWorld, trials: Trials) -> None:
    pattern = "cloudfront:POST /2020-05-31/distribution/.*/invalidation"
    world.aws.add(pattern, Denied("cloudfront:CreateInvalidation"), times=ALWAYS)
    run = trials.invalidate(URL, THREE)
    assert isinstance(run, str)
    row = trials.invalidated(run, 60)
    assert (row.check, row.result) == ("invalidation", FAILURE)
    assert explained(row)


def test_examination_that_would_cost_too_much_starts_no_run(world: DoctorWorld) -> None:
    world.edge.put_object("/page.html", {"size": 30_000_000})
    world.edge.purge(["/page.html"])
    world.aws.calls.clear()
    try:
        result = json.loads(prewarm("doctor", URL, "--json", code=1).stdout)
    finally:
        world.edge.put_object("/page.html", {"size": 900})
        world.edge.purge(["/page.html"])
    (cost,) = [row for row in result["checks"] if row["check"] == "cost"]
    assert (cost["result"], "the limit is $0.01" in cost["detail"]) == (FAILURE, True)
    assert world.aws.calls["stepfunctions:StartExecution"] == 0
