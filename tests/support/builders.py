"""Builders for unit tests: small plans, tiles and responses, with defaults for all that a test does not set."""

import gzip
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from prewarm.fetcher.response import Response
from prewarm.fetcher.transfer import Fetch, PopQueue
from prewarm.planning.cells import pack_masks
from prewarm.planning.plan import Batch, Group, Plan
from prewarm.request.model import CheckedRequest
from prewarm.request.url_parser import parse_url
from prewarm.request.validation import check_request
from prewarm.urls import Url
from resolve.distributions.model import Distribution
from warm.cursor import Cursor
from warm.target import Target
from warm.tile import Tile

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
    progress: dict[int, int] | None = None,
    uncacheable: dict[int, str] | None = None,
    error_pages: dict[int, int] | None = None,
    refusals: dict[int, str] | None = None,
    harmless_vary: dict[int, str] | None = None,
    compressed: dict[int, str] | None = None,
    error_seconds: dict[int, int] | None = None,
    paged_errors: tuple[int, ...] = (),
    longest_ttls: dict[int, int] | None = None,
    ttls: dict[int, tuple[int, int]] | None = None,
    separate_pops: frozenset[str] = frozenset(),
    invalidate: bool = False,
    server_timing: bool = True,
    url_from: int = 0,
    rows: tuple[int, ...] = (),
    masks: tuple[int, ...] = (),
    areas: tuple[tuple[str, ...], ...] = (),
    over_http: tuple[int, ...] = (),
    http_variants: tuple[str, ...] = (),
    kept: tuple[int, ...] = (),
) -> tuple[Plan, Tile]:
    """Return a run of one batch: its plan and its tile. By default each POP has two addresses.

    `rows` and `masks` make it a batch of pairs (Cells): as many of each as there are URLs. `areas` make it one of a
    regional run: the POPs of each area. `over_http` are the URLs whose scheme is http.
    """
    pops = len(areas) or pops
    names = tuple(area[0] for area in areas) or POP_NAMES[:pops]
    group = Group("d111.cloudfront.net", "E1", url_from, url_from + urls, names, pops, areas=areas)
    whole = plan(
        url_count=url_from + urls,
        groups=(group,),
        verify=verify,
        region_type=region_type,
        variants=variants,
        http_variants=http_variants,
        invalidate=invalidate,
        tier="regional" if areas else "edge",
    )
    located = [pop for area in areas for pop in area] or names
    usual = {name: [f"192.0.2.{number}", f"198.51.100.{number}"] for number, name in enumerate(located)}
    pairs = sum(mask.bit_count() for mask in masks) if rows else urls * pops
    batch = Batch("1-000000", 0, 0, url_from, url_from + urls, 0, pops, pairs * len(variants))
    if rows:
        batch = replace(batch, url_from=rows[0], url_to=rows[-1] + 1)
        listed = replace(batch, rows=rows, masks=masks)
        group = replace(group, url_from=0, url_to=rows[-1] + 1)
        whole = replace(whole, url_count=rows[-1] + 1, groups=(group,), pairs=True, batches=1, batch_list=(listed,))
    block: dict[str, Any] = {
        "urls": [
            f"{'http' if number in over_http else 'https'}://www.example.com/{url_from + number}"
            for number in range(urls)
        ],
        "headers": headers or {},
        "user_agent": user_agent,
        "server_timing": server_timing,
        "uncacheable": {str(url): reason for url, reason in (uncacheable or {}).items()},
        "error_pages": {str(status): seconds for status, seconds in (error_pages or {}).items()},
        "refusals": {str(url): settings for url, settings in (refusals or {}).items()},
        "compressed": {str(url): numbers for url, numbers in (compressed or {}).items()},
        "error_seconds": {str(status): seconds for status, seconds in (error_seconds or {}).items()},
        "paged_errors": list(paged_errors),
        "longest_ttls": {str(url): seconds for url, seconds in (longest_ttls or {}).items()},
        "kept": list(kept),
        "ttls": {str(url): list(pair) for url, pair in (ttls or {}).items()},
    }
    if rows:
        block |= {"rows": list(rows), "masks": pack_masks(masks)}
    if harmless_vary is not None:
        block["harmless_vary"] = {str(url): names for url, names in harmless_vary.items()}
    cursor = Cursor(0, done, progress or {})
    return whole, Tile.build(whole, batch, block, [usual if addresses is None else addresses], cursor, separate_pops)


