"""Fixtures for tests of the simulated CloudFront."""

import itertools
from collections.abc import Iterator

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_client import CONFIG, Client

_serial = itertools.count()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of a simulation with one POP of each kind."""
    with SimulatedCloudFront(CONFIG) as edge:
        yield Client(edge)
        assert edge.errors == ""


@pytest.fixture
def path() -> str:
    """A path that no other test has cached."""
    return f"/page-{next(_serial)}.html"
