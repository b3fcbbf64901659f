"""The list of runs: what it shows from the start on, and how runs are found in it."""

import datetime as dt
from types import SimpleNamespace

import pytest

import api.handler
import resolve.handler
from prewarm.storage.run_list import Window
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import (
    DOMAIN,
    OTHER_HOST,
    SYDNEY,
    TOKYO,
    Context,
    Machine,
    Ran,
    client,
)
from tests.support.rest import API_KEY_ID, EXECUTION, executions
from tests.support.run_starts import GOOD, URL, names, runs, started

pytestmark = pytest.mark.usefixtures("rest")


# The time of an execution that an earlier version started.
DAY = dt.timedelta(days=1)


LONG_AGO = dt.datetime.now(dt.UTC) - dt.timedelta(days=10)


def test_started_run_shows_label_hosts_selection_and_the_key_that_started_it() -> None:
    run = started(label="shop main abc123", url_list=[URL, f"https://{OTHER_HOST}/"])
    (listed,) = runs()
    assert listed | {"startedAt": ""} == {
        "requestID": f"{EXECUTION}:{run}",
        "run": run,
        "status": "IN_PROGRESS",
        "startedAt": "",
        "endedAt": None,
        "startedBy": API_KEY_ID,
        "label": "shop main abc123",
        "hosts": [HOST, OTHER_HOST],
        "hostCount": 2,
        "regionType": "pop",
        "region": [TOKYO],
        "locations": [],
        "pops": None,
        "total": 2,
        "warm": None,
        "failed": None,
        "targets": None,
        "dollars": None,
        "dryRun": False,
    }


def test_direct_run_shows_its_results_once_it_has_ended(machine: Machine, edge: SimulatedCloudFront) -> None:
    good, bad = fresh(2)
    edge.fault(path_of(bad), "waf_block")
    started = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=90)
    request = GOOD | {"url_list": [good, bad], "region": [SYDNEY[0], TOKYO], "label": "direct one"}
    event = {"run": "direct", "input": request, "startedAt": started.isoformat()}
    resolved = resolve.handler.handler(event, Context())
    (planned,) = machine.storage.runs.months(Window(), "", None, 10, LONG_AGO.date()).items
    assert (planned["locations"], planned["pops"], planned["targets"]) == (["NRT", "SYD"], 2, 4)
    ran = Ran("direct", resolved)
    for item in machine.items(ran):
        machine.warm(ran, item)
    machine.aggregate(ran)
    (listed,) = runs(label="direct one")
    assert (listed["status"], listed["startedBy"], listed["total"], listed["warm"], listed["failed"]) == (
        "FAILED",
        "direct",
        2,
        1,
        1,
    )
    assert listed["startedAt"] == started.isoformat(timespec="seconds").replace("+00:00", "Z")
    assert listed["endedAt"] > listed["startedAt"]
    assert listed["dollars"] > 0


def test_runs_are_found_by_label_host_and_both() -> None:
    other = [f"https://{OTHER_HOST}/"]
    one, two = started(label="a"), started(label="a", url_list=other)
    three = started(label="b", url_list=[URL, *other])
    assert names(label="a") == [two, one]
    assert names(host=HOST) == [three, one]
    assert names(host=OTHER_HOST.upper(), label="a") == [two]
    assert names(label="A") == []
    assert names(label="a", status="COMPLETED") == []


def test_runs_are_found_by_time(account: SimpleNamespace) -> None:
    now = dt.datetime.now(dt.UTC)
    days = [now - dt.timedelta(days=number) for number in (1, 20, 40)]
    for number, day in enumerate(days):
        account.storage.runs.start(f"old-{number}", {"targets": 1, "hosts": [HOST], "total": 1}, day)
        account.storage.runs.end(f"old-{number}", {"state": "COMPLETED", "endedAt": "x", "error": ""})
    assert names() == ["old-0", "old-1", "old-2"]
    assert names(limit="1") == ["old-0", "old-1", "old-2"]
    assert names(since=f"{days[1]:%Y-%m-%d}", until=f"{days[1]:%Y-%m-%d}") == ["old-1"]
    assert names(until=f"{days[1]:%Y-%m-%d}") == ["old-1", "old-2"]
    assert names(host=HOST, since=f"{days[1]:%Y-%m-%d}", limit="1") == ["old-0", "old-1"]


def test_status_selects_and_pages_have_each_run_once(account: SimpleNamespace) -> None:
    for number in range(7):
        account.storage.runs.start(f"run-{number}", {"total": 1})
        state = "COMPLETED" if number % 2 else "TIMEOUT"
        account.storage.runs.end(f"run-{number}", {"state": state, "endedAt": "x", "error": ""})
    assert sorted(names(limit="2")) == [f"run-{number}" for number in range(7)]
    assert sorted(names(status="COMPLETED", limit="2")) == ["run-1", "run-3", "run-5"]
    assert names(status="CANCELLED") == []


def test_runs_of_an_earlier_version_follow_without_the_new_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier version listed no run: Step Functions' own list has them, also in pages."""
    new = started(label="new")
    states = client("stepfunctions")
    current = [{k: e[k] for k in ("executionArn", "name", "status", "startDate")} for e in executions()]
    earlier = [
        {"executionArn": f"{EXECUTION}:e{n}", "name": f"e{n}", "status": "SUCCEEDED", "startDate": LONG_AGO - n * DAY,
         "stopDate": LONG_AGO}
        for n in range(5)
    ]  # fmt: skip
    monkeypatch.setattr(states, "list_executions", lambda **_: {"executions": current + earlier})
    monkeypatch.setattr(api.handler._executions(), "_client", states)
    for limit in ("1", "2", "100"):
        assert names(limit=limit) == [new, "e0", "e1", "e2", "e3", "e4"]
    assert runs()[1]["label"] is None
    assert runs()[1]["hosts"] == []
    assert names(status="COMPLETED", limit="2") == ["e0", "e1", "e2", "e3", "e4"]
    second = LONG_AGO - DAY
    assert names(since=second.isoformat(timespec="seconds").replace("+00:00", "Z")) == [new, "e0", "e1"]
    assert names(label="new") == [new]


def test_domain_of_a_distribution_is_a_host_too(machine: Machine) -> None:
    machine.run(GOOD | {"url_list": [f"https://{DOMAIN}/0.txt"]}, "by-domain")
    assert names(host=DOMAIN) == ["by-domain"]


def test_page_of_a_run_is_at_the_address_at_which_its_start_was_asked_for(machine: Machine) -> None:
    runs = machine.storage.runs
    runs.start("by-api", {"startedBy": "key", "apiUrl": "https://warm.example.com/cdn"})
    runs.start("direct", {"startedBy": "direct"})
    assert runs.page_of("by-api") == "https://warm.example.com/cdn/#/run/by-api"
    assert (runs.page_of("direct"), runs.page_of("never-listed")) == ("", "")
