"""What several unit tests ask for."""

from types import SimpleNamespace

import pytest

from tests.support.builders import Clock
from warm import worker as module


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock of our own, and jitter that always takes the shortest pause."""
    own = Clock()
    monkeypatch.setattr(module, "time", own)
    monkeypatch.setattr(module, "random", SimpleNamespace(uniform=lambda low, _high: low))
    return own
