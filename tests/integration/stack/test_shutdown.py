"""The end of an embedded stack: its workers exit with it, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import requests

from tests.support.embedded_project import DOMAIN, SCRIPT, write_project

ROOT = Path(__file__).resolve().parents[3]


def has_exited(pid: int, seconds: float = 3) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def children(pid: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]


def test_workers_do_not_outlive_a_killed_stack(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(write_project(tmp_path))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        [pid] = json.loads(process.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        [fork_server] = children(process.pid)
        process.kill()
        assert has_exited(pid)
        assert has_exited(fork_server)


def test_local_command_prints_one_line_and_ends_with_its_workers(tmp_path: Path) -> None:
    options = ["--distribution", f"{DOMAIN}=www.example.com", "--log-dir", str(tmp_path / "logs")]
    # A profile that does not exist: no code may read the user's profile.
    environment = {**os.environ, "AWS_PROFILE": "does-not-exist", "NO_PROXY": "127.0.0.1"}
    with subprocess.Popen(
        [sys.executable, "-m", "prewarm_cli", "local", *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    ) as process:
        killer = threading.Timer(60, process.kill)
        killer.start()
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"api", "apiKey", "stateMachineArn", "endpoint"}
        response = requests.post(
            f"{ready['api']}/prewarm", json={}, headers={"x-api-key": ready["apiKey"]}, timeout=15
        )
        assert (response.status_code, response.json()["error"]["code"]) == (400, "InvalidRequest")
        [fork_server] = children(process.pid)
        [worker] = children(fork_server)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert (process.stdout.read(), process.wait(5)) == ("", 0)
        assert time.monotonic() - began < 4
        assert has_exited(worker)
        assert has_exited(fork_server)
        killer.cancel()
