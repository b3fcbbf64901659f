"""The wait options: paths are checked before the wait."""

from pathlib import Path

import pytest

from prewarm_cli.errors import CommandFailed
from prewarm_cli.options.wait import WaitOptions, wait_options_of


def test_wait_options_without_arguments_have_no_limit_and_no_files() -> None:
    assert wait_options_of() == WaitOptions(None, None, None)


def test_wait_options_accept_files_in_a_writable_directory(tmp_path: Path) -> None:
    junit, report = tmp_path / "junit.xml", tmp_path / "report.csv"
    assert wait_options_of(wait_seconds=5.0, junit=junit, report=report) == WaitOptions(5.0, junit, report)


def test_wait_options_reject_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent" / "junit.xml"):
        with pytest.raises(CommandFailed, match="the file cannot be written"):
            wait_options_of(junit=path)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_time_that_never_ends_is_refused(seconds: float) -> None:
    with pytest.raises(CommandFailed, match="--wait-seconds: must be a finite number, got"):
        wait_options_of(wait_seconds=seconds)


def test_wait_options_reject_two_outputs_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with pytest.raises(CommandFailed, match=r"--report .*: is the file of --junit; name another file"):
        wait_options_of(junit=path, report=tmp_path / "." / "x.csv")
    null = Path("/dev/null")
    assert wait_options_of(junit=null, gitlab_links=null) == WaitOptions(None, null, None, null)


def test_wait_options_reject_an_unknown_report_format(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"must end in \.html, \.json or \.csv"):
        wait_options_of(report=tmp_path / "report")
