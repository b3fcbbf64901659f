"""How long an error of the stores takes to reach the caller of the API, which API Gateway leaves after 29 s."""

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


class Responses:
    """A store: a number of bodies that are cut off after some seconds, then silence or a whole body."""

    def __init__(self, cut: int, cut_after: float, silent_for: float | None) -> None:
        self.now, self._cut, self._cut_after, self._silent_for = 0.0, cut, cut_after, silent_for

    def request(self) -> "Responses":
        if not self._cut and self._silent_for is not None:
            self.now += self._silent_for
            raise SILENT
        return self

    def read(self) -> bytes:
        if self._cut:
            self._cut -= 1
            self.now += self._cut_after
            raise CUT
        return b"whole"


@pytest.mark.parametrize("cut", [0, 1])
@pytest.mark.parametrize("service", [0, 1], ids=["s3", "dynamodb"])
def test_silent_store_is_an_error_of_the_api_before_the_gateway_gives_up(
    service: int, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    environment = {"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t", "PREWARM_STATE_MACHINE_ARN": "arn"}
    config: Any = create_clients(Settings.from_environment(environment))[service].meta.config
    longest = config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout) + BACKOFF_SECONDS
    # A body that is cut off just before the patience ends, and a store that is silent from then on.
    store = Responses(cut, API_PATIENCE - 0.1, longest)
    with pytest.raises(TransientError, match=r"^read x: ReadTimeoutError"):
        read_whole(store.request, "read x", (0.0,), API_PATIENCE, lambda: store.now)
    assert cut * (API_PATIENCE - 0.1) + longest == pytest.approx(store.now)
    assert store.now + sum(READ_PAUSES) < GATEWAY_SECONDS


def test_body_that_is_cut_off_at_once_is_asked_for_again() -> None:
    store = Responses(len(READ_PAUSES), 0.0, None)
    assert read_whole(store.request, "read x", (0.0,) * len(READ_PAUSES), API_PATIENCE, lambda: store.now) == b"whole"
