"""`prewarm demo --keep` as a process, and what it must show."""

import json
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests

from prewarm_cli.demo.site import FAILING, PAGES

# Far above the minute that the demo should take (docs/performance.md measures it), so that only a hang fails.
HANG_SECONDS = 150


def check_demo(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], logs: Path) -> None:
    """Run a demo with `--keep`, check its output and the service that it keeps, and end it with Ctrl-C."""
    with (logs / "stderr").open("w+") as errors:
        demo = subprocess.Popen(
            [*command, "demo", "--keep"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            shown = _output_until(demo, "Serving until Ctrl-C.")
            assert shown, (logs / "stderr").read_text()
            _check_output(shown)
            _check_service(shown)
            demo.send_signal(signal.SIGINT)
            demo.communicate(timeout=30)
        finally:
            demo.kill()
    assert demo.returncode == 0, (logs / "stderr").read_text()


def _output_until(demo: "subprocess.Popen[str]", end: str) -> str:
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


def _check_service(shown: str) -> None:
    """Check that the printed address and key belong to the service with the demo's two runs."""
    address = shown.partition("Dashboard: ")[2].splitlines()[0]
    key = shown.partition("API key: ")[2].splitlines()[0]
    assert address.startswith("http://127.0.0.1:")
    assert address.endswith("/v1/")
    response = requests.get(f"{address}runs", headers={"x-api-key": key}, timeout=30)
    assert sorted(run["status"] for run in response.json()["runs"]) == ["COMPLETED", "FAILED"]


def _check_output(shown: str) -> None:
    status = json.loads(shown[shown.index("{\n") : shown.index("\n}") + 2])
    assert status["status"] == "FAILED"
    assert status["total"] == len(PAGES) + len(FAILING) >= 20
    assert sorted(status["failedUrl"]) == sorted(FAILING)
    assert sorted(status["successUrl"]) == sorted(PAGES)
    assert (status["inProgress"], status["inProgressUrl"]) == (0, [])
    before, after = shown.split("The result.")
    assert sum(" through " in line and "X-Cache: Miss from cloudfront" in line for line in before.splitlines()) == 3
    # pytest shortens a compared text; a Miss is to be seen with the POP that was skipped, for example.
    assert after.count("X-Cache: Hit from cloudfront") == 3, shown
    assert "IN_PROGRESS" in before, "no progress was printed"
    assert "the POP's name does not resolve" in before, "stale POP names must be skipped and counted"
    for url in FAILING:
        assert shown.count(f"\nfailed   {url}\n") == 1, shown
    assert shown.count("\nnext     ") == len(FAILING), shown
    assert re.search(rf"\nCOMPLETED after \d+ s: {len(FAILING)} of {len(FAILING)} URLs warm", after), shown
    assert re.search(r"\nskipped  8 of the 185 selected POPs were skipped, .* uses the other 177\n", before), shown
