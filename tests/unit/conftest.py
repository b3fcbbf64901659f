"""Fixtures of several unit tests."""

from types import SimpleNamespace

import pytest

from tests.support.builders import Clock
from warm import retries, stop_rules, worker


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock of our own, and jitter that always takes the shortest pause."""
    own = Clock()
    for module in (stop_rules, worker):
        monkeypatch.setattr(module, "time", own)
    monkeypatch.setattr(retries, "random", SimpleNamespace(uniform=lambda low, _high: low))
    return own
