"""How long a fetch waits for a silent edge: the distribution's time, unless the setting was changed."""

import pytest

from prewarm.fetcher.curl import CurlPool
from prewarm.fetcher.transfer import Fetch, PopQueue
from prewarm.settings import Settings


@pytest.mark.parametrize(
    ("environment", "of_queue", "seconds"),
    [({}, 0, 95), ({}, 185, 185), ({}, 65, 95), ({"PREWARM_STALL_SECONDS": "30"}, 185, 30)],
)
def test_limit_is_the_queues_unless_the_setting_was_changed(
    environment: dict[str, str], of_queue: int, seconds: int
) -> None:
    settings = Settings.from_environment({"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t"} | environment)
    fetch = Fetch("https://www.example.com/", [], PopQueue(["127.0.0.1"], stall_seconds=of_queue))
    pool = CurlPool(settings)
    curl = pool.start(fetch, None)
    assert curl.stall == seconds
    pool.release(curl)
