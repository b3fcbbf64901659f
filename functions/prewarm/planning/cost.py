"""The cost of a run in US dollars, with the parts of the formula. Pure; docs/cost.md explains it.

The estimate excludes free tiers, taxes, the origin's charges and edge functions.
"""

import functools
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from prewarm.catalogue import Catalogue, data_text, location_of
from prewarm.planning.plan import Batch, Plan

GB = 1_000_000_000
TRANSFER = "CloudFront transfer"
# The price region for a POP at an unknown location: the most expensive one for transfer.
UNKNOWN_LOCATION_REGION = "Hong Kong, Indonesia, Philippines, Singapore, South Korea, Taiwan, Thailand"
# State transitions (see statemachine/prewarm.asl.yaml) of a run, of each further stage, and of each batch including
# the start of its child execution.
TRANSITIONS_PER_RUN, TRANSITIONS_PER_STAGE, TRANSITIONS_PER_BATCH = 9, 3, 4
# A batch that needs a further worker: continue, warm again, check whether it is finished.
TRANSITIONS_PER_FURTHER_PART = 3
# A round of invalidations: create, is there time; then wait, check, is it completed, for each of about two checks.
TRANSITIONS_PER_ROUND, INVOCATIONS_PER_ROUND = 8, 3
# Their Lambda time: a GB-second for three invocations of 512 MB that call CloudFront.
GB_SECONDS_PER_ROUND = 1.0
# Assumptions about a worker: fetches per second if the origin responds within tenths of a second, bytes per second of
# Lambda's network, and seconds to start, read its tile, open connections to a hundred POPs worldwide and write its
# results.
FETCHES_PER_SECOND, BYTES_PER_SECOND, SECONDS_PER_BATCH = 500, 50_000_000, 1.0
RESOLVE_SECONDS, RESOLVE_GB = 10.0, 1.73
# Per worker: it reads block, plan and addresses and writes records; a ledger item of up to 4 KB uses four write units
# (DynamoDB Developer Guide, "Read and write operations"), its entry as working two; two items are read first.
S3_GETS_PER_BATCH, S3_PUTS_PER_BATCH, WRITE_UNITS_PER_BATCH, READ_UNITS_PER_BATCH = 3, 1, 6, 6
# The cursor of a worker that leaves targets to the next one.
S3_PUTS_PER_FURTHER_PART = 1
# Request, plan (3), blocks and stages (2 or more), summary, report (3), URL index.
S3_PUTS_PER_RUN = 11
# The run's entry in the list of runs, by label and one host: start (4, again 4 by ResolveTargets), plan (2), end (2).
WRITE_UNITS_PER_RUN = 12


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the formula: a quantity, its unit and the unit price in dollars."""

    name: str
    quantity: float
    unit: str
    unit_price: float

    @property
    def dollars(self) -> float:
        """Return quantity x unit price in dollars."""
        return self.quantity * self.unit_price

    def as_json(self) -> dict[str, Any]:
        """Return the part as JSON, rounded for display."""
        return {
            "name": self.name,
            "quantity": round(self.quantity, 3),
            "unit": self.unit,
            "unitPrice": self.unit_price,
            "dollars": round(self.dollars, 6),
        }


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated cost of a run and its parts."""

    parts: tuple[Part, ...]

    @property
    def dollars(self) -> float:
        """Return the total in dollars."""
        return math.fsum(part.dollars for part in self.parts)

    @property
    def dollars_without_transfer(self) -> float:
        """Return the total of all parts but CloudFront's transfer, which an estimate without known sizes lacks."""
        return math.fsum(part.dollars for part in self.parts if not part.name.startswith(TRANSFER))

    def as_json(self) -> dict[str, Any]:
        """Return the estimate as JSON, with the date of its prices."""
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
    """A run's billable work: fetches and bytes by price region, service usage.

    `plain_http` is the share of fetches over http://; `bytes` is None if sizes are unknown; `worker_seconds` is None
    to estimate them; `continued` counts further workers of batches that needed more than one; `other_gb_seconds` is
    the Lambda time of the other functions; `own_machine`: the service runs on the user's machine, so that AWS charges
    for CloudFront only.
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
    own_machine: bool = False


def estimate(work: Work) -> Estimate:
    """Return the cost of a run's work."""
    price = prices()
    parts = []
    for region, count in sorted(work.fetches.items()):
        rate = price["cloudfront"][region]
        each = ((1 - work.plain_http) * rate["https_per_10000"] + work.plain_http * rate["http_per_10000"]) / 10_000
        parts.append(Part(f"CloudFront requests, {region}", count, "request", each))
        if work.bytes is not None:
            parts.append(Part(f"{TRANSFER}, {region}", work.bytes[region] / GB, "GB", rate["per_gb"]))
    if work.invalidation_paths:
        parts.append(
            Part("invalidation (the first 1,000 a month are free)", work.invalidation_paths, "path",
                 price["invalidation_path"])
        )  # fmt: skip
    return Estimate(tuple(parts if work.own_machine else parts + service_parts(work)))


