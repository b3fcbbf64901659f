"""What the tests of readings share."""

import pytest
from moto.cloudfront.models import cloudfront_backends

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.handlers import ACCOUNT, Machine
from tests.support.readings import Site


@pytest.fixture
def site(edge: SimulatedCloudFront, machine: Machine) -> Site:
    cloudfront_backends[ACCOUNT]["aws"].invalidations.clear()
    return Site(edge, machine)
