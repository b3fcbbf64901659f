"""What a run costs, in US dollars, with the parts of the formula. Pure; docs/cost.md explains it.

Estimates: free tiers, taxes, what the origin charges, and functions at the edge are left out.
"""

import functools
import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from prewarm.catalogue import Catalogue, data_text
from prewarm.planning.plan import Batch, Group, Plan

GB = 1_000_000_000
# The price region taken for a POP of an unknown place: the dearest for transfer.
UNKNOWN_PLACE = "Hong Kong, Indonesia, Philippines, Singapore, South Korea, Taiwan, Thailand"
# States of a run (see statemachine/prewarm.asl.yaml): those passed once, those of a further stage, and those of a
# batch with its child execution's start.
TRANSITIONS_PER_RUN, TRANSITIONS_PER_STAGE, TRANSITIONS_PER_BATCH = 8, 3, 4
# A batch that outlives a worker: continue, warm again, finished?
TRANSITIONS_PER_FURTHER_PART = 3
# A round of invalidations: create, await, left?, and five states each time its status is asked, three times or so.
TRANSITIONS_PER_ROUND = 18
# What a worker is taken to do: fetches a second with an origin that answers in tenths of a second, bytes a second
# that Lambda's network carries, and seconds to start, read its tile, shake hands with a hundred POPs round the world
# and write its results.
FETCHES_PER_SECOND, BYTES_PER_SECOND, SECONDS_PER_BATCH = 500, 50_000_000, 1.0
RESOLVE_SECONDS, RESOLVE_GB = 10.0, 1.73
# Per batch: block, plan and addresses are read, records written; a ledger item of up to 4 KB takes as many write
# units (DynamoDB Developer Guide, "Read and write operations").
S3_GETS_PER_BATCH, S3_PUTS_PER_BATCH, WRITE_UNITS_PER_BATCH, READ_UNITS_PER_BATCH = 3, 1, 4, 4
# Request, plan (3), blocks and stages (2 or more), summary, report (3).
S3_PUTS_PER_RUN = 10


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the formula: a quantity of some unit, the unit's price, and their product in dollars."""

    name: str
    quantity: float
    unit: str
    unit_price: float

    @property
    def dollars(self) -> float:
        """Return the part's dollars."""
        return self.quantity * self.unit_price

    def as_json(self) -> dict[str, Any]:
        """Return the part for people and machines to read."""
        return {
            "name": self.name,
            "quantity": round(self.quantity, 3),
            "unit": self.unit,
            "unitPrice": self.unit_price,
            "dollars": round(self.dollars, 6),
        }


@dataclass(frozen=True, slots=True)
class Estimate:
    """A run's dollars and what they are made of."""

    parts: tuple[Part, ...]

    @property
    def dollars(self) -> float:
        """Return the sum."""
        return math.fsum(part.dollars for part in self.parts)

    def as_json(self) -> dict[str, Any]:
        """Return the estimate with the date of its prices."""
        return {
            "dollars": round(self.dollars, 4),
            "pricesOf": prices()["date"],
            "parts": [part.as_json() for part in self.parts],
            "notIncluded": ["free tiers", "taxes", "the origin", "functions at the edge", "logs"],
        }


@functools.cache
def prices() -> dict[str, Any]:
    """Return the shipped prices (data/prices.json)."""
    document: dict[str, Any] = json.loads(data_text("prices.json"))
    return document


@dataclass(frozen=True, slots=True)
class Work:
    """What is paid for: fetches and bytes by price region, and what the machinery does.

    `bytes` is None where sizes are not known; `worker_seconds` None where they are to be estimated; `continued` says
    how often a batch needed a further worker; `other_gb_seconds` is what the other functions take.
    """

    fetches: dict[str, int]
    plain_http: float
    bytes: dict[str, int] | None
    batches: int
    stages: int
    invalidation_paths: int = 0
    invalidation_rounds: int = 0
    continued: int = 0
    worker_seconds: float | None = None
    worker_gb: float = 1.0
    other_gb_seconds: float = RESOLVE_SECONDS * RESOLVE_GB


