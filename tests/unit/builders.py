"""What the unit tests build their scenes from: small runs, tiles and answers with everything else at its default."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from prewarm.exchange import Fetch, Lane
from prewarm.outcome import Answer
from prewarm.plan import Batch, Group, Plan
from prewarm.request import CheckedRequest, check_request
from prewarm.urls import Url, parse_url
from resolve.distributions import Distribution
from warm.targets import Tile

POP_NAMES = ("ATL56-C1", "NRT57-P3", "SYD1-C1", "FRA2-C1", "LHR3-C1", "GRU1-C1")
DISTRIBUTION = Distribution("E1", "d111.cloudfront.net", ("www.example.com",))


def request(**changes: Any) -> CheckedRequest:
    """Check a request for one URL through one POP, with changes."""
    plain = {"url_list": ["https://www.example.com/a"], "region_type": "pop", "region": ["ATL56-C1"]}
    return check_request(plain | changes)


def parsed(*texts: str) -> list[Url]:
    return [parse_url(text) for text in texts]


def plan(**changes: Any) -> Plan:
    """Return the plan of a run of one group: 2 URLs, 2 POPs, one variant."""
    group = Group("d111.cloudfront.net", "E1", 0, 2, POP_NAMES[:2], 2)
    usual = Plan(
        run="run",
        started_at=1000.0,
        deadline=2000.0,
        url_count=2,
        region_type="region",
        variants=("br, gzip",),
        percent_needed=100.0,
        fail_on="any",
        verify="none",
        max_bytes=None,
        invalidate=False,
        groups=(group,),
        targets=4,
        batches=1,
    )
    return replace(usual, **changes)


def tile_of(
    urls: int = 1,
    pops: int = 1,
    *,
    verify: str = "none",
    region_type: str = "region",
    variants: tuple[str, ...] = ("br, gzip",),
    addresses: dict[str, list[str]] | None = None,
    headers: dict[str, str] | None = None,
    user_agent: str | None = None,
    done: bytes = b"",
    url_from: int = 0,
) -> tuple[Plan, Tile]:
    """Return a run of one batch: its plan and its tile. By default each POP has two addresses."""
    names = POP_NAMES[:pops]
    group = Group("d111.cloudfront.net", "E1", url_from, url_from + urls, names, pops)
    whole = plan(
        url_count=url_from + urls, groups=(group,), verify=verify, region_type=region_type, variants=variants
    )
    known = {name: [f"192.0.2.{number}", f"198.51.100.{number}"] for number, name in enumerate(names)}
    batch = Batch("1-000000", 0, 0, url_from, url_from + urls, 0, pops, urls * pops * len(variants))
    block = {
        "urls": [f"https://www.example.com/{url_from + number}" for number in range(urls)],
        "headers": headers or {},
        "user_agent": user_agent,
    }
    return whole, Tile.build(whole, batch, block, [known if addresses is None else addresses], done)


def answer(pop: str = POP_NAMES[0], x_cache: str = "Miss from cloudfront", **changes: Any) -> Answer:
    """Return a whole 200 from a POP, with changes."""
    usual: dict[str, Any] = {
        "status": 200,
        "connected": True,
        "cf_pop": pop,
        "x_cache": x_cache,
        "bytes": 10,
        "content_length": "10",
    }
    return Answer(**(usual | changes))


def refused() -> Answer:
    return Answer(error=7, error_text="connection refused")


class Clock:
    """A clock that stands still until somebody lets time pass."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class FakeFetcher:
    """Plays the engine: `edge` answers each fetch; waits pass on the clock at once.

    `seen` lists (address asked, target's number, seconds waited before). Each fetch takes `seconds`.
    """

    def __init__(self, edge: Callable[[Fetch], Answer], clock: Clock, seconds: float = 0.0) -> None:
        self._edge, self._clock, self._seconds = edge, clock, seconds
        self.seen: list[tuple[str, int, float]] = []
        self.max_bytes: int | None = None

    def run(
        self,
        fetches: Iterable[Fetch],
        on_answer: Callable[[Fetch, Answer], float | None],
        *,
        halt: Callable[[], bool] = lambda: False,
        max_bytes: int | None = None,
    ) -> list[Fetch]:
        """Make one fetch after the other; those to be made again come when nothing else waits."""
        self.max_bytes = max_bytes
        lanes: dict[Lane, None] = {}
        for fetch in fetches:
            fetch.lane.waiting.append(fetch)
            lanes[fetch.lane] = None
        flying: list[Fetch] = []
        later: list[tuple[float, int, Fetch]] = []
        while not halt():
            lane = next((lane for lane in lanes if lane.waiting), None)
            if lane is None and not later:
                break
            waited = 0.0
            if lane is not None:
                fetch = lane.waiting.popleft()
            else:
                entry = min(later)
                later.remove(entry)
                waited, fetch = max(0.0, entry[0] - self._clock.now), entry[2]
                self._clock.now += waited
            self.seen.append(
                (fetch.lane.addresses[fetch.address % len(fetch.lane.addresses)], fetch.owner.number, waited)
            )
            fetch.started = self._clock.now
            self._clock.now += self._seconds
            if halt():
                flying.append(fetch)
                break
            again = on_answer(fetch, self._edge(fetch))
            if again is not None:
                later.append((self._clock.now + again, len(self.seen), fetch))
        return flying + [fetch for lane in lanes for fetch in lane.waiting] + [entry[2] for entry in later]
