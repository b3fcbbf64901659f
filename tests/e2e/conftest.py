"""The whole service as a user starts it: `prewarm local` in a process of its own, before a simulated CloudFront."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from playwright.sync_api import Browser

from local.edge.process import SimulatedCloudFront
from prewarm.catalogue import catalogue
from tests.e2e.browsing import Visitor, chromium

ROOT = Path(__file__).parents[2]
PREWARM = [sys.executable, "-m", "cli.main"]
DOMAIN, HOST = "d111abcdef8.cloudfront.net", "www.example.com"
# Tests that share one service run one after the other, in one worker of pytest-xdist.
ONE_SERVICE = pytest.mark.xdist_group("service")
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
        """Call any route; returns the document of a 200."""
        headers = {"x-api-key": self.ready["apiKey"]}
        answer = requests.request(method, f"{self.ready['api']}{path}", params=query, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def start(self, body: dict[str, Any]) -> str:
        answer = self.post(body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["requestID"])

    def statuses(self, request_id: str) -> list[dict[str, Any]]:
        """Poll a run to its end; returns every status seen."""
        seen = []
        until = time.monotonic() + LONGEST_RUN_SECONDS
        while time.monotonic() < until:
            answer = self.get_status(request_id)
            assert answer.status_code == 200, answer.text
            seen.append(answer.json())
            if seen[-1]["status"] != "IN_PROGRESS":
                return seen
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"the run did not end: {seen[-1]}")

    def wait_for(self, request_id: str, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Poll a run until its status is as wanted; returns that status."""
        until = time.monotonic() + LONGEST_RUN_SECONDS
        while time.monotonic() < until:
            status: dict[str, Any] = self.get_status(request_id).json()
            if what(status):
                return status
            time.sleep(POLL_SECONDS)
        raise AssertionError("the run never came to what was waited for")

    def wait_for_report(self, request_id: str, form: str) -> str:
        """Ask for a run's report until it is there; returns its link."""
        headers, query = {"x-api-key": self.ready["apiKey"]}, {"requestID": request_id, "format": form}
        until = time.monotonic() + LONGEST_RUN_SECONDS
        while time.monotonic() < until:
            answer = requests.get(f"{self.ready['api']}/report", params=query, headers=headers, timeout=30)
            if answer.status_code == 200:
                return str(answer.json()["url"])
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"no report came: {answer.text}")

    def client(self, name: str) -> Any:
        return boto3.client(
            name,  # type: ignore[call-overload]
            endpoint_url=self.ready["endpoint"],
            region_name=self.ready["stateMachineArn"].split(":")[3],
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )


def serve(settings: dict[str, str], *arguments: str) -> Service:
    """Start `prewarm local` and wait for its line."""
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


@pytest.fixture(scope="session")
def edge() -> Iterator[SimulatedCloudFront]:
    """Singapore's, Sydney's and Seoul's POPs as the catalogue has them, and none of the others."""
    pops = [pop for pop in catalogue().pops if pop.startswith(("SIN", "SYD", "ICN", "FRA"))]
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": pops,
        "areas": {pop: catalogue().regional_cache_of(pop) for pop in pops},
        "objects": {
            **{f"/page/{number}.html": {"size": 2_000 + number, "ttfb_ms": 20} for number in range(60)},
            "/slow.html": {"size": 1_000, "ttfb_ms": 2_000, "headers": {"Cache-Control": "no-store"}},
            "/refused.html": {"fault": "refused"},
            "/cut.html": {"size": 50_000, "fault": "truncated"},
        },
        "error_ttl": 1,
    }
    with SimulatedCloudFront(config) as running:
        yield running


@pytest.fixture(scope="session")
def service(edge: SimulatedCloudFront, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    logs = tmp_path_factory.mktemp("logs")
    settings = edge.settings() | {"PREWARM_ERROR_CACHE_SECONDS": "1"}
    running = serve(settings, "--distribution", f"{DOMAIN}={HOST}", "--log-dir", str(logs))
    try:
        yield running
    finally:
        running.process.terminate()
        running.process.communicate(timeout=20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Callable[..., Visitor]]:
    """Make visitors; at the end no console may have complained, except of what a test takes for granted."""
    visitors: list[Visitor] = []

    def come(**context: Any) -> Visitor:
        visitors.append(Visitor(browser, service.ready["api"], service.ready["apiKey"], **context))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.close()
    assert [visitor.errors for visitor in visitors if visitor.errors] == []
