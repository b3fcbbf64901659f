"""A run of pairs on the embedded stack: from the command's stream to the copies in the edge, and its retry."""

import io
from pathlib import Path

import pytest

from prewarm.targets_csv import Pair, write_targets
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.fake_api import prewarm
from tests.support.service import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE

# No other test asks for these pages.
PATHS = [f"/page/{number}.html" for number in range(54, 57)]
ABSENT = "/absent-target.html"
ASKED = {(PATHS[0], "SIN2-C1"), (PATHS[0], "FRA2-C1"), (PATHS[1], "SYD1-C1"), (PATHS[2], "FRA2-C1")}


def test_sparse_pairs_warm_exactly_their_copies_and_failed_ones_are_retried(
    service: Service, edge: SimulatedCloudFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREWARM_API_URL", service.ready["api"])
    monkeypatch.setenv("PREWARM_API_KEY", service.ready["apiKey"])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    stream = io.StringIO()
    pairs = [Pair(f"https://{HOST}{path}", pop, 10) for path, pop in sorted(ASKED)]
    write_targets([*pairs, Pair(f"https://{HOST}{ABSENT}", "SIN2-C1", 1)], stream)
    arn = prewarm("start", "--targets", "-", "--staged", stdin=stream.getvalue()).stdout.strip()
    last = service.statuses(arn)[-1]
    assert sorted(last["successUrl"]) == [f"https://{HOST}{path}" for path in PATHS]
    assert last["failedUrl"] == [f"https://{HOST}{ABSENT}"]
    assert (last["targets"]["total"], last["targets"]["outcomes"]) == (5, {"warmed": 4, "client_error": 1})
    held = {(path, pop) for pop, copies in edge.copies().items() for path, _ in copies if path in PATHS}
    assert held == ASKED
    retried = service.call("POST", "/retry", requestID=arn)["requestID"]
    again = service.statuses(retried)[-1]
    assert (again["total"], again["failedUrl"], again["targets"]["total"]) == (1, [f"https://{HOST}{ABSENT}"], 1)
