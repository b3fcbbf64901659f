"""The metrics of a worker's part of a batch."""

import json
import time
from typing import Any

import pytest

from prewarm.results.batch_result import BatchResult
from prewarm.results.stats import PopSums, pack_pops, time_class
from warm.batch_life import BatchLife, _begin_environment
from warm.metrics import put_batch_metrics


@pytest.fixture(autouse=True)
def _service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")


def test_worker_emits_targets_fetches_bytes_and_times(capsys: pytest.CaptureFixture[str]) -> None:
    per_pop = pack_pops([PopSums(2, 2, 5, 100, 40), PopSums(1, 0, 4, 0, 0)])
    times = {time_class(20): 2}
    put_batch_metrics(
        BatchResult("1-0", 0, 0, 0, 1, 2, True, 3, {"warmed": 2, "timeout": 1}, 0, 100, per_pop=per_pop, times=times),
        BatchLife(),
    )
    emitted = emitted_metrics(capsys)
    assert emitted.pop("Targets") in ([2], [1])
    assert emitted == {"Fetches": [9], "Bytes": [100], "TimeToFirstByte": [pytest.approx(20, rel=0.1)] * 2}


@pytest.mark.parametrize(("cold", "suffix"), [(True, "Cold"), (False, "")])
def test_times_around_the_fetches_are_metrics_of_their_kind_of_start(
    capsys: pytest.CaptureFixture[str], *, cold: bool, suffix: str
) -> None:
    life = BatchLife()
    life.cold = cold
    life.stored((life.started + 0.25, time.monotonic() - 0.5))
    put_batch_metrics(BatchResult("1-0", 0, 0, 0, 1, 1, True, 1, {"warmed": 1}, 0, 100), life)
    emitted = emitted_metrics(capsys)
    assert emitted[f"StartToFirstFetch{suffix}"] == [pytest.approx(250)]
    assert emitted[f"LastResponseToStored{suffix}"] == [pytest.approx(500, abs=100)]
    assert len(emitted) == 5


def test_only_the_first_invocation_of_an_environment_is_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warm.batch_life.collect_rarely", lambda: None)
    _begin_environment.cache_clear()
    first = BatchLife()
    time.sleep(0.001)
    second = BatchLife()
    assert (first.cold, second.cold) == (True, False)
    assert first.init_ms > 0
    assert second.init_ms == 0


def emitted_metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    emitted: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        document = json.loads(line)
        if "_aws" not in document:
            continue
        (directive,) = document["_aws"]["CloudWatchMetrics"]
        emitted |= {metric["Name"]: document[metric["Name"]] for metric in directive["Metrics"]}
    return emitted
