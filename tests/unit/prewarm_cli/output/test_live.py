"""Bars on terminals of all widths."""

import pytest

from prewarm_cli.output.live import Bars
from tests.unit.prewarm_cli.output.test_text import status


@pytest.mark.parametrize(("columns", "times"), [(30, False), (49, False), (50, True), (110, True)])
def test_a_narrow_terminal_has_bars_and_counts_and_no_times(
    monkeypatch: pytest.MonkeyPatch, columns: int, times: bool
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    bars = Bars()
    bars.show(status(failedUrl=[], failures=[]))
    with bars.progress.console.capture() as shown:
        bars.progress.console.print(bars.progress)
    urls, targets = (line.rstrip() for line in shown.get().splitlines())
    assert ("2/2" in urls, "8/1008" in targets) == (True, True)
    assert (":" in urls, "left" in urls) == (times, times)
    assert urls.count("━") >= 4
