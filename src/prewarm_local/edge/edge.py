"""How a POP handles a viewer's request: its cache, then its regional edge cache, then the origin."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from prewarm_local.edge.access_log import AccessLog, Record, recorded
from prewarm_local.edge.cache import Cache
from prewarm_local.edge.edge_answers import edge_answer
from prewarm_local.edge.place import Place
from prewarm_local.edge.response import Response, by_edge
from prewarm_local.edge.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from prewarm_local.edge.config import Distribution, EdgeConfig
    from prewarm_local.edge.policies import Behaviours
    from prewarm_local.edge.regional import RegionalCache, Shared
    from prewarm_local.edge.request import Request


# How many of a POP's last arrivals are kept.
ARRIVALS = 50_000


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


class Pop(Place):
    """An edge location that responds to viewers' requests; `caches`: one, or one for each of its addresses.

    `log`: takes a record of each request, if there is one; `arrivals`: when its last GETs came, in monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        config: EdgeConfig,
        hosts: Hosts,
        behaviours: Mapping[str, Behaviours],
        regional: RegionalCache,
        shared: Shared,
    ) -> None:
        """Create the POP `name`, with empty caches; `behaviours` by the distribution's domain."""
        super().__init__(name, config, behaviours, regional, shared)
        self.caches = [Cache() for _ in range(config.address_count(name) if config.separate_servers else 1)]
        self.log: AccessLog | None = None
        self.arrivals: deque[float] = deque(maxlen=ARRIVALS)
        self._hosts = hosts
        self._latency = config.edge_latency_ms / 1000

    def respond(self, request: Request) -> Response | Coroutine[None, None, Response]:
        """Return the response (a hit in this POP's cache), or a coroutine for it."""
        if request.method == "GET":
            self.arrivals.append(time.monotonic())
        distribution = self._hosts.find(request.host)
        if self.log is None or distribution is None:
            return self._respond(request, distribution)
        record = Record(self.log, distribution.domain, self.name, request)
        return recorded(record, self._respond(request, distribution))

    def _respond(
        self, request: Request, distribution: Distribution | None
    ) -> Response | Coroutine[None, None, Response]:
        cache = self.caches[request.server % len(self.caches)]
        cache.requests += 1
        if distribution is None or request.method not in ("GET", "HEAD"):
            self.errors += 1
            reason = "No distribution has this host." if distribution is None else "This method is not allowed."
            return by_edge(403, reason, self.signature, head=request.head)
        fault = self.shared.faults.at_viewer(request.target, self.name)
        if fault is not None:
            response = edge_answer(fault, request, self.signature, self.config.waf_x_cache)
            if response is not None:
                self.errors += 1
                return response
        visit = Visit(self, cache, request, distribution, fault)
        return visit.later(self._latency) if self._latency else visit.respond()
