"""The dry run: what a run would do and what it would cost, in numbers. Nothing is warmed and nothing invalidated."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from prewarm import __version__
from prewarm.catalogue import Catalogue
from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.fetcher.response import Response
from prewarm.planning.cost import Work, estimate, verification_fetches, work_of_group
from prewarm.planning.plan import Group
from prewarm.request.model import CheckedRequest
from prewarm.settings import Settings
from prewarm.urls import Url
from resolve.invalidation import paths_and_rounds
from resolve.planner import Drawn

# Sizes are asked for by HEAD, which may reach the origin: enough for a mean, and no load.
SIZES_ASKED_AT_MOST = 200
OK = 200


@dataclass(frozen=True, slots=True)
class Sizes:
    """What HEADs said of one group's objects: URLs asked, those whose length was told, and their bytes in all."""

    asked: int
    known: int
    bytes: int

    @property
    def mean(self) -> float | None:
        """Return the mean size in bytes, or None where no length was told."""
        return self.bytes / self.known if self.known else None


def ask_sizes(drawn: Drawn, request: CheckedRequest, settings: Settings) -> list[Sizes]:
    """Ask one POP of each distribution how large objects are: all, or SIZES_ASKED_AT_MOST of them, evenly spread."""
    fields = request.fields
    headers = [
        f"Accept-Encoding: {drawn.plan.variants[0]}",
        f"User-Agent: {fields.user_agent or f'CloudFront-Prewarm/{__version__}'}",
        *(f"{name}: {value}" if value.strip() else f"{name};" for name, value in fields.headers.items()),
    ]
    share = max(1, SIZES_ASKED_AT_MOST // max(1, len(drawn.plan.groups)))
    fetches = []
    asked: Counter[int] = Counter()
    for number, group in enumerate(drawn.plan.groups):
        addresses = next((drawn.addresses[number][pop] for pop in group.pops if pop in drawn.addresses[number]), None)
        if addresses is None:
            continue
        queue = PopQueue(addresses)
        for url in _spread(drawn.urls[group.url_from : group.url_to], share):
            fetches.append(Fetch(url.fetch, headers, queue, number, head=True))
            asked[number] += 1
    known: Counter[int] = Counter()
    total: Counter[int] = Counter()

    def on_answer(fetch: Fetch, response: Response) -> float | None:
        if not response.error and response.status == OK and response.content_length.isdecimal():
            known[fetch.owner] += 1
            total[fetch.owner] += int(response.content_length)
        return None

    Fetcher(settings).run(fetches, on_answer)
    return [Sizes(asked[n], known[n], total[n]) for n in range(len(drawn.plan.groups))]


def _spread(urls: Sequence[Url], most: int) -> Iterator[Url]:
    """Yield at most so many of the URLs, evenly spread."""
    step = max(1, -(-len(urls) // most))
    yield from urls[::step]


def fetches_of(group: Group, variants: int) -> int:
    """Return how many targets a group has."""
    return group.urls * len(group.pops) * variants


def told(drawn: Drawn, sizes: list[Sizes], known: Catalogue) -> dict[str, Any]:
    """Return the dry run's numbers as they are stored and answered."""
    plan, variants = drawn.plan, len(drawn.plan.variants)
    groups = list(zip(plan.groups, sizes, strict=True))
    unplaced = drawn.urls[plan.placed :]
    paths, rounds = paths_and_rounds(plan.groups, drawn.urls) if plan.invalidate else (0, 0)
    work = _work(drawn, sizes, known, paths, rounds)
    return {
        "urls": plan.url_count,
        "hosts": len({url.host for url in drawn.urls}),
        "distributions": [_distribution(group, size, variants) for group, size in groups],
        "noDistribution": {"urls": len(unplaced), "hosts": sorted({url.host for url in unplaced})},
        "variants": list(plan.variants),
        "targets": plan.targets,
        "batches": plan.batches,
        "stages": plan.stages,
        "fetches": sum(work.fetches.values()),
        "invalidation": {"paths": paths, "rounds": rounds},
        "sizes": {"asked": sum(each.asked for each in sizes), "known": sum(each.known for each in sizes)},
        "estimatedBytes": None if work.bytes is None else sum(work.bytes.values()),
        "cost": estimate(work).as_json(),
        "warnings": list(plan.warnings),
    }


def _work(drawn: Drawn, sizes: list[Sizes], known: Catalogue, paths: int, rounds: int) -> Work:
    """Return what the run would be charged for; bytes only where every distribution told some size."""
    plan = drawn.plan
    proven = verification_fetches(plan, (batch for stage in drawn.stages for batch in stage))
    share = proven / plan.targets if plan.targets else 0.0
    fetches: Counter[str] = Counter()
    total: Counter[str] | None = Counter()
    for group, size in zip(plan.groups, sizes, strict=True):
        of_group, bytes_of_group = work_of_group(group, len(plan.variants), share, size.mean, known)
        fetches += of_group
        total = None if total is None or bytes_of_group is None else total + bytes_of_group
    plain = sum(url.scheme == "http" for url in drawn.urls[: plan.placed])
    return Work(
        fetches=dict(fetches),
        plain_http=plain / plan.placed if plan.placed else 0.0,
        bytes=None if total is None else {region: total[region] for region in fetches},
        batches=plan.batches,
        stages=plan.stages,
        invalidation_paths=paths,
        invalidation_rounds=rounds,
    )


def _distribution(group: Group, size: Sizes, variants: int) -> dict[str, Any]:
    return {
        "domain": group.domain,
        "id": group.distribution_id,
        "tenant": group.tenant or None,
        "urls": group.urls,
        "pops": list(group.pops),
        "skippedPops": [{"pop": each.pop, "reason": each.reason, "detail": each.detail} for each in group.skipped],
        "targets": fetches_of(group, variants),
        "meanBytes": None if size.mean is None else round(size.mean),
    }
