"""The whole service for one process of the fault matrix: edge, nameserver, AWS and functions, each behind a fault."""

import contextlib
import itertools
import os
import random
import shutil
import signal
import struct
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self
from unittest import mock

import requests
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

from prewarm.catalogue import catalogue
from prewarm_local.stack import lambda_process
from prewarm_local.stack.lambda_process import LambdaProcess
from prewarm_local.stack.stack import EmbeddedStack
from tests.support.strict_edge import strict_cloudfront
from tests.trust.aws_calls import Call
from tests.trust.aws_proxy import AwsProxy
from tests.trust.deliveries import Deliveries
from tests.trust.dns_proxy import DnsProxy

DOMAIN, HOST = "d111abcdef8.cloudfront.net", "www.example.com"
POPS = ("SIN2-P1", "SIN2-P2", "ICN51-C1", "ICN54-C1", "SYD1-C1", "SYD62-P1")
# POPs whose two addresses have separate caches. Server-Timing of another distribution makes that visible: without
# it, a hit of the regional cache looks like a copy at the second address.
SEPARATE_POPS = ("NRT12-C1", "NRT12-C2", "NRT12-P2")
TIMED_DOMAIN, TIMED_HOST = "d222abcdef8.cloudfront.net", "timed.example.com"
COUNTRIES = ("singapore", "south_korea", "australia")
SHIM = Path(__file__).parent / "clock"
# Step Functions waits up to a minute before a retry; here a fifth of it, so that a run takes seconds.
RETRY_PACE = 0.2
# A batch has few targets, so that small runs have several.
TARGETS_PER_BATCH = 36
SETTINGS = {
    "PREWARM_CONNECT_TIMEOUT_MS": "5000",
    "PREWARM_STALL_SECONDS": "6",
    "PREWARM_ERROR_CACHE_SECONDS": "1",
    "PREWARM_TRUST_BATCH": str(TARGETS_PER_BATCH),
    "POWERTOOLS_LOG_LEVEL": "WARNING",
}
# The time-out of the warm function in template.yaml.
WARM_SECONDS = 900


