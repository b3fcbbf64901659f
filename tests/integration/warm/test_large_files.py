"""A worker's memory does not grow with the size of files; bench.large_files fetches the large ones."""

from collections.abc import Iterator

import pytest

from bench.edges import NO_NGINX, Edges, edges, nginx
from bench.large_files import fetch

pytestmark = pytest.mark.xdist_group("nginx")

MIB = 1 << 20
OBJECTS = 8
# As much as two runs of the same size differ.
NOISE_MB = 6


@pytest.fixture(scope="module")
def ready() -> Iterator[Edges]:
    if not nginx():
        pytest.skip(NO_NGINX)
    with edges(None) as running:
        yield running


def test_memory_is_the_same_for_files_32_times_as_large(ready: Edges) -> None:
    small = fetch(ready, OBJECTS, MIB, 60)
    large = fetch(ready, OBJECTS, 32 * MIB, 60)
    assert (small.received, large.received) == (OBJECTS * MIB, OBJECTS * 32 * MIB)
    assert small.whole == large.whole == OBJECTS
    assert large.peak_mb < small.peak_mb + NOISE_MB
    assert large.peak_mb < 128
