"""Start and control the simulated CloudFront in a separate process, with a context manager."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
STOP_TIMEOUT = 10.0
CONTROL_TIMEOUT = 30.0


class EdgeFailed(RuntimeError):
    """The simulation did not start, or rejected a control request.

    The message states the reason.
    """


class SimulatedCloudFront:
    """A simulation in a process.

    `config` has the JSON form of `prewarm_local.edge.config.EdgeConfig`.
    Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Store the configuration without starting a process."""
        self.config = dict(config)
        self.ready: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def start(self) -> Self:
        """Start the process and wait until it listens. May raise EdgeFailed."""
        self._directory = tempfile.TemporaryDirectory(prefix="simulated-cloudfront-")
        directory = Path(self._directory.name)
        path = directory / "config.json"
        path.write_text(json.dumps({"ca_bundle": str(directory / "ca.pem"), **self.config}))
        command = [sys.executable, "-m", "prewarm_local.edge", str(path)]
        with (directory / "errors.txt").open("w") as errors:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            reason = (directory / "errors.txt").read_text().strip()
            self.stop()
            raise EdgeFailed(reason or "the simulated CloudFront ended before it was ready")
        self.ready = json.loads(line)
        return self

    def stop(self) -> int:
        """End the process by closing its input; return its exit status."""
        status = 0
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.close()
            try:
                status = self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                status = self._process.wait()
            self._process.stdout.close()
            self._process = None
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None
        return status

    def __enter__(self) -> Self:
        """Start the process."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the process."""
        self.stop()

    @property
    def pid(self) -> int:
        """Return the process id."""
        if self._process is None:
            raise EdgeFailed("the simulated CloudFront is not running")
        return self._process.pid

    @property
    def addresses(self) -> dict[str, list[str]]:
        """Return the addresses of each POP."""
        return dict(self.ready["addresses"])

    @property
    def errors(self) -> str:
        """Return the process's standard error output."""
        return "" if self._directory is None else (Path(self._directory.name) / "errors.txt").read_text()

    def settings(self) -> dict[str, str]:
        """Return the settings that make the service use this CloudFront."""
        return {
            "PREWARM_NAMESERVERS": self.ready["nameserver"],
            "PREWARM_EDGE_NAMESERVER_PORT": self.ready["nameserver"].rpartition(":")[2],
            "PREWARM_CA_BUNDLE": self.ready["ca_bundle"],
            "PREWARM_HTTPS_PORT": str(self.ready["https_port"]),
            "PREWARM_HTTP_PORT": str(self.ready["http_port"]),
            "PREWARM_EDGE_NETWORKS": self.ready["edge_networks"],
        }

    def stats(self) -> dict[str, Any]:
        """Return the counters: `origin`, `edge`, `pops`, `regional`, `connections`."""
        return self._control("GET", "/stats")

    def arrivals(self) -> list[float]:
        """Return when the last GETs came, by this machine's monotonic clock, in order; 50,000 of each POP."""
        times: list[float] = self._control("GET", "/arrivals")["times"]
        return times

    def copies(self) -> dict[str, set[tuple[str, str]]]:
        """Return the copies that each POP would serve as a Hit: path with query, and normalised Accept-Encoding."""
        held = self._control("GET", "/copies")["pops"]
        return {pop: {(path, encoding) for path, encoding in keys} for pop, keys in held.items()}

    def fault(
        self, path: str, fault: str | None, *, pops: Sequence[str] | None = None, times: int | None = None
    ) -> None:
        """Set a fault for a path (`*`: every path), at some POPs or all.

        It applies to `times` requests, or until it is cleared.
        None clears all faults of the path.
        """
        names = None if pops is None else list(pops)
        self._control("POST", "/fault", {"path": path, "fault": fault, "pops": names, "times": times})

    def put_object(self, path: str, stored: Mapping[str, Any]) -> None:
        """Replace the origin's object at a path; its ETag changes too."""
        self._control("POST", "/object", {"path": path, "object": dict(stored)})

    def dark(self, pop: str, *, dark: bool = True) -> None:
        """Make a POP refuse TCP connections, or listen again."""
        self._control("POST", "/dark", {"pop": pop, "dark": dark})

    def purge(self, paths: Sequence[str], *, domain: str | None = None) -> int:
        """Remove paths from all caches, as an invalidation does.

        Returns the number of entries.
        """
        return int(self._control("POST", "/purge", {"paths": list(paths), "domain": domain})["removed"])

    def log_to(self, folder: Path | None, at: datetime | None = None) -> None:
        """Begin an access log in a folder, at a time of the simulation's day (default: now); None ends logging."""
        moment = None if at is None else at.isoformat()
        self._control("POST", "/log", {"folder": None if folder is None else str(folder), "at": moment})

    def deliver_logs(self) -> list[Path]:
        """Write the access log's records so far, and return the new files."""
        return [Path(path) for path in self._control("POST", "/logs")["files"]]

    def _control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body)
        host, _, port = self.ready["control"].removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=CONTROL_TIMEOUT)
        try:
            connection.request(method, path, data)
            response = connection.getresponse()
            result = dict(json.load(response))
        finally:
            connection.close()
        if response.status != HTTPStatus.OK:
            raise EdgeFailed(result["error"])
        return result
