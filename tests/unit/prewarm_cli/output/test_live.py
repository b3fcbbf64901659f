"""Progress bars on terminals of several widths, and plain lines in a pipe."""

import pytest

from prewarm_cli.output.live import PlainLines, ProgressBars
from tests.support.statuses import running_status, status


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


def test_line_is_printed_for_progress_and_not_for_another_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    lines, before = PlainLines(), running_status()
    for seconds in (20, 24, 31):
        lines.show(before | {"phase": {"name": "warming", "secondsLeft": seconds}})
    lines.show(before | {"phase": {"name": "warming", "secondsLeft": 31}, "completed": before["completed"] + 1})
    lines.show(before | {"phase": {"name": "summing_up"}})
    printed = capsys.readouterr().out.splitlines()
    assert [line.partition("IN_PROGRESS, ")[2].partition(":")[0] for line in printed] == [
        "warming, about 20 s left",
        "warming, about 31 s left",
        "summing up",
    ]
