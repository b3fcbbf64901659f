"""How a POP handles a viewer's request: its cache, then its regional edge cache, then the origin."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from prewarm_local.edge.cache import Cache, Entry, Key, Source, normalise_encoding
from prewarm_local.edge.regional import Fetched, RegionalCache, Shared, ask_origin, collapsed
from prewarm_local.edge.response import Response, Signature, by_edge, from_entry

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from prewarm_local.edge.config import Distribution, EdgeConfig
    from prewarm_local.edge.faults import Fault

GOAWAY_AFTER = 10
"""Requests on one connection before the `goaway` fault, unless its argument sets another number."""


class Hosts:
    """Find the distribution of a host: by domain, alias, or wildcard for one label."""

    def __init__(self, distributions: tuple[Distribution, ...]) -> None:
        """Index the names of the distributions."""
        self.exact = {name: d for d in distributions for name in (d.domain, *d.aliases)}

    def find(self, host: str) -> Distribution | None:
        """Return the distribution of a host name, ignoring a port, or None."""
        distribution = self.exact.get(host)
        if distribution is None:
            name = host.lower().partition(":")[0].removesuffix(".")
            distribution = self.exact.get(name) or self.exact.get("*." + name.partition(".")[2])
        return distribution


class Pop:
    """An edge location that responds to viewers' requests."""

    def __init__(self, name: str, config: EdgeConfig, hosts: Hosts, regional: RegionalCache, shared: Shared) -> None:
        """Create the POP `name`, with an empty cache."""
        self.name = name
        self.cache = Cache()
        self.errors = 0
        self._signature = Signature(config.impostors.get(name, name))
        self._other_pop = next((pop for pop in config.pops if pop != name), "ZZZ99-Z9")
        self._hosts = hosts
        self._regional = regional
        self._shared = shared
        self._latency = config.edge_latency_ms / 1000
        self._regional_result = "Hit" if config.regional_hits_visible else "Miss"

    def respond(self, method: str, host: str, target: str, accept: str) -> Response | Coroutine[None, None, Response]:
        """Return the response (a hit in this POP's cache), or a coroutine for it.

        `host`, `target` and `accept` are the Host, the path with query string and the Accept-Encoding as received.
        """
        self.cache.requests += 1
        head = method == "HEAD"
        distribution = self._hosts.find(host)
        if distribution is None or method not in ("GET", "HEAD"):
            self.errors += 1
            reason = "No distribution has this host." if distribution is None else "This method is not allowed."
            return by_edge(403, reason, self._signature, head=head)
        fault = self._shared.faults.at_viewer(target, self.name)
        if fault is not None and (response := self._edge_fault(fault, host, target, head=head)):
            return response
        key = (distribution.domain, target, normalise_encoding(accept))
        if self._latency:
            return self._later(key, distribution, fault, head=head)
        now = self._shared.clock()
        entry = self.cache.fresh(key, now)
        if entry is None:
            return self._miss(key, distribution, fault, head=head)
        self.cache.hits += 1
        return self._render(entry, "Hit", "EDGE", distribution, fault, now, head=head)

    async def _later(self, key: Key, distribution: Distribution, fault: Fault | None, *, head: bool) -> Response:
        await asyncio.sleep(self._latency)
        now = self._shared.clock()
        entry = self.cache.fresh(key, now)
        if entry is None:
            return await self._miss(key, distribution, fault, head=head)
        self.cache.hits += 1
        return self._render(entry, "Hit", "EDGE", distribution, fault, now, head=head)

    async def _miss(self, key: Key, distribution: Distribution, fault: Fault | None, *, head: bool) -> Response:
        stale = self.cache.stored(key)
        if head:
            entry, source = await self._upstream(key, "HEAD")
        else:
            entry, source = await collapsed(self.cache, key, lambda: self._upstream(key, "GET"))
        same = stale is not None and stale.status == HTTPStatus.OK and stale.etag == entry.etag
        if (same and source is Source.HIT) or source is Source.REFRESH:
            self.cache.refreshes += 1
            result = "RefreshHit"
        else:
            self.cache.misses += 1
            result = self._regional_result if source is Source.HIT else "Miss"
        return self._render(entry, result, "REC", distribution, fault, self._shared.clock(), head=head)

    async def _upstream(self, key: Key, method: str) -> Fetched:
        fault = self._shared.faults.at_origin(key[1], self.name, local=True)
        if fault is not None:
            # A fault of this POP alone must not affect its area, so the fetch bypasses the regional edge cache.
            return await ask_origin(self._shared, key, None, fault, method)
        return await self._regional.get(key, self.name, method)

    def _render(
        self,
        entry: Entry,
        result: str,
        layer: str,
        distribution: Distribution,
        fault: Fault | None,
        now: float,
        *,
        head: bool,
    ) -> Response:
        if entry.status >= HTTPStatus.BAD_REQUEST:
            self.errors += 1
            result = "Error"
        response = from_entry(entry, result, self._signature, now, head=head)
        if distribution.server_timing:
            response.headers.append((b"server-timing", self._server_timing(result, layer)))
        if fault is not None:
            self._alter(response, fault)
        return response

    def _server_timing(self, result: str, layer: str) -> bytes:
        pop = b'cdn-pop;desc="%s"' % self._signature.pop
        if result == "Hit":
            return b'cdn-cache-hit,%s,cdn-hit-layer;desc="%s"' % (pop, layer.encode())
        kind = b"cdn-cache-refresh" if result == "RefreshHit" else b"cdn-cache-miss"
        return b'cdn-upstream-layer;desc="%s",%s,%s' % (layer.encode(), kind, pop)

    def _edge_fault(self, fault: Fault, host: str, target: str, *, head: bool) -> Response | None:
        """Return the response of a fault that bypasses the cache, or None."""
        match fault.name:
            case "waf_block":
                response = by_edge(403, "Request blocked.", self._signature, head=head)
            case "limit":
                status = int(fault.argument or 503)
                response = by_edge(status, "Limit exceeded.", self._signature, "LimitExceeded", head=head)
            case "redirect":
                location = (b"location", f"https://{host}{target}".encode("latin-1"))
                response = by_edge(301, "Moved.", self._signature, "Redirect", [location], head=head)
            case "reset":
                response = by_edge(500, "", self._signature)
                response.reset = True
            case _:
                return None
        self.errors += 1
        return response

    def _alter(self, response: Response, fault: Fault) -> None:
        """Apply a fault that changes a response from the cache."""
        match fault.name:
            case "lie_pop":
                response.headers.append((b"x-amz-cf-pop", (fault.argument or self._other_pop).encode()))
                response.headers.remove((b"x-amz-cf-pop", self._signature.pop))
            case "wrong_encoding":
                other = b"br" if (b"content-encoding", b"gzip") in response.headers else b"gzip"
                response.headers = [item for item in response.headers if item[0] != b"content-encoding"]
                response.headers.append((b"content-encoding", other))
            case "goaway":
                response.last_after = int(fault.argument or GOAWAY_AFTER)
