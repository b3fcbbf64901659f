"""A worker at work: on a clock of its own, against an edge that a test plays."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.results.batch_result import BatchResult
from prewarm.storage.ledger_items import Control
from tests.support.builders import Clock, FakeFetcher, response, tile_of
from warm.limits import Limits
from warm.recorder import Recorder
from warm.tile import Tile
from warm.worker import (
    Worker,
)

if TYPE_CHECKING:
    from prewarm.fetcher.fetcher import Fetcher


HIT, MISS = "Hit from cloudfront", "Miss from cloudfront"
ERROR_CACHE_SECONDS = 10.0


@dataclass
class Worked:
    """What a worker left behind."""

    worker: Worker
    fetcher: FakeFetcher
    tile: Tile
    result: BatchResult
    told: list[str]

    @property
    def addresses(self) -> list[str]:
        return [address for address, _, _ in self.fetcher.seen]

    @property
    def waits(self) -> list[float]:
        return [round(waited, 3) for _, _, waited in self.fetcher.seen]


def work(
    clock: Clock,
    edge: Callable[[Fetch], Response],
    urls: int = 1,
    pops: int = 1,
    *,
    seconds: float = 0.0,
    own: float = 600.0,
    run: float = 6000.0,
    control: Callable[[], Control] = lambda: Control(ended=False),
    max_bytes: int | None = None,
    rps: float | None = None,
    **scene: Any,
) -> Worked:
    plan, tile = tile_of(urls, pops, **scene)
    fetcher = FakeFetcher(edge, clock, seconds)
    recorder = Recorder(plan, tile)
    limits = Limits(own, run, ERROR_CACHE_SECONDS, max_bytes, rps)
    told: list[str] = []
    worker = Worker(tile, recorder, cast("Fetcher", fetcher), limits, control, told.append)
    worker.run()
    return Worked(worker, fetcher, tile, recorder.result(0), told)


def one_after_the_other(*answers: Response) -> Callable[[Fetch], Response]:
    """Give these answers in turn, the last one for ever."""
    left = list(answers)
    return lambda _fetch: left.pop(0) if len(left) > 1 else left[0]


class Edge:
    """POPs that keep what they fetched, as real ones do."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, fetch: Fetch) -> Response:
        number = fetch.owner.number
        self.asked.append(number)
        pop = ("ATL56-C1", "NRT57-P3", "SYD1-C1")[fetch.owner.pop]
        return response(pop, HIT if self.asked.count(number) > 1 else MISS)


def not_kept(fetch: Fetch) -> Response:
    """An edge that keeps nothing."""
    return response(("ATL56-C1", "NRT57-P3", "SYD1-C1")[fetch.owner.pop])


def overloaded(_: Fetch) -> Response:
    return response(status=503, x_cache="Error from cloudfront")
