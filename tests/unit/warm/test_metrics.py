"""The metrics of a worker's part of a batch."""

import json
from typing import Any

import pytest

from prewarm.results.batch_result import BatchResult
from prewarm.results.stats import PopSums, pack_pops, time_class
from warm.metrics import put_batch_metrics


@pytest.fixture(autouse=True)
def _service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")


def test_worker_emits_targets_fetches_bytes_and_times(capsys: pytest.CaptureFixture[str]) -> None:
    per_pop = pack_pops([PopSums(2, 2, 5, 100, 40), PopSums(1, 0, 4, 0, 0)])
    times = {time_class(20): 2}
    put_batch_metrics(
        BatchResult("1-0", 0, 0, 0, 1, 2, True, 3, {"warmed": 2, "timeout": 1}, 0, 100, per_pop=per_pop, times=times)
    )
    emitted: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        document = json.loads(line)
        (directive,) = document["_aws"]["CloudWatchMetrics"]
        emitted |= {metric["Name"]: document[metric["Name"]] for metric in directive["Metrics"]}
    assert emitted.pop("Targets") in ([2], [1])
    assert emitted == {"Fetches": [9], "Bytes": [100], "TimeToFirstByte": [pytest.approx(20, rel=0.1)] * 2}
