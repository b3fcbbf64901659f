"""How the demo ends, after a show of a test's own making: the whole one is played in tests/e2e/cli/test_demo.py."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

import prewarm_cli.demo.command
import prewarm_local.edge.process
import prewarm_local.stack.stack
from tests.support.fake_api import prewarm


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the show finds wrong; nothing, unless a test adds it."""
    found: list[str] = []

    @contextmanager
    def nothing(*_: Any, **__: Any) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(api="http://127.0.0.1:1/v1", api_key="the-key", settings=dict)

    monkeypatch.setattr(prewarm_local.edge.process, "SimulatedCloudFront", nothing)
    monkeypatch.setattr(prewarm_local.stack.stack, "EmbeddedStack", nothing)
    monkeypatch.setattr(prewarm_cli.demo.command, "_play", lambda *_: found)
    return found


def test_the_demo_ends_by_itself_and_says_how_it_would_go_on(failures: list[str]) -> None:
    shown = prewarm("demo").stdout
    assert "`prewarm demo --keep` leaves it serving" in shown
    assert "the-key" not in shown, "an address that serves no more is of no use"


def test_a_demo_that_went_wrong_says_so_and_is_exit_1(failures: list[str]) -> None:
    failures.append("a viewer got a Miss")
    assert "Not as it should be: a viewer got a Miss" in prewarm("demo", code=1).stdout


def test_a_demo_that_cannot_go_on_says_so_in_a_line(failures: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise OSError("no address is left")

    monkeypatch.setattr(prewarm_cli.demo.command, "_play", broken)
    assert prewarm("demo", code=4).stderr.startswith("prewarm: unexpected error: OSError: no address is left (please")
