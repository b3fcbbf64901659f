"""How long an error of the stores takes to reach the caller of the API, which API Gateway leaves after 29 s."""

from itertools import count
from typing import Any

import pytest
from botocore.exceptions import IncompleteReadError, ReadTimeoutError

from prewarm.errors import TransientError
from prewarm.settings import Settings
from prewarm.storage.clients import create_clients
from prewarm.storage.transient import API_PATIENCE, READ_PAUSES, read_whole

GATEWAY_SECONDS = 29
# botocore's standard mode waits at most 1 s before the second try and 2 s before the third.
BACKOFF_SECONDS = 1 + 2
SILENT = ReadTimeoutError(endpoint_url="http://127.0.0.1")
CUT = IncompleteReadError(actual_bytes=5, expected_bytes=10)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("prewarm.storage.transient.time.monotonic", lambda: now[0])
    monkeypatch.setattr("prewarm.storage.transient.time.sleep", lambda pause: now.__setitem__(0, now[0] + pause))
    return now


@pytest.mark.parametrize("service", [0, 1], ids=["s3", "dynamodb"])
def test_silent_store_is_an_error_of_the_api_before_the_gateway_gives_up(
    service: int, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    environment = {"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t", "PREWARM_STATE_MACHINE_ARN": "arn"}
    config: Any = create_clients(Settings.from_environment(environment))[service].meta.config
    longest = config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout) + BACKOFF_SECONDS

    def get() -> bytes:
        clock[0] += longest
        raise SILENT

    with pytest.raises(TransientError, match=r"^read x: ReadTimeoutError"):
        read_whole(get, "read x", patience=API_PATIENCE)
    assert clock[0] == longest
    # A body that is cut off once, just before the patience ends, and a store that is silent from then on.
    assert API_PATIENCE + longest < GATEWAY_SECONDS


def test_body_that_is_cut_off_at_once_is_asked_for_again(clock: list[float]) -> None:
    tries = count(1)

    def get() -> bytes:
        if next(tries) <= len(READ_PAUSES):
            raise CUT
        return b"whole"

    assert read_whole(get, "read x", patience=API_PATIENCE) == b"whole"
    assert clock[0] == sum(READ_PAUSES)
