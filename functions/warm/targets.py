"""A batch's targets: their order, their headers, and the cursor that says which are finished."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from prewarm import __version__
from prewarm.fetch import Fetch, Lane
from prewarm.outcome import Answer
from prewarm.plan import Batch, Plan, proven_by_sample

DEFAULT_USER_AGENT = f"CloudFront-Prewarm/{__version__}"


@dataclass(slots=True)
class Target:
    """One fetch to make and what has come of it: indices within the batch, tries, and the fetch to be proven."""

    number: int
    url: int
    pop: int
    variant: int
    prove: bool
    tries: int = 0
    misses: int = 0
    bytes: int = 0
    first: Answer | None = None


@dataclass
class Tile:
    """A batch with all it takes to warm it.

    `urls` are in the form in which they are fetched; `pops` and `lanes` are in the same order, a POP without
    addresses has no lane.
    """

    batch: Batch
    urls: list[str]
    pops: list[str]
    variants: tuple[str, ...]
    lanes: list[Lane | None]
    headers: list[list[str]]
    verify: str
    done: bytearray = field(default_factory=bytearray)

    @classmethod
    def build(
        cls, plan: Plan, batch: Batch, block: dict[str, Any], addresses: list[dict[str, list[str]]], done: bytes
    ) -> "Tile":
        """Lay out a batch; `done` is the cursor's bitmap, empty for a fresh one."""
        pops = list(plan.groups[batch.group].pops[batch.pop_from : batch.pop_to])
        known = addresses[batch.group]
        lanes = [Lane(known[pop]) if pop in known else None for pop in pops]
        own = [f"User-Agent: {block['user_agent'] or DEFAULT_USER_AGENT}"]
        # libcurl takes `Name:` for a wish to drop the header; `Name;` sends it empty.
        own += [f"{name}: {value}" if value.strip() else f"{name};" for name, value in block["headers"].items()]
        headers = [[f"Accept-Encoding: {variant}", *own] for variant in plan.variants]
        bitmap = bytearray(done or bytes((batch.targets + 7) // 8))
        return cls(batch, block["urls"], pops, plan.variants, lanes, headers, plan.verify, bitmap)

    def targets(self) -> Iterator[Target]:
        """Yield the unfinished targets: variant by variant (identity last), URL by URL, through all POPs."""
        urls, pops = len(self.urls), len(self.pops)
        for number in range(self.batch.targets):
            if self.is_done(number):
                continue
            rest, pop = divmod(number, pops)
            variant, url = divmod(rest, urls)
            sampled = self.verify == "sample" and proven_by_sample(url, pop, urls, pops)
            yield Target(number, url, pop, variant, prove=sampled or self.verify == "all")

    def fetch(self, target: Target, lane: Lane) -> Fetch:
        """Return the request that warms a target."""
        # Spread a POP's fetches over its addresses: it has several cache servers.
        return Fetch(self.urls[target.url], self.headers[target.variant], lane, target, address=target.url)

    def is_done(self, number: int) -> bool:
        """Say whether a target is finished."""
        return bool(self.done[number >> 3] & 1 << (number & 7))

    def mark_done(self, number: int) -> None:
        """Note that a target is finished."""
        self.done[number >> 3] |= 1 << (number & 7)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a batch stands between two workers: which part comes next, and a bitmap of its finished targets."""

    part: int = 0
    done: bytes = b""

    @classmethod
    def from_json(cls, document: dict[str, Any] | None) -> "Cursor":
        """Read a cursor from the state's input; None is a fresh batch."""
        return cls() if document is None else cls(document["part"], base64.b64decode(document["done"]))

    def as_json(self) -> dict[str, Any]:
        """Return the cursor for the state's output: an eighth of a byte per target."""
        return {"part": self.part, "done": base64.b64encode(self.done).decode()}