def targets_of(tile: Tile) -> list[Target]:
    """Return a tile's unfinished targets by number."""
    targets = [target for pop in range(len(tile.pops)) for target in tile.targets(pop)]
    return sorted(targets, key=lambda target: target.number)


def lines_of(records: bytes) -> list[str]:
    """Return the lines of packed records."""
    return gzip.decompress(records).decode().splitlines()


def response(pop: str = POP_NAMES[0], x_cache: str = "Miss from cloudfront", **changes: Any) -> Response:
    """Return a complete 200 from a POP, with changes; a Hit has an Age, as CloudFront's have."""
    usual: dict[str, Any] = {
        "age": "1" if x_cache.startswith("Hit ") else "",
        "status": 200,
        "connected": True,
        "cf_pop": pop,
        "x_cache": x_cache,
        "bytes": 10,
        "content_length": "10",
    }
    return Response(**(usual | changes))


def refused() -> Response:
    return Response(error=7, error_text="connection refused")


class Clock:
    """A clock that stands still until a test advances `now`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class FakeFetcher:
    """A fetcher without a network: `edge` returns each response, and waits advance the clock at once.

    `seen` lists (address, target's number, seconds waited before). Each fetch takes `seconds`.
    """

    def __init__(self, edge: Callable[[Fetch], Response], clock: Clock, seconds: float = 0.0) -> None:
        self._edge, self._clock, self._seconds = edge, clock, seconds
        self.seen: list[tuple[str, int, float]] = []
        self.max_bytes: int | None = None
        self.active = 0
        self._requeued: deque[Fetch] = deque()
        self._later: list[tuple[float, int, Fetch]] = []

    def run(
        self,
        fetches: Iterable[Fetch],
        on_response: Callable[[Fetch, Response], float | None],
        *,
        queues: Iterable[PopQueue] = (),
        should_stop: Callable[[], bool] = lambda: False,
        admit: Callable[[Fetch], float | None] = lambda _: 0.0,
        max_bytes: int | None = None,
    ) -> list[Fetch]:
        """Make one fetch after the other, queue by queue; retries come when no other fetch waits."""
        self.max_bytes = max_bytes
        self._requeued.extend(fetches)
        waiting = deque(queues)
        active: list[Fetch] = []
        later = self._later
        later.clear()
        while not should_stop():
            waited, fetch = 0.0, self._requeued.popleft() if self._requeued else None
            while fetch is None and waiting:
                queue = waiting.popleft()
                if fetch := queue.next_fetch():
                    waiting.append(queue)
            if fetch is None and not later:
                break
            if fetch is None:
                entry = min(later)
                later.remove(entry)
                waited, fetch = max(0.0, entry[0] - self._clock.now), entry[2]
                self._clock.now += waited
            held = admit(fetch)
            if held is None:
                continue
            while held:
                # A limiter may ask for a little more, as its sums are rounded.
                self._clock.now += max(held, 1e-6)
                waited += held
                held = admit(fetch) or 0.0
            self.seen.append(
                (fetch.queue.addresses[fetch.address % len(fetch.queue.addresses)], fetch.owner.number, waited)
            )
            fetch.started, fetch.fresh = self._clock.now, fetch.fresh or fetch.queue.suspected
            self._clock.now += self._seconds
            if should_stop():
                active.append(fetch)
                break
            pause = on_response(fetch, self._edge(fetch))
            if pause is not None:
                later.append((self._clock.now + pause, len(self.seen), fetch))
        return active + [entry[2] for entry in later] + [*self._requeued]

    def requeue(self, fetch: Fetch) -> None:
        """Make a fetch once more."""
        self._requeued.append(fetch)

    def abandon(self, queue: PopQueue) -> list[Fetch]:
        """Drop a queue's fetches that wait for a retry."""
        dropped = [entry for entry in self._later if entry[2].queue is queue]
        for entry in dropped:
            self._later.remove(entry)
        return [entry[2] for entry in dropped]
