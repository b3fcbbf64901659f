"""What `prewarm list` prints below its table."""

import pytest

from prewarm_cli.output import terminal
from prewarm_cli.output.runs import hint_lines, lines

NAME = "20261124T013829Z-c0af4526"
RUNS = [
    {"run": "newest", "status": "COMPLETED"},
    {"run": NAME, "status": "FAILED"},
    {"run": "old", "status": "TIMEOUT"},
]


def test_terminal_shows_no_success_for_a_run_that_is_not_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe has the API's own status, for scripts, next to the numbers of URLs."""
    run = {
        "run": NAME,
        "status": "COMPLETED",
        "startedAt": "2026-11-24T01:38:29Z",
        "total": 7,
        "warm": 5,
        "failed": 2,
    }
    for width, state in ((80, "NOT WARM"), (None, "COMPLETED")):
        monkeypatch.setattr(terminal, "columns", lambda width=width: width)
        assert [each for each in ("NOT WARM", "COMPLETED") if each in "\n".join(lines([run]))] == [state]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_terminal_names_the_command_for_the_newest_failed_run(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setattr(terminal, "columns", lambda: width)
    lines = hint_lines(RUNS)
    assert lines[-1].endswith(f"prewarm status {NAME}")
    assert all(len(line) <= max(width, len(f"  prewarm status {NAME}")) for line in lines)


@pytest.mark.parametrize(("width", "runs"), [(None, RUNS), (80, RUNS[:1]), (80, [])])
def test_pipe_and_list_without_a_failed_run_have_no_hint(
    monkeypatch: pytest.MonkeyPatch, width: int | None, runs: list[dict[str, str]]
) -> None:
    monkeypatch.setattr(terminal, "columns", lambda: width)
    assert hint_lines(runs) == []
