"""Viewers that leave before the end, at the simulated edge.

Source: Developer Guide, "Request and response behavior for custom origins", section "Canceled requests": "If an
object is not in the edge cache, and if a viewer terminates a session (for example, closes a browser) after CloudFront
gets the object from your origin but before it can deliver the requested object, CloudFront does not cache the object
in the edge location."
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_client import CONFIG, HTTP1, HTTP2, TOKYO, TOKYO_2, Client, both_protocols

if TYPE_CHECKING:
    from collections.abc import Iterator

BIG = {"size": 30_000_000}


@pytest.fixture(scope="module")
def hidden() -> Iterator[Client]:
    """A simulation whose regional edge caches do not show in X-Cache: a Hit is the POP's own."""
    with SimulatedCloudFront(CONFIG | {"regional_hits_visible": False}) as edge:
        yield Client(edge)
        assert edge.errors == ""


def _settled(client: Client) -> None:
    """Wait until the edge has noticed that the viewers' connections are closed."""
    until = time.monotonic() + 5
    while client.edge.stats()["connections"] and time.monotonic() < until:
        time.sleep(0.02)


@both_protocols
def test_viewer_that_leaves_in_the_body_leaves_no_copy(hidden: Client, path: str, version: int) -> None:
    path += f"?leave{version}"
    hidden.edge.put_object(path, BIG)
    assert hidden.request(path, version=version, leave_after=10_000).error != 0
    _settled(hidden)
    whole = hidden.request(path, version=version, keep=False)
    assert (whole.x_cache, whole.received) == ("Miss", BIG["size"])
    assert hidden.request(path, version=version, keep=False).x_cache == "Hit"
    assert hidden.asked(path) == 1  # the regional edge cache has the object


@both_protocols
def test_viewer_that_leaves_before_the_headers_leaves_no_copy(hidden: Client, path: str, version: int) -> None:
    path += f"?early{version}"
    hidden.edge.put_object(path, {"size": 1024, "ttfb_ms": 400})
    assert hidden.request(path, version=version, timeout_ms=100).error != 0
    time.sleep(0.6)
    assert hidden.request(path, version=version).x_cache == "Miss"
    assert hidden.request(path, version=version).x_cache == "Hit"


def test_copy_stays_if_another_viewer_receives_it_wholly(hidden: Client, path: str) -> None:
    path += "?two"
    hidden.edge.put_object(path, {"size": 2_000_000, "ttfb_ms": 200})
    other = threading.Thread(target=lambda: hidden.request(path, version=HTTP1, keep=False))
    other.start()
    assert hidden.request(path, version=HTTP2, leave_after=1).error != 0
    other.join()
    assert hidden.request(path, keep=False).x_cache == "Hit"


def test_viewer_that_leaves_a_cached_object_removes_nothing(hidden: Client, path: str) -> None:
    path += "?cached"
    hidden.edge.put_object(path, BIG)
    hidden.request(path, TOKYO_2, keep=False)
    hidden.request(path, TOKYO, keep=False)
    hidden.request(path, TOKYO, leave_after=10_000)
    _settled(hidden)
    assert hidden.request(path, TOKYO, keep=False).x_cache == "Hit"