@dataclass
class World:
    """Everything that runs. Use it as a context manager; one per process."""

    logs: Path | None = None
    serial: Any = field(default_factory=itertools.count)
    _cleanup: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as cleanup:
            self._start(cleanup)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def _start(self, cleanup: contextlib.ExitStack) -> None:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="prewarm-trust-")))
        self._clock = folder / "clock"
        self._clock.write_bytes(bytes(16))
        self.logs = self.logs or folder / "logs"
        self.edge = cleanup.enter_context(
            strict_cloudfront(edge_config(), lenient={"connection_timeout": 1}, because="silence is to be short")
        )
        host, _, port = self.edge.settings()["PREWARM_NAMESERVERS"].partition(":")
        self.dns = DnsProxy((host, int(port)))
        cleanup.callback(self.dns.stop)
        self.aws = AwsProxy()
        cleanup.callback(self.aws.stop)
        code = Path(__file__).resolve().parents[2] / "functions"
        environment = {
            **self.edge.settings(),
            **SETTINGS,
            "PREWARM_NAMESERVERS": self.dns.address,
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "PYTHONPATH": f"{SHIM}{os.pathsep}{code}",
            "PREWARM_TRUST_CLOCK": str(self._clock),
        }
        self.stack = cleanup.enter_context(
            EmbeddedStack(
                distributions=[f"{DOMAIN}={HOST}", f"{TIMED_DOMAIN}={TIMED_HOST}"],
                environment=environment,
                log_dir=self.logs,
                cap=4,
                on_invalidation=self._invalidate,
            )
        )
        self.aws.upstream = int(self.stack.endpoint.rpartition(":")[2])
        names = {function.name: function.logical_id for function in self.stack.template.functions}
        self.deliveries = Deliveries(self.stack.workers, names)
        self._pools = {names[name]: pool for name, pool in self.stack.workers._pools.items()}
        cleanup.enter_context(_quick_retries())
        cleanup.enter_context(self._lambdas_clock())
        self.s3, self.dynamodb = self.stack.client("s3"), self.stack.client("dynamodb")
        self.states = self.stack.client("stepfunctions")
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["x-api-key"] = self.stack.api_key
        cleanup.callback(self.http.close)

    def _invalidate(self, domain: str, paths: list[str]) -> None:
        self.edge.purge(paths, domain=domain)

    # ---- between cases ----

    def heal(self) -> None:
        """End all faults."""
        self.aws.clear()
        self.dns.clear()
        self.deliveries.clear()
        self.step_clock(0)
        self.edge.fault("*", None)
        for pop in POPS:
            self.edge.dark(pop, dark=False)
        self.limit_workers(WARM_SECONDS)

    def seed(self, chance: random.Random) -> None:
        self.aws.chance = self.dns.chance = chance

    def paths(self, count: int) -> list[str]:
        """Return paths that no case has used."""
        number = next(self.serial)
        return [f"/case-{number}/{page}.html" for page in range(count)]

    # ---- faults ----

    def step_clock(self, seconds: float, odd: float = 0.0) -> None:
        """Set how far the functions' clock is ahead, and that of processes with odd ids further."""
        self._offset = seconds
        with self._clock.open("r+b") as file:
            file.write(struct.pack("dd", seconds, odd))

    def limit_workers(self, seconds: float) -> None:
        """Announce so many seconds to each worker, so that a batch needs several; slow ones are not killed."""
        self._announced_less = WARM_SECONDS - seconds

    def kill_caller(self, call: Call) -> None:
        """Kill the worker process that sent a call to AWS."""
        process = self._process_at(call.client)
        if process is not None:
            os.kill(process.pid, signal.SIGKILL)

    def caller(self, call: Call) -> str:
        """Return the function that sent a call to AWS."""
        process = self._process_at(call.client)
        return "" if process is None else process.function.logical_id

    def _process_at(self, port: int) -> LambdaProcess | None:
        inode = _socket_of(port)
        if inode is None:
            return None
        every = [process for pool in self._pools.values() for process in pool.processes()]
        return next((process for process in every if inode in _sockets(process.pid)), None)

    @contextlib.contextmanager
    def _lambdas_clock(self) -> Iterator[None]:
        """Step the clock by which Lambda announces a deadline, too: it is the same host's."""
        self._offset = self._announced_less = 0.0
        clock = SimpleNamespace(
            monotonic=time.monotonic, time=lambda: time.time() + self._offset - self._announced_less
        )
        with mock.patch.object(lambda_process, "time", clock):
            yield


@contextlib.contextmanager
def _quick_retries() -> Iterator[None]:
    clock = SimpleNamespace(sleep=lambda seconds: time.sleep(RETRY_PACE * seconds))
    with mock.patch.object(retrier_decl, "time", clock):
        yield


def edge_config() -> dict[str, Any]:
    pops = [*POPS, *SEPARATE_POPS]
    return {
        "distributions": [
            {"domain": DOMAIN, "aliases": [HOST]},
            {"domain": TIMED_DOMAIN, "aliases": [TIMED_HOST], "server_timing": True},
        ],
        "pops": pops,
        "areas": {pop: catalogue().regional_cache_of(pop) for pop in pops},
        "more_addresses": dict.fromkeys(SEPARATE_POPS, 2),
        "default_object": {"size": 1_500},
        "error_ttl": 1,
        "origin_timeout": 1,
    }


def _socket_of(port: int) -> str | None:
    """Return the inode of the socket on 127.0.0.1:`port` (proc(5), /proc/net/tcp)."""
    local = f"0100007F:{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == local and fields[9] != "0":
            return fields[9]
    return None


def _sockets(pid: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                link = os.readlink(descriptor)  # noqa: PTH115
                if link.startswith("socket:["):
                    found.add(link[8:-1])
    return found


def keep_logs(world: World, folder: Path) -> None:
    """Copy the functions' logs, for a case that failed."""
    assert world.logs is not None
    shutil.copytree(world.logs, folder, dirs_exist_ok=True)
