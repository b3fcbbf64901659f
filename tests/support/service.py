"""The whole service as a user starts it: `prewarm local` in a separate process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
PREWARM = [sys.executable, "-m", "prewarm_cli"]
DOMAIN, HOST = "d111abcdef8.cloudfront.net", "www.example.com"
# Tests that share a service run sequentially, in one worker of pytest-xdist: those of a folder of tests/e2e.
ONE_SERVICE = pytest.mark.xdist_group("service")
COMMANDS_SERVICE = pytest.mark.xdist_group("commands")
DASHBOARD_SERVICE = pytest.mark.xdist_group("dashboard")
POLL_SECONDS = 0.1
LONGEST_RUN_SECONDS = 90


@dataclass
class Service:
    """A running `prewarm local`."""

    ready: dict[str, str]
    process: "subprocess.Popen[str]"

    def post(self, body: object, *, key: str | None = "", raw: bytes | None = None) -> requests.Response:
        headers = {} if key is None else {"x-api-key": key or self.ready["apiKey"]}
        data = raw if raw is not None else json.dumps(body).encode()
        return requests.post(f"{self.ready['api']}/prewarm", data=data, headers=headers, timeout=30)

    def get_status(self, request_id: str) -> requests.Response:
        headers = {"x-api-key": self.ready["apiKey"]}
        params = {"requestID": request_id}
        return requests.get(f"{self.ready['api']}/status", params=params, headers=headers, timeout=30)

    def call(self, method: str, path: str, **query: str) -> dict[str, Any]:
        """Call any route, check for status 200, and return the document."""
        headers = {"x-api-key": self.ready["apiKey"]}
        response = requests.request(method, f"{self.ready['api']}{path}", params=query, headers=headers, timeout=30)
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    def start(self, body: dict[str, Any]) -> str:
        response = self.post(body)
        assert response.status_code == 200, response.text
        return str(response.json()["requestID"])

    def statuses(self, request_id: str, seconds: float = LONGEST_RUN_SECONDS) -> list[dict[str, Any]]:
        """Poll a run to its end, and return every status."""
        seen = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            response = self.get_status(request_id)
            assert response.status_code == 200, response.text
            seen.append(response.json())
            if seen[-1]["status"] != "IN_PROGRESS":
                return seen
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"the run did not end: {seen[-1]}")

    def wait_for(self, request_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Poll a run until its status meets a condition, and return that status."""
        until = time.monotonic() + LONGEST_RUN_SECONDS
        while time.monotonic() < until:
            status: dict[str, Any] = self.get_status(request_id).json()
            if condition(status):
                return status
            time.sleep(POLL_SECONDS)
        raise AssertionError("no status of the run met the condition")

    def wait_for_report(self, request_id: str, form: str) -> str:
        """Poll GET /report until the run's report exists, and return its link."""
        headers, query = {"x-api-key": self.ready["apiKey"]}, {"requestID": request_id, "format": form}
        until = time.monotonic() + LONGEST_RUN_SECONDS
        while time.monotonic() < until:
            response = requests.get(f"{self.ready['api']}/report", params=query, headers=headers, timeout=30)
            if response.status_code == 200:
                return str(response.json()["url"])
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"no report: {response.text}")

    def client(self, name: str) -> Any:
        return boto3.client(
            name,  # type: ignore[call-overload]
            endpoint_url=self.ready["endpoint"],
            region_name=self.ready["stateMachineArn"].split(":")[3],
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )


def serve(settings: dict[str, str], *arguments: str) -> Service:
    """Start `prewarm local`, and wait until it prints that it is ready."""
    process = subprocess.Popen(
        [*PREWARM, "local", *arguments],
        env=os.environ | settings,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if "--log-dir" in arguments else subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "prewarm local ended before it was ready"
    return Service(json.loads(line), process)


def use_function(monkeypatch: pytest.MonkeyPatch, service: Service, home: Path) -> str:
    """Configure AWS as a user with credentials and without an API key does; return the ARN of the API's function."""
    for name in ("PREWARM_API_URL", "PREWARM_API_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("AWS_ENDPOINT_URL", service.ready["endpoint"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    functions = service.client("lambda").list_functions()["Functions"]
    (arn,) = [each["FunctionArn"] for each in functions if "ApiFunction" in each["FunctionName"]]
    return str(arn)
