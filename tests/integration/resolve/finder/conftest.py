"""A stubbed CloudFront API, and the settings of a simulated edge's DNS."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from prewarm.settings import Settings
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.listed_distributions import CLOUDFRONT


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(CLOUDFRONT) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def settings(edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch) -> Settings:
    stores = {"PREWARM_BUCKET": "bucket", "PREWARM_TABLE": "table"}
    return Settings.from_environment(edge.settings() | stores)
