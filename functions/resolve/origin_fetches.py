"""Estimate how often a run's origins are fetched from, and where no regional edge cache spares them. Pure.

Source: CloudFront Developer Guide, "How CloudFront delivers content", section "How CloudFront works with regional
edge caches": dynamic requests, and requests for an S3 bucket in the Region of the nearest regional edge cache, go
from the POP to the origin directly; "Use Amazon CloudFront Origin Shield": all others go through that cache where it
is on. Which regional edge cache serves a POP is not published (catalogue.regional_cache_of).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from prewarm.catalogue import Catalogue, regions_of_caches
from prewarm.planning.plan import Group
from prewarm.urls import Url
from resolve.distributions.cache_behaviours import Behaviour, first_matches

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

    def joined(self, other: "Bypass") -> "Bypass":
        """Return the sum of two bypasses of one behaviour, by URLs that are warmed at different POPs."""
        return replace(
            self,
            urls=self.urls + other.urls,
            pops=max(self.pops, other.pops),
            fetches=self.fetches + other.fetches,
        )


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
    groups: Sequence[tuple[Group, Sequence[Behaviour], Sequence[int] | None]],
    urls: Sequence[Url],
    variants: int,
    second_share: float,
    catalogue: Catalogue,
) -> OriginFetches:
    """Return how many fetches of a run reach its origins, if no cache has anything yet.

    Each URL and variant is fetched once for each regional edge cache. Only dynamic requests reach the origin again
    when they are verified.

    Args:
        groups: the plan's groups, each with its cache behaviours, none if its settings are unknown, and the masks of
            its URLs' POPs, None if each URL is warmed at each POP.
        urls: the URLs by index.
        variants: how many there are.
        second_share: the verification fetches per target.
        catalogue: the POP catalogue, for the regional edge caches.

    """
    total, bypasses = 0, []
    for stored, in_order, masks in groups:
        of_group = urls[stored.url_from : stored.url_to]
        areas = [catalogue.regional_cache_of(pop) for pop in stored.pops]
        for number, alike in sorted(_alike(in_order, first_matches(in_order, of_group), areas, masks).items()):
            merged: Bypass | None = None
            for counts, found in alike.items():
                objects, through = found * variants, dict(counts)
                if not in_order:
                    total += objects * len(through)
                    continue
                behaviour = in_order[number]
                fetches, bypass = _of_behaviour(behaviour, Counter(through), objects, second_share)
                total += fetches
                if bypass is not None:
                    one = Bypass(stored.domain, behaviour.pattern, bypass[0], found, *bypass[1:])
                    merged = one if merged is None else merged.joined(one)
            if merged is not None:
                bypasses.append(merged)
    return OriginFetches(total, tuple(bypasses))


# How many POPs of each area a URL is warmed at.
_Spread = tuple[tuple[str, int], ...]
# In place of areas that need not be distinguished.
ANY_AREA = ""


def _alike(
    in_order: Sequence[Behaviour], matches: Sequence[int], areas: Sequence[str], masks: Sequence[int] | None
) -> dict[int, Counter[_Spread]]:
    """Return by behaviour's number how many URLs have each spread; `masks` as in `origin_fetches`."""
    if masks is None:
        everywhere = tuple(sorted(Counter(areas).items()))
        return {number: Counter({everywhere: urls}) for number, urls in Counter(matches).items()}
    bits: dict[str, int] = {}
    for column, area in enumerate(areas):
        bits[area] = bits.get(area, 0) | 1 << column
    by_number: dict[int, Sequence[int]] = {0: masks}
    if len(in_order) > 1:
        listed: dict[int, list[int]] = {number: [] for number in set(matches)}
        for number, mask in zip(matches, masks, strict=True):
            listed[number].append(mask)
        by_number = dict(listed)
    return {
        number: _spreads(in_order[number] if in_order else None, bits, of_behaviour)
        for number, of_behaviour in by_number.items()
    }


def _spreads(behaviour: Behaviour | None, bits: Mapping[str, int], masks: Sequence[int]) -> Counter[_Spread]:
    """Return how many URLs of a behaviour have each spread, or each part of one that `_of_behaviour` treats apart.

    A URL's whole spread takes several times as long, and only matters where some areas are bypassed.
    """
    if behaviour is not None and behaviour.is_dynamic:
        numbers = Counter(map(int.bit_count, masks))
        return Counter({((ANY_AREA, pops),) if pops else (): urls for pops, urls in numbers.items()})
    if behaviour is not None and behaviour.shielded:
        return Counter({((ANY_AREA, 1),): len(masks) - masks.count(0)})
    regions = regions_of_caches()
    if behaviour is None or not any(regions.get(area, "") == behaviour.s3_region != "" for area in bits):
        return Counter({((area, 1),): sum(1 for mask in masks if mask & own) for area, own in bits.items()})
    found: Counter[_Spread] = Counter()
    in_order = sorted(bits.items())
    for mask in masks:
        found[tuple((area, count) for area, own in in_order if (count := (mask & own).bit_count()))] += 1
    return found


def _of_behaviour(
    behaviour: Behaviour, areas: Counter[str], objects: int, second_share: float
) -> tuple[int, tuple[str, int, int, str] | None]:
    """Return the fetches of one behaviour's objects, and of its bypass: reason, POPs, fetches, Region."""
    if behaviour.is_dynamic:
        pops = areas.total()
        fetches = math.ceil(objects * pops * (1 + second_share))
        return fetches, (DYNAMIC, pops, fetches, "")
    if behaviour.shielded:
        return (objects if areas else 0), None
    regions = regions_of_caches()
    near = sum(
        pops for area, pops in areas.items() if behaviour.s3_region and regions.get(area) == behaviour.s3_region
    )
    if not near:
        return objects * len(areas), None
    fetches = objects * near
    return objects * (len(areas) - 1) + fetches, (SAME_REGION, near, fetches, behaviour.s3_region)
