"""The command with streams that are closed, full, or closed by their reader, and interrupted while it starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.access_logs import record, w3c

PREWARM = [sys.executable, "-m", "prewarm_cli"]
FULL = Path("/dev/full")
on_linux = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")


def shell(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command, in which "$@" is `prewarm` with the arguments."""
    call = ["bash", "-c", command, "bash", *PREWARM, *arguments]
    return subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)


@on_linux
@pytest.mark.parametrize("arguments", [("pops", "list", "--json"), ("--help",), ("--version",)], ids=" ".join)
def test_full_device_is_named_and_exits_4(arguments: tuple[str, ...]) -> None:
    done = shell('"$@" > /dev/full', *arguments)
    assert (done.returncode, done.stderr.lower()) == (
        4,
        "prewarm: the output cannot be written: no space left on device\n",
    )


@on_linux
def test_exit_code_is_kept_where_no_message_can_be_written() -> None:
    assert shell('"$@" > /dev/full 2>&1', "pops", "list", "--json").returncode == 4
    assert shell('"$@" > /dev/full 2>&1', "pops", "show", "XXX1-C1", "--json").returncode == 2


@on_linux
def test_csv_of_traffic_for_dev_stdout_is_alone_there(tmp_path: Path) -> None:
    w3c(tmp_path / "E1.2026-11-01-12.a.gz", [record(stem="/a", pop="NRT57-P3")])
    done = shell('"$@" | cat', "traffic", str(tmp_path), "--output", "/dev/stdout")
    assert [line.partition(",")[0] for line in done.stdout.splitlines()] == [
        "#traffic",
        "url",
        "https://www.example.com/a",
        "#end",
    ]
    assert "TOP POPS" in done.stderr


def test_closed_pipe_exits_as_after_sigpipe_without_a_message() -> None:
    done = shell('"$@" | true; exit "${PIPESTATUS[0]}"', "pops", "list", "--json")
    assert (done.returncode, done.stderr) == (141, "")


def test_closed_stdin_is_named_with_the_option_that_reads_it() -> None:
    done = shell('"$@" <&-', "start", "--file", "-", "--pop", "NRT57-P3", "--api-url", "http://127.0.0.1:1/")
    assert done.returncode == 2
    assert done.stderr.startswith("prewarm: --file: stdin is closed; pipe the input")


def test_closed_stdin_of_configure_is_named() -> None:
    done = shell('"$@" <&-', "configure", "--api-url", "http://127.0.0.1:1/")
    assert (done.returncode, "stdin is closed" in done.stderr) == (2, True)


def test_closed_stdout_and_stderr_keep_the_exit_code() -> None:
    assert shell('"$@" >&-', "pops", "list").returncode == 0
    assert shell('"$@" >&- 2>&-', "pops", "show", "XXX1-C1").returncode == 2
    done = shell('"$@" 2>&-', "pops", "show", "XXX1-C1")
    assert (done.returncode, done.stdout) == (2, "")


def test_interrupt_during_the_imports_exits_130_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    call = ["env", f"PYTHONPATH={tmp_path}", *PREWARM, "pops", "list"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (130, "", False)
