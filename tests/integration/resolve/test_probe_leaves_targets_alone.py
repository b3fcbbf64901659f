"""The probe must not spoil the URL that it stands for, even where a cached HEAD serves a GET."""

from prewarm.fetcher.fetcher import Fetcher
from prewarm.settings import Settings
from prewarm_local.edge.process import SimulatedCloudFront
from resolve.pops.pop_probe import PopProbe, run_probes
from resolve.stages import MatchedGroup
from tests.support.builders import DISTRIBUTION, parsed
from tests.support.edge_client import CONFIG, TOKYO, Client

TARGET = "/target.html"


def test_failed_head_of_the_probe_does_not_become_the_targets_copy() -> None:
    with SimulatedCloudFront(CONFIG | {"head_serves_get": True, "error_ttl": 60}) as edge:
        edge.fault("*", "status:503", times=1)
        group = MatchedGroup(DISTRIBUTION, parsed(f"https://www.example.com{TARGET}"))
        probed = PopProbe(TOKYO, edge.addresses[TOKYO][:1], group.probe_url())
        settings = Settings.from_environment({"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t", **edge.settings()})
        run_probes([probed], Fetcher(settings), None)
        assert probed.failure == ""
        got = Client(edge).request(TARGET)
        assert (got.status, got.x_cache) == (200, "Miss")
