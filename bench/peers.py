"""The clients under comparison: this worker, and what people script instead, each in its best form.

A peer verifies against a file with one root, while this worker and the bare loop load the bundle that systems have.
Where the best number of connections or transfers is a matter of trying, `forms` has the candidates.
"""

import importlib
import importlib.metadata
import itertools
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pycurl

from bench.comparison import BARE, CURL_Z, OURS
from bench.edges import HOST, nginx
from bench.job import FETCH_SECONDS, Job, PeerFailed
from bench.processes import megabytes

CURL_PROCESSES = 6


@dataclass(frozen=True)
class Client:
    """A way of warming. `fetch` returns the number of whole fetches, and the peak MB if that is not of its process.

    `form`: how the page describes a form, by its number. `program`: the command that must exist. `single`: it is run
    once, and its start is left out. `part`: slow clients fetch one path of so many. `system_roots`: it loads the
    bundle that systems have. `far`: no target is about it, so that it runs in fewer rounds.
    """

    fetch: Callable[[Job], tuple[int, float | None]]
    forms: tuple[int, ...] = (0,)
    form: str = ""
    program: str = ""
    single: bool = False
    part: int = 1
    system_roots: bool = False
    far: bool = False


def curl_parallel(job: Job) -> tuple[int, float | None]:
    """Fetch with one `curl -Z` over HTTP/2, with a part of its configuration for each POP.

    The bodies go to standard output, which is /dev/null: opening it for each transfer costs CPU.
    """
    parts = [
        "\n".join(
            [f'connect-to = "::{address}:{job.port}"', f'cacert = "{job.ca}"', "http2", "fail"]
            + [f'url = "https://{HOST}:{job.port}{path}"' for path in job.paths]
        )
        for address in job.addresses.values()
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".curl") as config:
        config.write("\nnext\n".join(parts))
        config.flush()
        command = [
            "curl",
            "-q",
            "-sS",
            "--no-progress-meter",
            "-Z",
            "--parallel-max",
            str(job.form),
            "-K",
            config.name,
        ]
        _, peak = _run(command, discard=True)
    return job.wanted, peak


def h2load(job: Job) -> tuple[int, float | None]:
    """Fetch as many URLs through as many connections with h2load: no verification, and one POP's address for all."""
    address = next(iter(job.addresses.values()))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as urls:
        urls.writelines(f"https://{HOST}:{job.port}{path}\n" for path in job.paths)
        urls.flush()
        connections = str(len(job.addresses))
        command = [
            "h2load",
            "-n",
            str(job.wanted),
            "-c",
            connections,
            "-t",
            "1",
            "-m",
            str(job.form),
            "-i",
            urls.name,
        ]
        text, peak = _run([*command, f"--connect-to={address}:{job.port}"])
    counted = re.search(r"status codes: (\d+) 2xx", text)
    return int(counted[1]) if counted else 0, peak


def curl_processes(job: Job) -> tuple[int, float | None]:
    """Fetch with one `curl --resolve` process per URL and POP, six at a time."""
    lines = "".join(
        f"--resolve {HOST}:{job.port}:{address} https://{HOST}:{job.port}{path}\n"
        for path, address in itertools.product(job.paths, job.addresses.values())
    )
    command = ["xargs", "-P", str(CURL_PROCESSES), "-L", "1", "curl", "-q", "-sS", "--fail", "--cacert", job.ca]
    _run([*command, "--max-time", str(FETCH_SECONDS)], given=lines, discard=True)
    return job.wanted, None


def _run(command: list[str], given: str | None = None, *, discard: bool = False) -> tuple[str, float]:
    """Run a program to its end; return its output, and its peak memory in MB, sampled.

    Raises:
        PeerFailed: it ended with an error.

    """
    pipe = subprocess.PIPE
    out = subprocess.DEVNULL if discard else pipe
    peak, ended = 0.0, threading.Event()
    with subprocess.Popen(
        command, stdin=None if given is None else pipe, stdout=out, stderr=pipe, text=True
    ) as process:

        def sample() -> None:
            nonlocal peak
            while not ended.wait(0.05):
                peak = max(peak, megabytes(process.pid, "VmHWM"))

        sampler = threading.Thread(target=sample)
        sampler.start()
        text, errors = process.communicate(given)
        ended.set()
        sampler.join()
    if process.returncode:
        first = next(iter(errors.splitlines()), "no message")
        raise PeerFailed(f"{command[0]} ended with status {process.returncode}: {first}")
    return text or "", peak


def _of(module: str, name: str) -> Callable[[Job], tuple[int, float | None]]:
    """Return a client that is imported when it runs, so that its memory has nothing of the other clients."""

    def fetch(job: Job) -> tuple[int, float | None]:
        done: tuple[int, float | None] = getattr(importlib.import_module(module), name)(job)
        return done

    return fetch


def _pycurl(name: str) -> Callable[[Job], tuple[int, float | None]]:
    def fetch(job: Job) -> tuple[int, float | None]:
        client = getattr(importlib.import_module("bench.clients"), name)
        return client(job.paths, job.addresses, job.port, job.ca), None

    return fetch


CLIENTS = {
    OURS: Client(_pycurl("ours"), system_roots=True),
    BARE: Client(_pycurl("bare"), system_roots=True),
    CURL_Z: Client(curl_parallel, (100, 200, 300), "HTTP/2, `--parallel-max {}`", program="curl", single=True),
    "aiohttp with uvloop": Client(
        _of("bench.python_peers", "aiohttp_uvloop"), (4, 12), "HTTP/1.1, {} a POP", far=True
    ),
    "`requests`": Client(
        _of("bench.python_peers", "requests_sessions"), (1, 4), "sessions, {} a POP", part=4, far=True
    ),
    "curl processes": Client(curl_processes, form=f"{CURL_PROCESSES} at a time", program="curl", part=50, far=True),
    "h2load": Client(
        h2load, (10, 50), "no verification, {} streams a connection", program="h2load", single=True, far=True
    ),
}


def missing(client: Client) -> str:
    """Return why a client cannot run here, or an empty text."""
    packages = {"h2load": "nghttp2-client"}
    if client.program and shutil.which(client.program) is None:
        return f"{client.program} is not installed (Debian: {packages.get(client.program, client.program)})"
    return ""


def versions() -> dict[str, str]:
    """Return the versions of all that takes part."""
    found = {name: importlib.metadata.version(name) for name in ("aiohttp", "uvloop", "requests")}
    found["pycurl"] = f"{importlib.metadata.version('pycurl')} with {pycurl.version.split()[1]}"
    for name, path, option in (("curl", "curl", "-V"), ("h2load", "h2load", "--version"), ("nginx", nginx(), "-v")):
        if path and shutil.which(path):
            done = subprocess.run([path, option], capture_output=True, text=True, check=False)
            number = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
            found[name] = f"{number[0] if number else '?'}{_package_of(Path(path).name)}"
    return found


def _package_of(program: str) -> str:
    """Return the version of Debian's package of a program, in brackets, where there is one."""
    package = {"h2load": "nghttp2-client", "nginx": "nginx-light"}.get(program, program)
    if shutil.which("dpkg-query") is None:
        return ""
    command = ["dpkg-query", "-W", "-f", "${Version}", package]
    version = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return f" (Debian's {version})" if version else ""
