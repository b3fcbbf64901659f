"""One run through the API of an embedded stack, for the benches that need its end only."""

import time
from typing import Any

import requests

from prewarm_local.stack.stack import EmbeddedStack


def finish(stack: EmbeddedStack, request: dict[str, Any], pause: float) -> dict[str, Any]:
    """Start a run, poll it every `pause` seconds, and return its last status."""
    headers = {"x-api-key": stack.api_key}
    response = requests.post(f"{stack.api}/prewarm", json=request, headers=headers, timeout=60)
    response.raise_for_status()
    query = {"requestID": response.json()["requestID"], "limit": "1"}
    while True:
        time.sleep(pause)
        status: dict[str, Any] = requests.get(f"{stack.api}/status", params=query, headers=headers, timeout=60).json()
        if status["status"] != "IN_PROGRESS":
            return status
