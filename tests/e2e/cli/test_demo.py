"""`prewarm demo`, as the README's first command runs it."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest
import requests

from prewarm_cli.demo.site import FAILING, PAGES
from tests.support.service import PREWARM, ROOT

# Far above the minute that the demo should take (docs/performance.md measures it), so that only a hang fails.
HANG_SECONDS = 150


@pytest.mark.xdist_group("demo")
def test_demo_keep_shows_a_failed_and_a_completed_run_and_keeps_serving(tmp_path: Path) -> None:
    """A single demo, since each takes half a minute: `--keep` runs the same demo and then serves."""
    with (tmp_path / "stderr").open("w+") as errors:
        command = [*PREWARM, "demo", "--keep"]
        demo = subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            shown = output_until(demo, "Serving until Ctrl-C.")
            assert shown, (tmp_path / "stderr").read_text()
            check_output(shown)
            check_service(shown)
            demo.send_signal(signal.SIGINT)
            demo.communicate(timeout=30)
        finally:
            demo.kill()
    assert demo.returncode == 0, (tmp_path / "stderr").read_text()


def output_until(demo: "subprocess.Popen[str]", end: str) -> str:
    """Return a demo's output up to the line `end`; "" if the demo ends before."""
    assert demo.stdout is not None
    watchdog = threading.Timer(HANG_SECONDS, demo.kill)
    watchdog.start()
    try:
        shown = ""
        for line in demo.stdout:
            shown += line
            if line.strip() == end:
                return shown
        return ""
    finally:
        watchdog.cancel()


def check_service(shown: str) -> None:
    """Check that the printed address and key belong to the service with the demo's two runs."""
    address = shown.partition("Dashboard: ")[2].splitlines()[0]
    key = shown.partition("API key: ")[2].splitlines()[0]
    assert address.startswith("http://127.0.0.1:")
    assert address.endswith("/v1/")
    response = requests.get(f"{address}runs", headers={"x-api-key": key}, timeout=30)
    assert sorted(run["status"] for run in response.json()["runs"]) == ["COMPLETED", "FAILED"]


def check_output(shown: str) -> None:
    status = json.loads(shown[shown.index("{\n") : shown.index("\n}") + 2])
    assert status["status"] == "FAILED"
    assert status["total"] == len(PAGES) + len(FAILING) >= 20
    assert sorted(status["failedUrl"]) == sorted(FAILING)
    assert sorted(status["successUrl"]) == sorted(PAGES)
    assert (status["inProgress"], status["inProgressUrl"]) == (0, [])
    before, after = shown.split("The result.")
    assert before.count("X-Cache: Miss from cloudfront") == 3
    assert after.count("X-Cache: Hit from cloudfront") == 3
    assert "IN_PROGRESS" in before, "no progress was printed"
    assert "unresolved_pop" in before, "stale POP names must be skipped and listed"
    assert f"COMPLETED: {len(PAGES)} of {len(PAGES)} URLs" in after
