"""Progress bars on terminals of several widths, and plain lines in a pipe."""

import pytest

from prewarm_cli.output.live import PlainLines, ProgressBars
from tests.support.statuses import running_status, status


@pytest.mark.parametrize(("columns", "times"), [(30, False), (59, False), (60, True), (110, True)])
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


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_bars_show_what_is_not_warm_before_any_url_is_decided(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    bars = ProgressBars()
    targets = {"done": 8_448, "total": 9_216, "outcomes": {"warmed": 8_000, "client_error": 448}}
    bars.show(running_status(failing=2, targets=targets))
    with bars.progress.console.capture() as captured:
        bars.progress.console.print(bars.progress)
    urls, of_targets = (line.rstrip() for line in captured.get().splitlines())
    assert ("2 not warm" in urls, "448 not warm" in of_targets, "8448/9216" in of_targets) == (True, True, True)


@pytest.mark.parametrize("columns", [30, 60, 80, 120])
@pytest.mark.parametrize("total", [9, 9_216, 9_216_000])
def test_bars_never_cut_a_number(monkeypatch: pytest.MonkeyPatch, columns: int, total: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    bars = ProgressBars()
    bars.show(running_status(targets={"done": total - 1, "total": total, "outcomes": {"warmed": 1, "timeout": 8}}))
    with bars.progress.console.capture() as captured:
        bars.progress.console.print(bars.progress)
    assert f"{total - 1}/{total}" in captured.get()
    assert "…" not in captured.get()
    assert max(map(len, captured.get().splitlines())) <= columns


def test_first_line_with_targets_says_what_a_target_is(capsys: pytest.CaptureFixture[str]) -> None:
    lines, targets = PlainLines(), {"total": 768, "outcomes": {}, "popsPerUrl": 384, "variants": 1}
    for given in ({"total": 0}, targets | {"done": 0}, targets | {"done": 96}):
        lines.show(running_status(targets=given))
    first, second, third = capsys.readouterr().out.splitlines()
    assert "targets" not in first
    assert second.endswith("0 of 768 targets (2 URLs \u00d7 384 POPs) tried")
    assert third.endswith("96 of 768 targets tried")


def test_failed_urls_are_left_to_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    PlainLines().show(status(status="IN_PROGRESS"))
    assert "failed   " not in capsys.readouterr().out
