"""A test of code that is not deployed runs without the coverage tracer, which takes up to two thirds of its time."""

import sys
import threading
from collections.abc import Iterator

import pytest
from coverage import Coverage


@pytest.fixture
def traced_during_setup() -> Iterator[bool]:
    yield Coverage.current() is not None
    assert Coverage.current() is None


def test_no_coverage_is_measured_here(traced_during_setup: bool) -> None:
    assert not traced_during_setup
    assert Coverage.current() is None
    assert "coverage" not in type(sys.gettrace()).__module__
    in_a_thread = []
    thread = threading.Thread(target=lambda: in_a_thread.append(sys.gettrace()))
    thread.start()
    thread.join()
    assert "coverage" not in type(in_a_thread[0]).__module__
