"""The clients of the stores: their rate limiter is safe from clocks that step."""

import time

import pytest
from botocore.retries.bucket import Clock, TokenBucket

from prewarm.settings import Settings
from prewarm.storage.clients import create_clients


def test_throttled_client_does_not_wait_after_the_clock_has_stepped_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    create_clients(Settings.from_environment({"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t"}))
    tokens = TokenBucket(max_rate=100, clock=Clock())
    tokens.acquire(1)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 7200)
    time.sleep(0.02)  # one token's time
    # By time.time() it would have to wait for two hours.
    assert tokens.acquire(1, block=False)
    assert tokens.available_capacity > -1