def service_parts(work: Work) -> list[Part]:
    """Return what AWS charges for the service itself."""
    price, rounds = prices(), work.invalidation_rounds
    seconds = work.worker_seconds if work.worker_seconds is not None else _worker_seconds(work)
    transitions = (
        TRANSITIONS_PER_RUN
        + TRANSITIONS_PER_STAGE * max(0, work.stages - 1)
        + TRANSITIONS_PER_BATCH * work.batches
        + TRANSITIONS_PER_ROUND * rounds
        + TRANSITIONS_PER_FURTHER_PART * work.continued
    )
    workers = work.batches + work.continued
    return [
        Part("Lambda time", seconds * work.worker_gb + work.other_gb_seconds + GB_SECONDS_PER_ROUND * rounds,
             "GB-second", price["lambda_gb_second_arm64"]),
        Part("Lambda requests", workers + 3 + INVOCATIONS_PER_ROUND * rounds, "request", price["lambda_request"]),
        Part("Step Functions", transitions, "state transition", price["step_functions_transition"]),
        Part("S3 writes", S3_PUTS_PER_BATCH * workers + S3_PUTS_PER_FURTHER_PART * work.continued + S3_PUTS_PER_RUN
             + rounds, "PUT", price["s3_put"]),
        Part("S3 reads", S3_GETS_PER_BATCH * workers, "GET", price["s3_get"]),
        Part("DynamoDB writes", WRITE_UNITS_PER_BATCH * workers + WRITE_UNITS_PER_RUN, "write unit",
             price["dynamodb_write_unit"]),
        Part("DynamoDB reads", READ_UNITS_PER_BATCH * workers, "read unit", price["dynamodb_read_unit"]),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batching:
    """A run with batches of one size: number, overhead in dollars, duration."""

    batches: int
    dollars: float
    seconds: float


def batching(targets: int, size: int, workers: int) -> Batching:
    """Return cost and duration of batches of `size` targets with `workers` at once."""
    batches = math.ceil(targets / size)
    waves = math.ceil(batches / workers)
    return Batching(
        batches=batches,
        dollars=_overhead(batches) - _overhead(0),
        seconds=waves * (SECONDS_PER_BATCH + min(size, targets) / FETCHES_PER_SECOND),
    )


def _overhead(batches: int) -> float:
    """Return the cost in dollars of a run without fetches."""
    return estimate(Work(fetches={}, plain_http=0.0, bytes=None, batches=batches, stages=1)).dollars


def _worker_seconds(work: Work) -> float:
    fetching = sum(work.fetches.values()) / FETCHES_PER_SECOND
    moving = sum((work.bytes or {}).values()) / BYTES_PER_SECOND
    return SECONDS_PER_BATCH * work.batches + max(fetching, moving)


def verification_fetches(plan: Plan, batches: Iterable[Batch]) -> int:
    """Return the minimum number of verification fetches: one per target to verify.

    The sample of a batch has at least one target of each of its URLs and POPs (Cells.sample).
    """
    if plan.verify == "none":
        return 0
    if plan.verify == "all":
        return plan.targets
    return sum(batch.cells.sample_size for batch in batches) * len(plan.variants)


def work_of_group(
    pairs: Mapping[str, int], variants: int, verified_share: float, mean_bytes: float | None, catalogue: Catalogue
) -> tuple[Counter[str], Counter[str] | None]:
    """Return a distribution's fetches and bytes by price region, with verification.

    `pairs`: by POP, how many URLs are warmed there; `verified_share` is the number of verification fetches per
    target; `mean_bytes` None if sizes are unknown.
    """
    urls: Counter[str] = Counter()
    for pop, count in pairs.items():
        urls[price_region(pop, catalogue)] += count
    each = variants * (1 + verified_share)
    fetches = Counter({region: math.ceil(count * each) for region, count in urls.items()})
    if mean_bytes is None:
        return fetches, None
    return fetches, Counter({region: math.ceil(count * mean_bytes) for region, count in fetches.items()})


def price_region(pop: str, catalogue: Catalogue) -> str:
    """Return the price region of a POP's requests."""
    location = catalogue.locations.get(location_of(pop))
    if location is None or location.price_region not in prices()["cloudfront"]:
        return UNKNOWN_LOCATION_REGION
    return location.price_region
