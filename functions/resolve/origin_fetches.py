"""Estimate how often a run's origins are fetched from, and where no regional edge cache spares them. Pure.

Source: CloudFront Developer Guide, "How CloudFront delivers content", section "How CloudFront works with regional
edge caches": dynamic requests, and requests for an S3 bucket in the Region of the nearest regional edge cache, go
from the POP to the origin directly; "Use Amazon CloudFront Origin Shield": all others go through that cache where it
is on. Which regional edge cache serves a POP is not published (catalogue.regional_cache_of).
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from prewarm.catalogue import Catalogue, regions_of_caches
from prewarm.planning.plan import Group
from prewarm.urls import Url
from resolve.distributions.cache_behaviours import Behaviour, by_behaviour

DYNAMIC, SAME_REGION = "dynamic", "s3_same_region"


@dataclass(frozen=True, slots=True)
class Bypass:
    """Fetches of one cache behaviour that no regional edge cache answers.

    `reason`: DYNAMIC or SAME_REGION; `region`: the bucket's, else empty; `fetches`: how many reach the origin so.
    """

    domain: str
    behaviour: str
    reason: str
    urls: int
    pops: int
    fetches: int
    region: str = ""

    def warning(self) -> str:
        """Return the warning about it, with the number."""
        subject = f"{self.domain}, behaviour {self.behaviour}: {self.fetches:,} fetches go to the origin directly"
        through = f"{self.urls:,} URLs through {self.pops:,} POPs"
        if self.reason == DYNAMIC:
            return f"{subject} ({through}): dynamic requests bypass the regional edge caches"
        why = f"its S3 bucket is in {self.region}, as is the regional edge cache of these POPs, which they bypass"
        return f"{subject} ({through}): {why}, also in a staged run"


@dataclass(frozen=True, slots=True)
class OriginFetches:
    """The estimate: all fetches that reach an origin of a cold distribution, and those that bypass a cache."""

    fetches: int = 0
    bypasses: tuple[Bypass, ...] = ()

    @property
    def direct(self) -> int:
        """Return how many fetches bypass the regional edge caches."""
        return sum(each.fetches for each in self.bypasses)

    def as_json(self) -> dict[str, Any]:
        """Return the estimate for a dry run."""
        return {
            "fetches": self.fetches,
            "direct": self.direct,
            "bypasses": [asdict(each) for each in self.bypasses],
        }


def origin_fetches(
    groups: Sequence[tuple[Group, Sequence[Behaviour]]],
    urls: Sequence[Url],
    variants: int,
    second_share: float,
    catalogue: Catalogue,
) -> OriginFetches:
    """Return how many fetches of a run reach its origins, if no cache has anything yet.

    Each URL and variant is fetched once for each regional edge cache. Only dynamic requests reach the origin again
    when they are verified.

    Args:
        groups: the plan's groups, each with its cache behaviours; none if its settings are unknown.
        urls: the URLs by index.
        variants: how many there are.
        second_share: the verification fetches per target.
        catalogue: the POP catalogue, for the regional edge caches.

    """
    total, bypasses = 0, []
    for stored, in_order in groups:
        areas = Counter(catalogue.regional_cache_of(pop) for pop in stored.pops)
        of_group = urls[stored.url_from : stored.url_to]
        if not in_order:
            total += len(of_group) * variants * len(areas)
            continue
        for number, matching in sorted(by_behaviour(in_order, of_group).items()):
            behaviour, objects = in_order[number], len(matching) * variants
            fetches, bypass = _of_behaviour(behaviour, areas, objects, second_share)
            total += fetches
            if bypass is not None:
                bypasses.append(Bypass(stored.domain, behaviour.pattern, bypass[0], len(matching), *bypass[1:]))
    return OriginFetches(total, tuple(bypasses))


def _of_behaviour(
    behaviour: Behaviour, areas: Counter[str], objects: int, second_share: float
) -> tuple[int, tuple[str, int, int, str] | None]:
    """Return the fetches of one behaviour's objects, and of its bypass: reason, POPs, fetches, Region."""
    if behaviour.is_dynamic:
        pops = areas.total()
        fetches = math.ceil(objects * pops * (1 + second_share))
        return fetches, (DYNAMIC, pops, fetches, "")
    if behaviour.shielded:
        return objects, None
    regions = regions_of_caches()
    near = sum(
        pops for area, pops in areas.items() if behaviour.s3_region and regions.get(area) == behaviour.s3_region
    )
    if not near:
        return objects * len(areas), None
    fetches = objects * near
    return objects * (len(areas) - 1) + fetches, (SAME_REGION, near, fetches, behaviour.s3_region)
