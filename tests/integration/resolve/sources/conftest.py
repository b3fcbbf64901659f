"""What the tests of sources share."""

from typing import Any

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST
from tests.support.source_runs import NUMBERS, document_of


@pytest.fixture
def site(edge: SimulatedCloudFront) -> Any:
    """Put a document on the simulated origin under a new path; returns its URL."""

    def put(body: bytes, name: str = "x", host: str = HOST, **options: Any) -> str:
        path = f"/sources/{next(NUMBERS)}/{name}"
        edge.put_object(path, document_of(body) | options)
        return f"https://{host}{path}"

    return put
