"""The probe must not spoil the URL that it stands for, even where a cached HEAD serves a GET."""

from typing import Any

import pytest

from prewarm.fetcher.fetcher import Fetcher
from prewarm.settings import Settings
from resolve.pops.pop_probe import PopProbe, run_probes
from resolve.stages import MatchedGroup
from tests.support.builders import DISTRIBUTION, parsed
from tests.support.edge_client import CONFIG, TOKYO, Client
from tests.support.strict_edge import strict_cloudfront

TARGET = "/target.html"


# Developer Guide, "How CloudFront processes HTTP 4xx and 5xx status codes from your origin":
# answers to HEAD are cached.
@pytest.mark.parametrize(
    "lenient", [{}, {"head_serves_get": False}], ids=["HEAD's copy serves GET", "HEAD has a copy of its own"]
)
def test_failed_head_of_the_probe_does_not_become_the_targets_copy(lenient: dict[str, Any]) -> None:
    because = "both settings are tested, since the documents are silent" if lenient else ""
    with strict_cloudfront(CONFIG | {"error_ttl": 60}, lenient=lenient, because=because) as edge:
        edge.fault("*", "status:503", times=1)
        group = MatchedGroup(DISTRIBUTION, parsed(f"https://www.example.com{TARGET}"))
        probed = PopProbe(TOKYO, edge.addresses[TOKYO][:1], group.probe_url())
        settings = Settings.from_environment({"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t", **edge.settings()})
        run_probes([probed], Fetcher(settings), None)
        assert probed.failure == ""
        got = Client(edge).request(TARGET)
        assert (got.status, got.x_cache) == (200, "Miss")
