"""`prewarm demo`, as the README's first command runs it."""

import json
import os
import subprocess

import pytest

from cli.scenery import FAILING, PAGES
from tests.e2e.conftest import PREWARM, ROOT

# Far above the minute that the demo should take (docs/performance.md measures it): a hang, not slowness, fails here.
HANGS_AFTER_SECONDS = 150


@pytest.mark.xdist_group("demo")
def test_the_demo_shows_a_failed_run_the_proof_and_a_completed_run() -> None:
    command = [*PREWARM, "demo"]
    played = subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=HANGS_AFTER_SECONDS, check=False
    )
    shown = played.stdout
    assert played.returncode == 0, shown + played.stderr
    status = json.loads(shown[shown.index("{\n") : shown.index("\n}") + 2])
    assert status["status"] == "FAILED"
    assert status["total"] == len(PAGES) + len(FAILING) >= 20
    assert sorted(status["failedUrl"]) == sorted(FAILING)
    assert sorted(status["successUrl"]) == sorted(PAGES)
    assert (status["inProgress"], status["inProgressUrl"]) == (0, [])
    before, after = shown.split("The proof.")
    assert before.count("X-Cache: Miss from cloudfront") == 3
    assert after.count("X-Cache: Hit from cloudfront") == 3
    assert "IN_PROGRESS" in before, "no progress was shown"
    assert "unresolved_pop" in before, "stale POP names must be skipped and listed"
    assert f"COMPLETED: {len(PAGES)} of {len(PAGES)} URLs" in after
