"""How workers start: forked from a process that has the functions' packages, each with its own everything else."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from botocore import loaders
from botocore.session import Session

from prewarm_local.stack import fork_server
from prewarm_local.stack.worker_processes import ForkServer, Interpreters, Launcher, WorkerProcess
from tests.support.definitions import FUNCTIONS, functions, template

# Takes the place of the runtime's interface client; the worker's folder comes first on its path.
CLIENT = """
import json, os, random, sys, time
if os.environ["TASK"] == "hang":
    time.sleep(60)
print(json.dumps({
    "argv": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ), "name": __name__,
    "zone": time.tzname[0], "path": sys.path[:2], "group": os.getpgid(0) == os.getpid(), "stdin": sys.stdin.read(),
    "descriptors": sorted(map(int, os.listdir("/proc/self/fd"))), "random": random.random(),
}), flush=True)
print("failed", file=sys.stderr)
sys.exit(int(os.environ["TASK"]))
"""


@pytest.fixture(params=["forked", "interpreter"])
def launcher(request: pytest.FixtureRequest) -> Iterator[Launcher]:
    started = ForkServer({"PATH": os.environ["PATH"]}) if request.param == "forked" else Interpreters()
    yield started
    started.stop()


@pytest.fixture
def lifeline() -> Iterator[tuple[int, IO[bytes]]]:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as other:
        yield read_end, other
        os.close(read_end)


def start(launcher: Launcher, folder: Path, lifeline: int, task: str, name: str = "log") -> WorkerProcess:
    (folder / "awslambdaric").mkdir(exist_ok=True)
    (folder / "awslambdaric" / "__init__.py").touch()
    (folder / "awslambdaric" / "__main__.py").write_text(CLIENT)
    environment = {"TASK": task, "PYTHONPATH": str(folder), "TZ": "XYZ-3", "LANG": "en_US.UTF-8"}
    with (folder / name).open("wb") as log:
        return launcher.start("a.handler", folder, environment, log.fileno(), lifeline)


def test_worker_has_its_own_environment_folder_and_log(
    launcher: Launcher, tmp_path: Path, lifeline: tuple[int, IO[bytes]]
) -> None:
    process = start(launcher, tmp_path, lifeline[0], "3")
    assert process.wait(60) == 3
    said, failed = (tmp_path / "log").read_text().splitlines()
    seen = json.loads(said)
    assert failed == "failed"
    assert (seen["argv"], seen["folder"], seen["name"]) == (["a.handler"], str(tmp_path), "__main__")
    assert {name: value for name, value in seen["environment"].items() if name != "LC_CTYPE"} == {
        "TASK": "3",
        "PYTHONPATH": str(tmp_path),
        "TZ": "XYZ-3",
        "LANG": "en_US.UTF-8",
    }
    assert (seen["zone"], seen["group"], seen["stdin"]) == ("XYZ", True, "")
    assert str(tmp_path) in seen["path"]
    # Standard streams, the lifeline, and the one of listdir.
    assert len(seen["descriptors"]) == 5


def test_workers_differ_in_their_random_numbers(
    launcher: Launcher, tmp_path: Path, lifeline: tuple[int, IO[bytes]]
) -> None:
    names = ["one", "two"]
    processes = [start(launcher, tmp_path, lifeline[0], "0", name) for name in names]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert len({json.loads((tmp_path / name).read_text().splitlines()[0])["random"] for name in names}) == 2


def test_signal_is_the_exit_status(launcher: Launcher, tmp_path: Path, lifeline: tuple[int, IO[bytes]]) -> None:
    process = start(launcher, tmp_path, lifeline[0], "hang")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL


def test_command_line_names_the_handler(launcher: Launcher, tmp_path: Path, lifeline: tuple[int, IO[bytes]]) -> None:
    """The benchmarks find the processes of a function by it."""
    process = start(launcher, tmp_path, lifeline[0], "hang")
    # Read until the worker has come so far.
    line = Path(f"/proc/{process.pid}/cmdline")
    while (words := line.read_text().rstrip("\0").split("\0"))[-1] != "a.handler":
        time.sleep(0.02)
    assert words[0] == sys.executable
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL


def test_worker_exits_with_its_lifeline(launcher: Launcher, tmp_path: Path, lifeline: tuple[int, IO[bytes]]) -> None:
    process = start(launcher, tmp_path, lifeline[0], "hang")
    lifeline[1].close()
    assert process.wait(60) == 0


def test_lost_fork_server_ends_its_workers_and_the_next_one_starts_without_it(
    tmp_path: Path, lifeline: tuple[int, IO[bytes]]
) -> None:
    server = ForkServer({"PATH": os.environ["PATH"]})
    process = start(server, tmp_path, lifeline[0], "hang")
    server._server.kill()
    assert process.wait(10) == -signal.SIGKILL
    assert start(server, tmp_path, lifeline[0], "4").wait(60) == 4
    server.stop()


def test_fork_server_has_every_package_that_the_functions_import() -> None:
    handlers = sorted({properties["Handler"].rpartition(".")[0] for properties in functions(template()).values()})
    script = f"""
        import importlib, os, sys
        for name in {fork_server._PACKAGES}:
            importlib.import_module(name)
        own = {{"awslambdaric", *os.listdir({str(FUNCTIONS)!r})}}
        imported = set(sys.modules)
        import awslambdaric.bootstrap
        imported |= {{name for name in sys.modules if name == "runtime_client"}}
        sys.path.insert(0, {str(FUNCTIONS)!r})
        for handler in {handlers}:
            importlib.import_module(handler)
        print(sorted(name for name in set(sys.modules) - imported
                     if name.partition(".")[0] not in own | sys.stdlib_module_names))
    """
    environment = os.environ | {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "PREWARM_TABLE": "t",
        "PREWARM_BUCKET": "b",
        "PREWARM_STATE_MACHINE_ARN": "arn",
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_workers_share_the_descriptions_of_aws_services_that_the_server_has_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("load_file", "_load_file"):
        monkeypatch.setattr(loaders.JSONFileLoader, name, getattr(loaders.JSONFileLoader, name))
    fork_server._read_descriptions()
    opened: list[str] = []
    read = loaders.JSONFileLoader._load_file  # type: ignore[attr-defined]

    def load(self: loaders.JSONFileLoader, path: str, opener: Any) -> Any:
        opened.append(path)
        return read(self, path, opener)

    monkeypatch.setattr(loaders.JSONFileLoader, "_load_file", load)
    session = Session()
    for service in fork_server._SERVICES:
        session.create_client(service, "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    assert opened == []
