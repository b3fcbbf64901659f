"""The control endpoint: a plain-HTTP server on 127.0.0.1 to inspect the simulation and inject faults."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prewarm_local.edge.access_log import AccessLog
from prewarm_local.edge.config import read_object
from prewarm_local.edge.content import State
from prewarm_local.edge.faults import parse_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prewarm_local.edge import http1
    from prewarm_local.edge.cache import Cache, Entry
    from prewarm_local.edge.world import World


class BadRequest(ValueError):
    """The control request is invalid; the message states the reason."""


def _text(body: dict[str, Any], name: str) -> str:
    """Return a field that must be a string."""
    value = body.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"field {name!r} must be a string")
    return value


def _texts(body: dict[str, Any], name: str) -> list[str]:
    """Return a field that must be a list of strings."""
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise BadRequest(f"field {name!r} must be a list of strings")
    return value


def _sum(every: Iterable[dict[str, int]]) -> dict[str, int]:
    """Return the sums of counters by name."""
    total: Counter[str] = Counter()
    for counts in every:
        total.update(counts)
    return dict(total)


class Control:
    """Handles the control requests of one world."""

    def __init__(self, world: World) -> None:
        """Control the given world."""
        self._world = world
        self._log: AccessLog | None = None

    async def respond(self, request: http1.Incoming, exchange: http1.Exchange) -> bool:
        """Respond to one request: JSON in, JSON out; 400 with `error` if it is invalid."""
        try:
            body = json.loads(request.body or b"{}")
            if not isinstance(body, dict):
                raise BadRequest("the body must be a JSON object")
            status, result = 200, await self._perform(f"{request.method} {request.target}", body)
        except ValueError as error:
            status, result = 400, {"error": str(error)}
        wire = json.dumps(result).encode()
        await exchange.head(status, [("Content-Type", "application/json"), ("Content-Length", str(len(wire)))])
        await exchange.data(wire)
        return await exchange.end()

    async def _perform(self, route: str, body: dict[str, Any]) -> dict[str, Any]:
        world = self._world
        match route:
            case "GET /stats":
                return self.stats()
            case "GET /arrivals":
                return {"times": sorted(time for pop in world.pops.values() for time in pop.arrivals)}
            case "GET /copies":
                return {"pops": self.copies()}
            case "POST /fault":
                self._fault(body)
            case "POST /object":
                world.put_object(_text(body, "path"), read_object(body.get("object")))
            case "POST /dark":
                await world.listeners.set_dark(self._pop(_text(body, "pop")), dark=body.get("dark") is not False)
            case "POST /purge":
                domain = None if body.get("domain") is None else _text(body, "domain")
                return {"removed": world.purge(_texts(body, "paths"), domain)}
            case "POST /log":
                self._begin_log(body)
            case "POST /logs":
                return {"files": [] if self._log is None else [str(path) for path in self._log.deliver()]}
            case _:
                raise BadRequest(f"unknown control request {route}")
        return {"ok": True}

    def _begin_log(self, body: dict[str, Any]) -> None:
        """Begin an access log in a folder, or end logging if that is null."""
        if body.get("folder") is None:
            self._log = None
        else:
            at = None if body.get("at") is None else datetime.fromisoformat(_text(body, "at")).timestamp()
            self._log = AccessLog(Path(_text(body, "folder")), at)
        self._world.begin_log(self._log)

    def _pop(self, name: str) -> str:
        if name not in self._world.pops:
            raise BadRequest(f"unknown POP {name!r}")
        return name

    def _fault(self, body: dict[str, Any]) -> None:
        path = _text(body, "path")
        if body.get("fault") is None:
            self._world.faults.clear(path)
            return
        pops = None if body.get("pops") is None else [self._pop(pop) for pop in _texts(body, "pops")]
        times = body.get("times")
        if times is not None and not isinstance(times, int):
            raise BadRequest("field 'times' must be a number or null")
        self._world.faults.add(path, parse_fault(_text(body, "fault"), pops, times))

    def stats(self) -> dict[str, Any]:
        """Return the requests to the origin by path, and the counters of each cache."""
        world = self._world
        pops = {
            name: _sum([cache.counts() for cache in pop.caches]) | {"errors": pop.errors}
            for name, pop in world.pops.items()
        }
        caches: dict[str, Cache] = {area: regional.cache for area, regional in world.regional.items()}
        return {
            "origin": dict(world.origin.requests),
            "edge": _sum(pops.values()),
            "pops": pops,
            "regional": {area: cache.counts() for area, cache in caches.items()},
            "connections": sum(len(transports) for transports in world.listeners.connections.values()),
        }

    def copies(self) -> dict[str, list[list[str]]]:
        """Return the copies that each POP would serve as a Hit: path with query, and the rest of the cache key.

        Whole and fresh responses with status 200 only. A POP with several servers has a copy only if each of them
        does, as the viewer's connection decides which one answers.
        """
        now = self._world.clock()
        held = {}
        for name, pop in self._world.pops.items():
            servers = [
                {key[1:] for key in cache.entries if (entry := cache.fresh(key, now)) and _is_copy(entry)}
                for cache in pop.caches
            ]
            held[name] = [list(key) for key in sorted(set.intersection(*servers))]
        return held


def _is_copy(entry: Entry) -> bool:
    return not entry.is_error and entry.status == HTTPStatus.OK and entry.body.state is State.COMPLETE
