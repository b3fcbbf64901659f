"""One run of one client in a process of its own, with its time, CPU and memory.

The process is started by `run_once`, reads the job from standard input and prints the figure as JSON.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

from bench.comparison import Figure
from bench.edges import Edges
from bench.job import Job, PeerFailed
from bench.peers import CLIENTS, Client, missing

LIMIT_SECONDS = 90
STARTS = 3
# The last line of a child that failed begins so; a traceback is a fault of the bench or of this worker.
FAILED = "failed: "


def run_once(name: str, case: str, paths: int, form: int, ready: Edges, core: int | None) -> Figure:
    """Run one client once.

    Raises:
        PeerFailed: it is not installed, it did not end in time, or it did not fetch everything.

    """
    reason = missing(CLIENTS[name])
    if reason:
        raise PeerFailed(reason)
    ca = ready.system_roots if CLIENTS[name].system_roots else ready.one_root
    job = Job([f"/{case}/{number}" for number in range(paths)], ready.addresses, ready.port, ca, form)
    before = ready.served()
    given = json.dumps({"client": name, "core": core, "job": asdict(job)})
    try:
        text = bounded([sys.executable, "-m", "bench.measured"], given, LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        raise PeerFailed(f"no end after {LIMIT_SECONDS} s ({job.wanted:,} fetches)") from None
    served = ready.served() - before - 1
    # The first fetch is one more.
    if served <= job.wanted:
        raise PeerFailed(f"nginx served {served:,} requests of {job.wanted + 1:,}")
    # The lines before it are the worker's metrics.
    return Figure(**json.loads(text.splitlines()[-1]))


def bounded(command: list[str], given: str, seconds: float) -> str:
    """Run a command in a session of its own and return its output; at its time-out, end all of the session.

    Raises:
        PeerFailed: it ended with an error; the message is its last line.
        TimeoutExpired: it did not end in time.

    """
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            text, errors = process.communicate(given, timeout=seconds)
        except BaseException:  # also Ctrl-C, which another session does not receive
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        last = next(iter(reversed(errors.splitlines())), f"status {process.returncode}")
        raise PeerFailed(last.removeprefix(FAILED))
    return text


def measured(client: Client, job: Job) -> Figure:
    """Fetch, after a first fetch that is left out: imports, the start of a program, the first handshake.

    Raises:
        PeerFailed: not everything was fetched.

    """
    first = replace(job, paths=job.paths[:1], addresses=dict([*job.addresses.items()][:1]))
    starts = [_timed(client, first) for _ in range(STARTS if client.single else 1)]
    full = _timed(client, job)
    if not client.single:
        return full
    return without_start(full, starts)


def without_start(full: Figure, starts: list[Figure]) -> Figure:
    """Return the figure less the fastest start of the program, or less half of itself if that is smaller."""
    seconds = full.seconds - min(full.seconds / 2, *(each.seconds for each in starts))
    cpu = full.cpu - min(full.cpu / 2, *(each.cpu for each in starts))
    return replace(full, seconds=seconds, cpu=cpu)


def _timed(client: Client, job: Job) -> Figure:
    before, began = _cpu(client), time.monotonic()
    whole, peak = client.fetch(job)
    seconds, cpu = time.monotonic() - began, _cpu(client) - before
    if whole != job.wanted:
        raise PeerFailed(f"{whole:,} of {job.wanted:,} fetches were whole")
    if peak is None and not client.program:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Figure(whole, round(seconds, 4), round(cpu, 4), peak and round(peak, 1))


def _cpu(client: Client) -> float:
    """Return the CPU seconds so far: of the programs that a client starts, or of this process."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN if client.program else resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Run the job of standard input."""
    given = json.load(sys.stdin)
    if given["core"] is not None:
        os.sched_setaffinity(0, {given["core"]})
    try:
        result = measured(CLIENTS[given["client"]], Job(**given["job"]))
    except Exception as error:  # noqa: BLE001 - any failure of a client is the reason in its row
        reason = str(error) if isinstance(error, PeerFailed) else f"{type(error).__name__}: {error}"
        sys.exit(f"{FAILED}{reason}")
    sys.stdout.write(f"\n{json.dumps(asdict(result))}")


if __name__ == "__main__":
    main()
