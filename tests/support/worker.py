"""A worker on its own clock, against an edge that a test defines."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch
from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult
from prewarm.storage.ledger_items import Control
from tests.support.builders import Clock, FakeFetcher, lines_of, response, tile_of
from warm.circuit_breaker import CircuitBreakers
from warm.dark_pops import DarkPops
from warm.limits import Invocation, Limits
from warm.recorder import Recorder
from warm.stop_rules import StopReason
from warm.tile import Tile
from warm.worker import Worker

if TYPE_CHECKING:
    from prewarm.fetcher.fetcher import Fetcher


HIT, MISS = "Hit from cloudfront", "Miss from cloudfront"
ERROR_CACHE_SECONDS = 10.0


@dataclass
class Worked:
    """A worker's result, the fetches that it made, and the hosts that it reported as overloaded."""

    result: BatchResult
    records: list[str]
    progress: dict[int, int]
    stopped: StopReason | None
    fetcher: FakeFetcher
    tile: Tile
    reported_hosts: list[str]
    reported_pops: list[tuple[str, str]]
    plan: Plan
    separate_pops: frozenset[str]

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
    run_age: float = 0.0,
    dark_pops: dict[str, str] | None = None,
    **scene: Any,
) -> Worked:
    """Run a worker on a tile of `urls` x `pops`; each fetch takes `seconds`; `own` and `run` are its time limits."""
    plan, tile = tile_of(urls, pops, **scene)
    fetcher = FakeFetcher(edge, clock, seconds)
    limits = Limits(own, run, ERROR_CACHE_SECONDS, max_bytes, rps, run_age)
    reported: list[str] = []
    dark: list[tuple[str, str]] = []
    worker = Worker(
        tile,
        Recorder(plan, tile),
        cast("Fetcher", fetcher),
        limits,
        Invocation(),
        CircuitBreakers(reported.append),
        control,
        DarkPops(lambda pop, outcome: dark.append((pop, outcome)), dict(dark_pops or {})),
    )
    result = worker.run()
    progress = result.cursor.progress if result.cursor else {}
    return Worked(
        result.batch_result,
        lines_of(result.records),
        progress,
        worker.stop.reason,
        fetcher,
        tile,
        reported,
        dark,
        plan,
        result.separate_pops,
    )


def in_order(*responses: Response) -> Callable[[Fetch], Response]:
    """Return an edge that sends these responses one after the other, and then repeats the last one."""
    left = list(responses)
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
    """Return the response of an edge that keeps nothing."""
    return response(("ATL56-C1", "NRT57-P3", "SYD1-C1")[fetch.owner.pop])


def overloaded(_: Fetch) -> Response:
    """Return the response of an edge whose origin is overloaded."""
    return response(status=503, x_cache="Error from cloudfront")
