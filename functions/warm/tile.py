"""A batch's targets: their order, their headers, and which ones are finished."""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from prewarm import __version__
from prewarm.fetcher.fetcher import Fetch, PopQueue
from prewarm.fetcher.response import Response
from prewarm.planning.by_position import unpack
from prewarm.planning.cells import Cells, Sample
from prewarm.planning.plan import Batch, Plan
from warm.cursor import FETCHED, Cursor, nothing_done
from warm.error_lifetime import seconds_kept
from warm.target import Target

# Makes the edge name the cache layer that answers, where the distribution's response headers policy has
# Server-Timing, whatever its sampling rate (Developer Guide, "Server-Timing header", "Pragma request header").
SERVER_TIMING = "Pragma: server-timing"
DEFAULT_USER_AGENT = f"CloudFront-Prewarm/{__version__}"

# How much longer than the edge waits for its origin the worker waits for the edge, in seconds.
SECONDS_AFTER_ORIGIN = 5


@dataclass
class Tile:
    """A batch with everything needed to warm it.

    `urls` are in the form that is fetched, `given` has those that were given in another form; `pops` and `queues` are
    in the same order, and a POP without addresses has no queue; `uncacheable` has the reason for each URL that the
    distribution's settings keep from being cached; `error_pages` has for each status that custom error responses send
    how long the edge keeps them, in seconds; `refusals` has the settings by which the edge may refuse a URL;
    `harmless_vary` has for each URL the headers that Vary may name, None if the settings are not known; `compressed`
    has by URL the variants for which the distribution compresses; `error_seconds` has for each status how long the
    edge keeps that error, `paged_errors` the statuses that custom error pages are sent with, and `longest_ttls` by
    URL the maximum TTL where it may matter, `ttls` minimum and default TTL where they do; `separate_pops` are those
    of which earlier workers found that their addresses have separate caches; `done` is a bitmap of the finished
    targets, `progress` is the cursor's. `carriers`: in a regional run, for each of `pops` the POPs of its area that
    have addresses, each with its queue; the first POP's is also the area's in `queues`. `kept` are the URLs that a
    run does not invalidate although it invalidates others. `http_urls` are fetched with `http_variants` in place of
    `variants`.

    Targets are numbered as if each URL had each POP, so that a target's URL and POP follow from its number. Pairs
    that a batch does not have count as finished from the start.
    """

    batch: Batch
    urls: list[str]
    pops: list[str]
    variants: tuple[str, ...]
    queues: list[PopQueue | None]
    headers: list[list[str]]
    verify: str
    done: bytearray
    uncacheable: dict[int, str] = field(default_factory=dict)
    error_pages: dict[int, int] = field(default_factory=dict)
    refusals: dict[int, str] = field(default_factory=dict)
    progress: dict[int, int] = field(default_factory=dict)
    given: dict[int, str] = field(default_factory=dict)
    harmless_vary: list[frozenset[str]] | None = None
    compressed: dict[int, frozenset[int]] = field(default_factory=dict)
    error_seconds: dict[int, int] = field(default_factory=dict)
    paged_errors: frozenset[int] = frozenset()
    longest_ttls: dict[int, int] = field(default_factory=dict)
    separate_pops: frozenset[str] = frozenset()
    carriers: list[list[tuple[str, PopQueue]]] = field(default_factory=list)
    ttls: dict[int, tuple[int, int]] = field(default_factory=dict)
    kept: frozenset[int] = frozenset()
    http_urls: frozenset[int] = frozenset()
    http_variants: tuple[str, ...] = ()
    http_headers: list[list[str]] = field(default_factory=list)

    @functools.cached_property
    def hosts(self) -> list[str]:
        """Return the host of each URL."""
        return [url.split("/", 3)[2] for url in self.urls]

    @functools.cached_property
    def cells(self) -> Cells:
        """Return which of the URLs are warmed at which of the POPs."""
        return self.batch.cells

    @functools.cached_property
    def sample(self) -> Sample:
        """Return the targets that `verify: sample` verifies."""
        return self.cells.sample()

    @property
    def finished(self) -> bool:
        """Return whether all targets are finished."""
        return all(self.is_done(number) for number in range(len(self.urls) * len(self.pops) * len(self.variants)))

    @property
    def unfinished(self) -> int:
        """Return the number of targets that are not finished."""
        return len(self.urls) * len(self.pops) * len(self.variants) - int.from_bytes(self.done).bit_count()

    @classmethod
    def build(
        cls,
        plan: Plan,
        batch: Batch,
        block: dict[str, Any],
        addresses: list[dict[str, list[str]]],
        cursor: Cursor | None = None,
        separate_pops: frozenset[str] = frozenset(),
    ) -> "Tile":
        """Return the tile of a batch, with the targets marked that the cursor lists as finished."""
        batch = batch.of_block(block)
        pops = list(plan.groups[batch.group].pops[batch.pop_from : batch.pop_to])
        by_pop = addresses[batch.group]
        # If the origin is silent, the edge itself answers at the end of this time; its answer must arrive a little
        # later.
        wait = block.get("first_byte_seconds", 0)
        stall = wait + SECONDS_AFTER_ORIGIN if wait else 0
        queues: list[PopQueue | None] = [None] * len(pops)
        carriers = [
            [(pop, PopQueue(by_pop[pop], stall_seconds=stall)) for pop in area if pop in by_pop]
            for area in plan.groups[batch.group].areas[batch.pop_from : batch.pop_to]
        ]
        for column in batch.cells.columns():
            if carriers:
                queues[column] = carriers[column][0][1] if carriers[column] else None
            elif pops[column] in by_pop:
                queues[column] = PopQueue(by_pop[pops[column]], stall_seconds=stall)
        own = [f"User-Agent: {block['user_agent'] or DEFAULT_USER_AGENT}"]
        # libcurl drops the header for `Name:`; `Name;` sends it empty.
        own += [f"{name}: {value}" if value.strip() else f"{name};" for name, value in block["headers"].items()]
        if block.get("server_timing", True) and "pragma" not in {name.lower() for name in block["headers"]}:
            own.append(SERVER_TIMING)
        headers, http_headers = (
            [[f"Accept-Encoding: {variant}", *own] for variant in variants]
            for variants in (plan.variants, plan.http_variants)
        )
        cursor = cursor or Cursor()
        bitmap = bytearray(cursor.done) or nothing_done(batch.cells, len(plan.variants))
        urls, variants, verify = block["urls"], plan.variants, plan.verify
        uncacheable, refusing, texts, longest, ttls = (
            unpack(block.get(name, {}), len(urls))
            for name in ("uncacheable", "refusals", "compressed", "longest_ttls", "ttls")
        )
        pages = {int(status): seconds for status, seconds in block.get("error_pages", {}).items()}
        refusals = {url: f"by the edge, which has {settings}" for url, settings in refusing.items()}
        given = {int(url): text for url, text in block.get("given", {}).items()}
        compressed = {url: frozenset(map(int, numbers.split(","))) for url, numbers in texts.items()}
        error_seconds = {int(status): seconds for status, seconds in block.get("error_seconds", {}).items()}
        return cls(
            batch,
            urls,
            pops,
            variants,
            queues,
            headers,
            verify,
            bitmap,
            uncacheable,
            pages,
            refusals,
            cursor.progress,
            given,
            _harmless_vary(block),
            compressed,
            error_seconds,
            frozenset(block.get("paged_errors", ())),
            longest,
            separate_pops,
            carriers,
            {url: (least, default) for url, (least, default) in ttls.items()},
            frozenset(block.get("kept", ())),
            frozenset(n for n, url in enumerate(urls if http_headers else ()) if url.startswith("http://")),
            plan.http_variants,
            http_headers,
        )

    def variant_of(self, target: Target) -> str:
        """Return the Accept-Encoding that a target is fetched with."""
        variants = self.http_variants if target.url in self.http_urls else self.variants
        return variants[target.variant]

    def pop_of(self, target: Target) -> str:
        """Return the POP that a target is fetched through now."""
        carriers = self.carriers[target.pop] if self.carriers else ()
        return carriers[target.place][0] if carriers else self.pops[target.pop]

    def queue_of(self, pop: str) -> PopQueue | None:
        """Return a POP's queue; None if it has no addresses."""
        known = (each for area in self.carriers for each in area)
        named = known if self.carriers else zip(self.pops, self.queues, strict=True)
        return next((queue for name, queue in named if name == pop), None)

    def seconds_kept(self, url: int, response: Response, default: float) -> float:
        """Return for how many seconds the edge caches an error; `default`: without an entry for its status."""
        status = response.status
        longest, of_page = self.longest_ttls.get(url, math.inf), status in self.paged_errors
        return seconds_kept(response, self.error_seconds.get(status, default), longest=longest, of_page=of_page)

    def targets(self, pop: int) -> Iterator[Target]:
        """Yield a POP's unfinished targets, variant by variant (identity last) and URL by URL."""
        urls, pops, done, progress_of = len(self.urls), len(self.pops), self.done, self.progress
        sampling, verify = self.verify == "sample", self.verify == "all"
        for rest in range(urls * len(self.variants)):
            number = rest * pops + pop
            if done[number >> 3] & 1 << (number & 7):
                continue
            variant, url = divmod(rest, urls)
            target = Target(number, url, pop, variant, self.sample.has(url, pop) if sampling else verify)
            if progress_of and (progress := progress_of.get(number)):
                target.fetched = progress == FETCHED
                target.tries = target.carried = 0 if target.fetched else progress
            yield target

    def feed(self, pop: int, queue: PopQueue) -> Iterator[Fetch]:
        """Yield the fetches of a POP's unfinished targets, made one by one."""
        for target in self.targets(pop):
            yield self.fetch(target, queue)

    def fetch(self, target: Target, queue: PopQueue) -> Fetch:
        """Return the request that warms a target."""
        # Spread a POP's fetches over its addresses: it has several cache servers. A target that an earlier worker
        # fetched is proven at another address.
        address = target.url + target.fetched
        if target.fetched:
            target.filled = 1 << target.url % len(queue.addresses)
        headers = self.http_headers if target.url in self.http_urls else self.headers
        return Fetch(self.urls[target.url], headers[target.variant], queue, target, address)

    def is_done(self, number: int) -> bool:
        """Return whether a target is finished."""
        return bool(self.done[number >> 3] & 1 << (number & 7))

    def mark_done(self, number: int) -> None:
        """Mark a target as finished."""
        self.done[number >> 3] |= 1 << (number & 7)


def _harmless_vary(block: dict[str, Any]) -> list[frozenset[str]] | None:
    """Return for each URL of a block the headers of its cache key and of the request; None if the key is unknown."""
    if "harmless_vary" not in block:
        return None
    known = unpack(block["harmless_vary"], len(block["urls"]))
    sent = frozenset(name.lower() for name in block["headers"])
    by_text = {text: frozenset(text.split(",")) | sent for text in set(known.values())}
    return [by_text[known[url]] if url in known else sent for url in range(len(block["urls"]))]
