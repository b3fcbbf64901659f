"""Output files: what is replaced, what is written to directly, and what stays after a failure."""

import contextlib
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from prewarm_cli.output.files import output_file, why_not_writable


def _write(path: Path, content: bytes = b"new") -> None:
    with output_file(path) as file:
        file.write(content)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_regular_file_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(b"old")
    path.chmod(0o640)
    _write(path)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert _names(tmp_path) == ["report.html"]


def test_failure_while_writing_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(b"old")
    with contextlib.suppress(RuntimeError), output_file(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["report.html"]


@pytest.mark.parametrize("exists", [True, False], ids=["link to a file", "link to nothing"])
def test_link_stays_and_the_file_it_names_is_written(tmp_path: Path, *, exists: bool) -> None:
    target, link = tmp_path / "kept" / "report.html", tmp_path / "latest.html"
    target.parent.mkdir()
    if exists:
        target.write_bytes(b"old")
    link.symlink_to(target)
    _write(link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert _names(target.parent) == ["report.html"]


def test_device_is_written_to_and_stays_a_device(tmp_path: Path) -> None:
    primary, secondary = os.openpty()
    try:
        device = Path(os.ttyname(secondary))
        link = tmp_path / "terminal"
        link.symlink_to(device)
        for path in (device, link):
            _write(path, b"new\n")
            assert os.read(primary, 100).strip() == b"new"
        assert stat.S_ISCHR(device.stat().st_mode)
        assert link.is_symlink()
    finally:
        os.close(primary)
        os.close(secondary)


def test_named_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
    reader.start()
    _write(pipe)
    reader.join(5)
    assert received == [b"new"]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
@pytest.mark.parametrize("piped", [True, False], ids=["pipe", "appended file"])
def test_link_to_stdout_writes_to_stdout(tmp_path: Path, *, piped: bool) -> None:
    link, log = tmp_path / "out", tmp_path / "log"
    link.symlink_to("/proc/self/fd/1")
    log.write_text("before\n")
    script = (
        "import sys; from pathlib import Path; from prewarm_cli.output.files import output_file\n"
        "with output_file(Path(sys.argv[1]), 'w') as file: file.write('new\\n')\n"
        "print('after')"
    )
    with log.open("ab") as appended:
        done = subprocess.run(
            [sys.executable, "-c", script, str(link)],
            check=True, timeout=30, stdout=subprocess.PIPE if piped else appended,
        )  # fmt: skip
    assert (done.stdout.decode() if piped else log.read_text().removeprefix("before\n")) == "new\nafter\n"
    assert link.is_symlink()
    assert log.read_text().startswith("before\n")


def test_file_in_a_directory_that_takes_no_other_is_written_directly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(b"the old content")
    number = path.stat().st_ino
    monkeypatch.setattr(os, "access", lambda each, _: each == path)
    assert why_not_writable(path) is None
    _write(path)
    assert (path.read_bytes(), path.stat().st_ino) == (b"new", number)
    assert why_not_writable(tmp_path / "x") == f"you have no permission to write into {tmp_path}"
    path.chmod(0o400)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert why_not_writable(path) == "you have no permission to write it"


def test_path_is_checked_without_changing_it(tmp_path: Path) -> None:
    kept = tmp_path / "kept.html"
    kept.write_bytes(b"old")
    assert why_not_writable(kept) is None
    assert why_not_writable(tmp_path / "new.html") is None
    assert why_not_writable(Path("/dev/null")) is None
    assert why_not_writable(tmp_path) == "is a directory"
    assert why_not_writable(tmp_path / "none" / "new.html") == f"there is no directory {tmp_path / 'none'}"
    assert why_not_writable(kept / "new.html") == f"there is no directory {kept}"
    assert kept.read_bytes() == b"old"
    assert _names(tmp_path) == ["kept.html"]
