"""The whole simulated CloudFront, assembled from its parts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prewarm_local.edge.behaviour import Behaviour, OriginSettings
from prewarm_local.edge.certificates import Certificates
from prewarm_local.edge.edge import Hosts, Pop
from prewarm_local.edge.faults import FaultBook, parse_fault
from prewarm_local.edge.freshness import Ttl
from prewarm_local.edge.listeners import Listeners
from prewarm_local.edge.nameserver import Zone, serve_dns
from prewarm_local.edge.origin import Origin
from prewarm_local.edge.policies import Behaviours
from prewarm_local.edge.regional import RegionalCache, Shared
from prewarm_local.edge.server_timing import Layer
from prewarm_local.edge.upstream import OriginClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from prewarm_local.edge.access_log import AccessLog
    from prewarm_local.edge.config import EdgeConfig, StoredObject


def behaviours_of(config: EdgeConfig) -> dict[str, Behaviours]:
    """Return the cache behaviours of each distribution, by its domain."""
    plain = Behaviour(
        ttl=Ttl(
            default=config.default_ttl,
            error=config.error_ttl,
            expires_keeps_4xx=config.expires_keeps_4xx,
            zero_keeps_4xx=config.zero_keeps_4xx,
        ),
        origin=OriginSettings(config.origin_timeout, config.origin_attempts, config.connection_timeout),
    )
    policies, origin_request = config.cache_policies, config.origin_request_policies
    return {
        each.domain: Behaviours(None if each.config is None else dict(each.config), policies, plain, origin_request)
        for each in config.distributions
    }


class World:
    """POPs, regional edge caches, origin, faults and listeners of one configuration."""

    def __init__(self, config: EdgeConfig, clock: Callable[[], float] = time.monotonic) -> None:
        """Create all parts without starting them."""
        self.config = config
        self.clock = clock
        self.faults = FaultBook()
        self.origin = Origin(config)
        client = OriginClient(self.origin, second_fails=config.second_origin_fails)
        shared = Shared(client, self.faults, clock, config.regional_collapsing)
        hosts = Hosts(config.distributions)
        behaviours = behaviours_of(config)
        self.regional = self._regional_caches(shared)
        self.pops = {
            name: Pop(name, config, hosts, behaviours, self.regional[config.area(name)], shared)
            for name in config.pops
        }
        self.certificates = Certificates(hosts)
        self.listeners = Listeners(config, self.pops, self.certificates)
        for target, stored in config.objects.items():
            self._add_fault(target, stored)
        if config.default_object is not None:
            self._add_fault("*", config.default_object)

    async def start(self) -> int:
        """Start origin, POPs and DNS; return the port of the nameserver."""
        await self.origin.start()
        await self.listeners.start()
        zone = Zone(
            self.config.distributions,
            self.listeners.addresses,
            self.config.client_subnets,
            resolver_passes_subnets=self.config.resolver_passes_subnets,
            pop_names=self.config.pop_names,
        )
        return await serve_dns(zone, self.config.dns_port)

    def put_object(self, target: str, stored: StoredObject) -> None:
        """Replace the origin's object at a path, and the fault that belongs to it."""
        before = self.origin.objects.get(target)
        if before is not None and before.fault is not None:
            self.faults.clear(target)
        self.origin.put(target, stored)
        self._add_fault(target, stored)

    def begin_log(self, log: AccessLog | None) -> None:
        """Record the requests of all POPs in a log from now on, or in none."""
        for pop in self.pops.values():
            pop.log = log

    def purge(self, paths: list[str], domain: str | None) -> int:
        """Remove paths from all caches, as an invalidation does.

        Returns the number of entries.
        """
        caches = [cache for pop in self.pops.values() for cache in pop.caches]
        caches += [regional.cache for regional in self.regional.values()]
        return sum(cache.purge(paths, domain) for cache in caches)

    def _regional_caches(self, shared: Shared) -> dict[str, RegionalCache]:
        """Return the regional edge cache of each area; that of Origin Shield is upstream of the others."""
        config, shield = self.config, None
        areas = dict.fromkeys(map(config.area, config.pops))
        if config.origin_shield is not None:
            areas[config.origin_shield] = None
            shield = RegionalCache(shared, Layer.SHIELD)
        caches = {area: RegionalCache(shared, upstream=shield) for area in areas}
        if shield is not None and config.origin_shield is not None:
            caches[config.origin_shield] = shield
        return caches

    def _add_fault(self, target: str, stored: StoredObject) -> None:
        if stored.fault is not None:
            self.faults.add(target, parse_fault(stored.fault))