def estimate(work: Work) -> Estimate:
    """Return what a run's work costs; `work.plain_http` is the share of fetches by http://."""
    price = prices()
    parts = []
    for region, count in sorted(work.fetches.items()):
        rate = price["cloudfront"][region]
        each = ((1 - work.plain_http) * rate["https_per_10000"] + work.plain_http * rate["http_per_10000"]) / 10_000
        parts.append(Part(f"CloudFront requests, {region}", count, "request", each))
        if work.bytes is not None:
            parts.append(Part(f"CloudFront transfer, {region}", work.bytes[region] / GB, "GB", rate["per_gb"]))
    if work.invalidation_paths:
        parts.append(
            Part("invalidation (the first 1,000 a month are free)", work.invalidation_paths, "path",
                 price["invalidation_path"])
        )  # fmt: skip
    seconds = work.worker_seconds if work.worker_seconds is not None else _worker_seconds(work)
    transitions = (
        TRANSITIONS_PER_RUN
        + TRANSITIONS_PER_STAGE * max(0, work.stages - 1)
        + TRANSITIONS_PER_BATCH * work.batches
        + TRANSITIONS_PER_ROUND * work.invalidation_rounds
        + TRANSITIONS_PER_FURTHER_PART * work.continued
    )
    workers = work.batches + work.continued
    parts += [
        Part("Lambda time", seconds * work.worker_gb + work.other_gb_seconds, "GB-second",
             price["lambda_gb_second_arm64"]),
        Part("Lambda requests", workers + 3, "request", price["lambda_request"]),
        Part("Step Functions", transitions, "state transition", price["step_functions_transition"]),
        Part("S3 writes", S3_PUTS_PER_BATCH * workers + S3_PUTS_PER_RUN, "PUT", price["s3_put"]),
        Part("S3 reads", S3_GETS_PER_BATCH * workers, "GET", price["s3_get"]),
        Part("DynamoDB writes", WRITE_UNITS_PER_BATCH * workers, "write unit", price["dynamodb_write_unit"]),
        Part("DynamoDB reads", READ_UNITS_PER_BATCH * workers, "read unit", price["dynamodb_read_unit"]),
    ]  # fmt: skip
    return Estimate(tuple(parts))


@dataclass(frozen=True, slots=True)
class Batching:
    """What cutting a run into batches of one size comes to: dollars of the batches alone, seconds of the run."""

    batches: int
    dollars: float
    seconds: float


def batching(targets: int, size: int, workers: int) -> Batching:
    """Return what batches of `size` targets would cost and take, warmed by so many workers at once."""
    batches = math.ceil(targets / size)
    waves = math.ceil(batches / workers)
    return Batching(
        batches=batches,
        dollars=_machinery(batches) - _machinery(0),
        seconds=waves * (SECONDS_PER_BATCH + min(size, targets) / FETCHES_PER_SECOND),
    )


def _machinery(batches: int) -> float:
    """Return the dollars of a run that fetches nothing."""
    return estimate(Work(fetches={}, plain_http=0.0, bytes=None, batches=batches, stages=1)).dollars


def _worker_seconds(work: Work) -> float:
    fetching = sum(work.fetches.values()) / FETCHES_PER_SECOND
    moving = sum((work.bytes or {}).values()) / BYTES_PER_SECOND
    return SECONDS_PER_BATCH * work.batches + max(fetching, moving)


def proofs(plan: Plan, batches: Iterable[Batch]) -> int:
    """Return how many proof fetches a run makes at the least: a second one for each target that `verify` asks for.

    Of a tile of URLs x POPs, a sample is a diagonal, as long as the tile's longer side (plan.proven_by_sample).
    """
    if plan.verify == "none":
        return 0
    if plan.verify == "all":
        return plan.targets
    sizes = ((batch.url_to - batch.url_from, batch.pop_to - batch.pop_from) for batch in batches)
    return sum(max(urls, pops) for urls, pops in sizes) * len(plan.variants)


def work_of_group(
    group: Group, variants: int, proof_share: float, mean_bytes: float | None, known: Catalogue
) -> tuple[Counter[str], Counter[str] | None]:
    """Return a distribution's fetches and bytes by price region, proofs included."""
    pops = Counter(price_region(pop, known) for pop in group.pops)
    each = group.urls * variants * (1 + proof_share)
    fetches = Counter({region: math.ceil(count * each) for region, count in pops.items()})
    if mean_bytes is None:
        return fetches, None
    return fetches, Counter({region: math.ceil(count * mean_bytes) for region, count in fetches.items()})


def price_region(pop: str, known: Catalogue) -> str:
    """Return the price region that a POP's requests are charged in."""
    place = known.locations.get(pop[:3])
    return place.price_region if place is not None and place.price_region in prices()["cloudfront"] else UNKNOWN_PLACE
