"""Areas of POPs before regional edge caches, and workers that warm them: for the unit tests of regional runs."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from tests.support.builders import Clock, refused, response
from tests.support.worker import Worked, work

HIT, MISS, REFRESHED = "Hit from cloudfront", "Miss from cloudfront", "RefreshHit from cloudfront"


FRA, NRT = ("FRA2-C1", "FRA50-C1", "FRA53-C1"), ("NRT12-C1", "NRT20-C1")


def timing(layer: str, pop: str, *, hit: bool) -> str:
    if hit:
        return f'cdn-cache-hit,cdn-pop;desc="{pop}",cdn-hit-layer;desc="{layer}"'
    return f'cdn-upstream-layer;desc="{layer}",cdn-cache-miss,cdn-pop;desc="{pop}"'


class Area:
    """POPs with separate caches before regional edge caches, which count what reaches the origin.

    `areas`: the POPs of each regional edge cache; `own`, `regional`: what POPs and caches (by their area's first POP)
    have from the start; `silent`: without Server-Timing; `direct`: POPs that ask the origin themselves; `dead`: POPs
    that refuse connections; `keeps`: whether anything is cached; `shown_as_miss`: a hit of a regional edge cache is
    shown as a Miss.
    """

    def __init__(
        self,
        *areas: tuple[str, ...],
        own: Iterable[tuple[str, str]] = (),
        regional: Iterable[tuple[str, str]] = (),
        silent: bool = False,
        direct: tuple[str, ...] = (),
        dead: tuple[str, ...] = (),
        keeps: bool = True,
        shown_as_miss: bool = False,
    ) -> None:
        self.area_of = {pop: area[0] for area in areas for pop in area}
        self.own, self.regional = set(own), set(regional)
        self.silent, self.direct, self.dead, self.keeps = silent, direct, set(dead), keeps
        self.shown_as_miss = shown_as_miss
        self.asked: list[tuple[str, str]] = []
        self.origin: Counter[str] = Counter()

    def __call__(self, fetch: Fetch) -> Response:
        # Of the n-th POP of all areas (builders.tile_of).
        pop = list(self.area_of)[int(fetch.queue.addresses[0].rpartition(".")[2])]
        self.asked.append((fetch.url, pop))
        return refused() if pop in self.dead else self.get(fetch.url, pop)

    def get(self, url: str, pop: str) -> Response:
        area = self.area_of[pop]
        if (url, pop) in self.own:
            layer, hit = "EDGE", True
        elif pop in self.direct:
            self.origin[url] += 1
            layer, hit = "EDGE", False
        else:
            layer, hit = "REC", (url, area) in self.regional and not self.shown_as_miss
            if (url, area) not in self.regional:
                self.origin[url] += 1
        if self.keeps:
            self.own.add((url, pop))
            if layer == "REC":
                self.regional.add((url, area))
        header = "" if self.silent else timing(layer, pop, hit=hit)
        return response(pop, HIT if hit else MISS, server_timing=header)


def warmed(edge: Area, *areas: tuple[str, ...], urls: int = 1, verify: str = "all", **scene: Any) -> Worked:
    """Run a worker on a regional tile in front of an edge."""
    return work(Clock(), edge, urls, areas=areas, verify=verify, **scene)


def outcomes(worked: Worked) -> dict[str, int]:
    return worked.result.outcomes


def only_record(worked: Worked) -> dict[str, Any]:
    (line,) = worked.records
    record: dict[str, Any] = json.loads(line)
    return record


def kind_of(worked: Worked) -> str:
    (counts,) = worked.result.failed.values()
    (kind,) = counts
    return kind
