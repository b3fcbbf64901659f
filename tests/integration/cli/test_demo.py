"""The demo's end after a replaced demo run; tests/e2e/cli/test_demo.py runs the whole demo."""

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
    """Return the list of failed checks, to which a test may add."""
    found: list[str] = []

    @contextmanager
    def nothing(*_: Any, **__: Any) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(api="http://127.0.0.1:1/v1", api_key="the-key", settings=dict)

    monkeypatch.setattr(prewarm_local.edge.process, "SimulatedCloudFront", nothing)
    monkeypatch.setattr(prewarm_local.stack.stack, "EmbeddedStack", nothing)
    monkeypatch.setattr(prewarm_cli.demo.command, "_run_demo", lambda *_: found)
    return found


def test_demo_without_keep_ends_and_mentions_keep(failures: list[str]) -> None:
    output = prewarm("demo").stdout
    assert "`prewarm demo --keep` keeps serving" in output
    assert "the-key" not in output, "the service has ended, so its key has no use"


def test_demo_keep_prints_address_key_and_export_lines_before_the_show(
    failures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def show(*arguments: Any) -> list[str]:
        arguments[-1].say("THE SHOW")
        return failures

    monkeypatch.setattr(prewarm_cli.demo.command, "_run_demo", show)
    monkeypatch.setattr(prewarm_cli.demo.command, "serve_until_signal", lambda _: None)
    before, after = prewarm("demo", "--keep").stdout.split("THE SHOW")
    for part in (before, after):
        lines = part.splitlines()
        assert "Dashboard: http://127.0.0.1:1/v1/" in lines
        assert "API key: the-key" in lines
        assert "export PREWARM_API_URL=http://127.0.0.1:1/v1" in lines
        assert "export PREWARM_API_KEY=the-key" in lines


def test_demo_with_a_failed_check_prints_it_and_exits_1(failures: list[str]) -> None:
    failures.append("a viewer got a Miss")
    assert "Check failed: a viewer got a Miss" in prewarm("demo", code=1).stdout


def test_demo_that_raises_exits_4_with_one_line(failures: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise OSError("no address is left")

    monkeypatch.setattr(prewarm_cli.demo.command, "_run_demo", broken)
    assert prewarm("demo", code=4).stderr.startswith("prewarm: unexpected error: OSError: no address is left (please")
