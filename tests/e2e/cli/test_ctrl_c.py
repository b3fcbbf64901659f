"""Ctrl-C while bars are drawn: what remains on the screen."""

import signal
from pathlib import Path

import pyte
import pytest

from tests.support.fake_api import RUN, fake_api
from tests.support.statuses import running_status
from tests.support.terminal import terminal


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_ctrl_c_leaves_no_bars_and_prints_how_to_resume(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, columns: int
) -> None:
    with fake_api(monkeypatch, tmp_path) as api:
        api.responses["GET /status"] = [(200, running_status())]
        settings = {"PREWARM_API_URL": api.url, "PREWARM_API_KEY": "k", "COLUMNS": str(columns)}
        with terminal(None, "watch", RUN, **settings) as shown:
            shown.until(lambda text: "targets" in text and len(api.calls) > 1)
            assert "\u2501" in shown.shown, "no bar was drawn"
            shown.process.send_signal(signal.SIGINT)
            assert shown.end() == 130
    screen = pyte.Screen(columns, 24)
    pyte.Stream(screen).feed(shown.shown)
    left = [line.rstrip() for line in screen.display if line.strip()]
    assert " ".join(left) == "detached; the run continues; resume with: prewarm watch the-run"
    assert not screen.cursor.hidden
