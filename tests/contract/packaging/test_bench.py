"""Each benchmark runs; the figures are not checked."""

import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.comparison import OURS
from bench.edges import NO_NGINX, Edges, edges, nginx
from bench.job import Job, PeerFailed
from bench.measured import bounded
from bench.peers import CLIENTS, missing
from tests.support.definitions import ROOT

NEEDS_NGINX = pytest.mark.skipif(not nginx(), reason=NO_NGINX)


def output_of(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, text=True, capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@NEEDS_NGINX
@pytest.mark.xdist_group("nginx")
def test_the_comparison_with_peers_runs() -> None:
    output = output_of("bench.warm", "--quick")
    assert "- 1 KB: CPU, this worker / bare pycurl loop: m" in output
    rows = {
        name: next(line for line in output.splitlines() if line.startswith(f"| 1 KB | {name}")) for name in CLIENTS
    }
    absent = {name: missing(client) for name, client in CLIENTS.items() if missing(client)}
    assert {name for name, row in rows.items() if "did not finish" in row} == set(absent)
    for name, reason in absent.items():
        assert reason in rows[name]
        warnings.warn(f"NOT CHECKED: {reason}", stacklevel=1)
    if absent:
        pytest.skip(f"NOT CHECKED: {', '.join(absent.values())}")


@pytest.fixture(scope="module")
def faulty() -> Iterator[Edges]:
    with edges(None, [f"LAB{number}-C1" for number in range(1, 5)], faults="30% 404; * 0;") as ready:
        yield ready


@NEEDS_NGINX
@pytest.mark.xdist_group("nginx")
@pytest.mark.parametrize("name", [name for name in CLIENTS if name != OURS])
def test_a_client_that_gets_errors_has_not_fetched_everything(name: str, faulty: Edges) -> None:
    client = CLIENTS[name]
    if reason := missing(client):
        warnings.warn(f"NOT CHECKED: {reason}", stacklevel=1)
        pytest.skip(f"NOT CHECKED: {reason}")
    job = Job(
        [f"/1k/{number}" for number in range(6)], faulty.addresses, faulty.port, faulty.one_root, client.forms[0]
    )
    if client.program and name != "h2load":
        with pytest.raises(PeerFailed, match="404"):
            client.fetch(job)
    else:
        assert 0 < client.fetch(job)[0] < job.wanted


def test_a_client_that_does_not_end_is_stopped_with_its_programs(tmp_path: Path) -> None:
    noted = tmp_path / "process"
    with pytest.raises(subprocess.TimeoutExpired):
        bounded(["sh", "-c", f"sleep 60 & echo $! > {noted}; wait"], "", 1)
    process = Path(f"/proc/{noted.read_text().strip()}")
    deadline = time.monotonic() + 10
    while process.exists() and "State:\tZ" not in process.joinpath("status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


BENCH = "from bench.edges import edges\nwith edges(None): print('ready', flush=True); input()"
SECTION = "import sys; from bench.termination import output_of_errors; output_of_errors([sys.executable, '-c', {!r}])"


@NEEDS_NGINX
@pytest.mark.parametrize("script", [BENCH, SECTION.format(BENCH)], ids=["script", "section"])
def test_a_bench_that_is_terminated_ends_its_nginx(script: str) -> None:
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        servers = [Path(f"/proc/{process}/status") for process in descendants(started.pid)]
        assert any("nginx" in server.read_text() for server in servers)
        started.terminate()
        assert started.wait(20) == 128 + signal.SIGTERM
    assert not any(server.exists() for server in servers)


def descendants(process: int) -> list[int]:
    """Return the ids of a process's children, and of theirs."""
    children = [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return [*children, *(each for child in children for each in descendants(child))]


@NEEDS_NGINX
@pytest.mark.xdist_group("nginx")
def test_the_benchmark_of_a_whole_run_runs() -> None:
    output = output_of("bench.workflow", "--urls", "5")
    assert "320 targets: 5 URLs through 64 POPs" in output
    assert "| status | COMPLETED: 320 already_warm |" in output
    assert "| peak memory, warm.handler.handler |" in output


def test_the_benchmark_of_aggregation_runs() -> None:
    output = output_of("bench.scale", "--urls", "50")
    assert "27,000 targets" in output
    assert "GET /status" in output


def test_the_benchmark_of_polls_runs() -> None:
    output = output_of("bench.polls", "--urls", "50", "--workers", "5", "--seconds", "6")
    assert "3,200 targets, 5 workers" in output
    assert "| 20 watchers, 40 polls in 6 s |" in output
