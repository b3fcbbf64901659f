"""Progress bars on terminals of several widths."""

import pytest

from prewarm_cli.output.live import ProgressBars
from tests.support.statuses import status


@pytest.mark.parametrize(("columns", "times"), [(30, False), (49, False), (50, True), (110, True)])
def test_narrow_terminal_shows_bars_and_counts_without_times(
    monkeypatch: pytest.MonkeyPatch, columns: int, times: bool
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    bars = ProgressBars()
    bars.show(status(failedUrl=[], failures=[]))
    with bars.progress.console.capture() as captured:
        bars.progress.console.print(bars.progress)
    urls, targets = (line.rstrip() for line in captured.get().splitlines())
    assert ("2/2" in urls, "8/1008" in targets) == (True, True)
    assert (":" in urls, "left" in urls) == (times, times)
    assert urls.count("━") >= 4
