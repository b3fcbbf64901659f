"""Metrics in CloudWatch's embedded format: names, units, dimensions, and a fair share of times."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from prewarm.observability import NAMESPACE, VALUES_AT_MOST, put_metrics, put_outcomes, put_times
from prewarm.results.batch_result import BatchResult
from prewarm.results.stats import PopSums, pack_pops, time_class
from warm.metrics import put_batch_metrics


@pytest.fixture(autouse=True)
def _stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def names(document: dict[str, Any]) -> dict[str, str]:
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    return {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}


def test_counts_and_others_have_their_units(capsys: pytest.CaptureFixture[str]) -> None:
    put_metrics({"RunsWarm": 1}, RunTime=(MetricUnit.Seconds, 2.5))
    (document,) = printed(capsys)
    assert names(document) == {"RunsWarm": "Count", "RunTime": "Seconds"}
    assert document["RunTime"] == [2.5]


def test_targets_are_counted_by_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    put_outcomes({"warmed": 7, "timeout": 2})
    found = {document["outcome"]: document for document in printed(capsys)}
    assert {outcome: document["Targets"] for outcome, document in found.items()} == {"warmed": [7], "timeout": [2]}
    (directive,) = found["warmed"]["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service", "outcome"]]
    assert found["warmed"]["service"] == "stack"


@pytest.mark.parametrize("count", [1, 99, 100, 101, 12_345])
def test_times_are_a_fair_share_of_at_most_a_hundred(capsys: pytest.CaptureFixture[str], count: int) -> None:
    put_times("TimeToFirstByte", {10.0: count, 20.0: 3 * count})
    values = [value for document in printed(capsys) for value in document["TimeToFirstByte"]]
    assert len(values) == min(VALUES_AT_MOST, 4 * count)
    assert values.count(20.0) / len(values) == pytest.approx(0.75, abs=0.02)


def test_no_time_is_no_metric(capsys: pytest.CaptureFixture[str]) -> None:
    put_times("TimeToFirstByte", {})
    assert printed(capsys) == []


def test_a_worker_tells_targets_fetches_bytes_and_times(capsys: pytest.CaptureFixture[str]) -> None:
    per_pop = pack_pops([PopSums(2, 2, 5, 100, 40), PopSums(1, 0, 4, 0, 0)])
    times = {time_class(20): 2}
    put_batch_metrics(
        BatchResult("1-0", 0, 0, 0, 1, 2, True, 3, {"warmed": 2, "timeout": 1}, 0, 100, per_pop=per_pop, times=times)
    )
    told: dict[str, Any] = {}
    for document in printed(capsys):
        told |= {name: document[name] for name in names(document) if name != "Targets"}
    assert told == {"Fetches": [9], "Bytes": [100], "TimeToFirstByte": [pytest.approx(20, rel=0.1)] * 2}
