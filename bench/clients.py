"""This worker, and the bare loop of the library that it uses; bench/peers.py has the other clients.

Each fetches paths x POPs once and returns the number of complete responses.
"""

import functools
import os
import time
from collections import deque
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pycurl

from bench.edges import HOST
from prewarm.planning.plan import Batch, Group, Plan, map_item
from prewarm.request.url_parser import parse_url
from prewarm.results.batch_result import BatchResult
from prewarm.settings import Settings
from prewarm.storage.clients import create_clients
from prewarm.storage.ledger import Ledger
from prewarm.storage.ledger_items import Control
from prewarm.storage.run_store import Storage


def ours(paths: list[str], addresses: dict[str, str], port: int, ca: str) -> int:
    """Warm one batch with the warm function's handler: classification, records, ledger item; the stores are stubs."""
    environment = {
        "PREWARM_BUCKET": "bench",
        "PREWARM_TABLE": "bench",
        "PREWARM_CA_BUNDLE": ca,
        "PREWARM_HTTPS_PORT": str(port),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
    }
    os.environ |= environment
    import warm.handler  # noqa: PLC0415 - its settings come from the environment above

    # The handler reads a run's plan once.
    run = f"bench-{len(paths)}-{len(addresses)}"
    urls = [f"https://{HOST}{path}" for path in paths]
    pops = tuple(addresses)
    group = Group("d111abcdef8.cloudfront.net", "E1", 0, len(urls), pops, len(pops))
    variants = ("br, gzip",)
    # The share of one worker in a big run: one batch.
    batch = Batch("1-000000", 0, 0, 0, len(urls), 0, len(pops), len(urls) * len(pops))
    plan = Plan(
        run=run,
        started_at=time.time(),
        deadline=time.time() + 3600,
        url_count=len(urls),
        region_type="region",
        variants=variants,
        percent_needed=95,
        fail_on="any",
        verify="none",
        max_bytes=None,
        invalidate=False,
        groups=(group,),
        targets=batch.targets,
        batches=1,
    )
    store = _Stores(Settings.from_environment(), plan, urls, addresses)
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000, memory_limit_in_mb=1024)
    with mock.patch.object(warm.handler, "storage", return_value=store):
        event = {"run": run, "batch": map_item(batch, group, parse_url(urls[0])), "cursor": None}
        assert warm.handler.handler(event, context)["finished"]
    return sum(store.warm)


# As in the function, whose process creates them once.
_clients = functools.cache(create_clients)


class _Ledger(Ledger):
    """A ledger whose table discards all items."""

    def __init__(self) -> None:
        super().__init__(mock.Mock(), "nothing", 1, mock.Mock())
        self.warm: list[int] = []

    def control(self, run: str) -> Control:
        assert run
        return Control(ended=False)

    def stored_part(self, run: str, batch: str, part: int) -> None:
        assert run
        assert (batch, part) == ("1-000000", 0)

    def put_result(self, run: str, result: BatchResult) -> None:
        super().put_result(run, result)
        self.warm.append(result.outcomes.get("already_warm", 0))


class _Stores(Storage):
    """The storage module with stubs as stores: it serializes as usual, and the stubs discard the result."""

    ledger: _Ledger

    def __init__(self, settings: Settings, plan: Plan, urls: list[str], addresses: dict[str, str]) -> None:
        with mock.patch("prewarm.storage.run_store.create_clients", _clients):
            super().__init__(settings)
        self._given_plan, self._given_urls, self._given_addresses = plan, urls, addresses
        self._s3 = mock.MagicMock()
        self.ledger = _Ledger()

    @property
    def warm(self) -> list[int]:
        """Return the number of targets of each batch that were warm before."""
        return self.ledger.warm

    def need_plan(self, run: str) -> Plan:
        assert run
        return self._given_plan

    def get_addresses(self, plan: Plan) -> list[dict[str, list[str]]]:
        assert plan is self._given_plan
        return [{pop: [address] for pop, address in self._given_addresses.items()}]

    def get_block(self, plan: Plan, number: int) -> dict[str, Any]:
        assert (plan, number) == (self._given_plan, 0)
        return {"urls": self._given_urls, "headers": {}, "user_agent": None}


def bare(paths: list[str], addresses: dict[str, str], port: int, ca: str) -> int:
    """Fetch in a bare pycurl loop: one CurlMulti, HTTP/2; checks the status only and records nothing."""
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, 800)
    multi.setopt(pycurl.M_MAXCONNECTS, 800)
    multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 1)
    streams = min(50, 2_000 // len(addresses))
    left = {address: deque(paths) for address in addresses.values()}
    whole, flying = 0, 0

    def start(curl: Any, address: str) -> None:
        curl.setopt(pycurl.URL, f"https://{HOST}{left[address].popleft()}")
        curl.setopt(pycurl.CONNECT_TO, [f"::{address}:{port}"])
        curl.ip = address
        multi.add_handle(curl)

    for address in left:
        for _ in range(min(streams, len(paths))):
            curl = pycurl.Curl()
            for option, value in (
                (pycurl.CAINFO, ca),
                (pycurl.NOSIGNAL, 1),
                (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
                (pycurl.PIPEWAIT, 1),
                (pycurl.HTTPHEADER, ["Accept-Encoding: br, gzip"]),
                (pycurl.BUFFERSIZE, 131_072),
                (pycurl.WRITEFUNCTION, len),
                (pycurl.HEADERFUNCTION, len),
            ):
                curl.setopt(option, value)
            start(curl, address)
            flying += 1
    while flying:
        multi.perform()
        more = 1
        while more:
            more, well, badly = multi.info_read()
            for curl, *_ in [*((each,) for each in well), *badly]:
                multi.remove_handle(curl)
                whole += curl.getinfo(pycurl.RESPONSE_CODE) == 200
                if left[curl.ip]:
                    start(curl, curl.ip)
                else:
                    flying -= 1
        due = multi.timeout()
        multi.select(1.0 if due < 0 else min(1.0, due / 1000))
    return whole
