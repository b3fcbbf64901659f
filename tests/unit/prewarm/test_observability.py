"""Metrics in CloudWatch's embedded metric format: names, units, dimensions, and samples of times."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from prewarm.observability import MAX_VALUES, NAMESPACE, put_metrics, put_outcomes, put_times


@pytest.fixture(autouse=True)
def _stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def names(document: dict[str, Any]) -> dict[str, str]:
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    return {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}


def test_metrics_have_their_units(capsys: pytest.CaptureFixture[str]) -> None:
    put_metrics({"RunsWarm": 1}, RunTime=(MetricUnit.Seconds, 2.5))
    (document,) = printed(capsys)
    assert names(document) == {"RunsWarm": "Count", "RunTime": "Seconds"}
    assert document["RunTime"] == [2.5]


def test_targets_are_counted_by_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    put_outcomes({"warmed": 7, "timeout": 2})
    by_outcome = {document["outcome"]: document for document in printed(capsys)}
    assert {outcome: document["Targets"] for outcome, document in by_outcome.items()} == {
        "warmed": [7],
        "timeout": [2],
    }
    (directive,) = by_outcome["warmed"]["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service", "outcome"]]
    assert by_outcome["warmed"]["service"] == "stack"


@pytest.mark.parametrize("count", [1, 99, 100, 101, 12_345])
def test_times_are_a_proportional_sample_of_at_most_100(capsys: pytest.CaptureFixture[str], count: int) -> None:
    put_times("TimeToFirstByte", {10.0: count, 20.0: 3 * count})
    values = [value for document in printed(capsys) for value in document["TimeToFirstByte"]]
    assert len(values) == min(MAX_VALUES, 4 * count)
    assert values.count(20.0) / len(values) == pytest.approx(0.75, abs=0.02)


def test_no_times_emit_no_metric(capsys: pytest.CaptureFixture[str]) -> None:
    put_times("TimeToFirstByte", {})
    assert printed(capsys) == []
