"""Start runs through the API, list them, and end them: what the tests of several routes share."""

import time
from typing import Any

from tests.support.edge_urls import HOST
from tests.support.handlers import (
    MACHINE,
    TOKYO,
)
from tests.support.rest import EXECUTION, call

URL = f"https://{HOST}/index.html"
GOOD: dict[str, Any] = {"url_list": [URL], "region_type": "pop", "region": [TOKYO]}


def post(body: dict[str, Any] = GOOD, key: str | None = None) -> tuple[int, Any]:
    return call("POST", "/prewarm", body, headers={} if key is None else {"idempotency-key": key})


def code(response: tuple[int, Any]) -> tuple[int, str]:
    return response[0], response[1]["error"]["code"]


def started(**changes: Any) -> str:
    """Start a run; return its name."""
    status, response = call("POST", "/prewarm", GOOD | changes)
    assert status == 200, response
    return str(response["requestID"].rpartition(":")[2])


def runs(**query: str) -> list[dict[str, Any]]:
    """Return all pages of a list of runs."""
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        status, response = call("GET", "/runs", query=query | more)
        assert status == 200, response
        found += response["runs"]
        if "nextToken" not in response:
            return found
        more = {"nextToken": response["nextToken"]}


def names(**query: str) -> list[str]:
    return [each["run"] for each in runs(**query)]


def event_of_end(run: str, status: str, error: str | None = None, redrives: int = 0) -> dict[str, Any]:
    """Return EventBridge's event about an execution's end."""
    detail = {"name": run, "executionArn": f"{EXECUTION}:{run}", "stateMachineArn": MACHINE, "status": status}
    times = {"startDate": int(1000 * time.time()) - 5_000, "stopDate": int(1000 * time.time())}
    return {"detail": detail | times | {"error": error, "cause": None, "redriveCount": redrives}}
