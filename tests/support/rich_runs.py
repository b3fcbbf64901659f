"""Runs whose parts have a value in each field: rectangles and pairs, in several parts, by several workers."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from prewarm.planning.batching import tiled
from prewarm.planning.packing import pack_pairs
from prewarm.planning.plan import Batch, Group, Plan, Skipped
from prewarm.results.batch_result import BatchResult
from prewarm.results.encodings import pack
from prewarm.results.failures import Example, Kind
from prewarm.results.gain import Gain, pack_gains
from prewarm.results.proven_servers import pack_servers
from prewarm.results.rollup import rolled_up
from prewarm.results.run_sums import RunSums
from prewarm.results.short_lived import ExpiringCopies, ShortLived, pack_short_lived
from prewarm.results.stats import PopSums, pack_pops
from prewarm.results.url_results import UrlResults
from tests.support.builders import plan as plan_of

KINDS = ("timeout", "server_error:502:origin", "client_error:404", "server_error:503:origin")
CONTENTS = ("11111111", "22222222", "00000000")


def rich_plan(rng: random.Random) -> Plan:
    """Return the plan of a run of rectangles or of pairs."""
    pops = tuple(f"SYD{number}-C1" for number in range(1, rng.choice([4, 8, 130])))
    urls = rng.randint(1, 12)
    groups = (
        Group("d1.cloudfront.net", "E1", 0, urls, pops, rng.randint(1, len(pops)), (Skipped("X1-C1", "wrong_pop"),)),
        Group("d2.cloudfront.net", "E2", urls, urls + 3, pops[:2], 1),
    )
    plan = plan_of(
        run="rich", url_count=urls + 3 + rng.randint(0, 2), groups=groups, attempt="plan",
        variants=("br", "gzip")[: rng.randint(1, 2)],
        percent_needed=rng.choice([50.0, 95.0]), max_concurrency=rng.choice([1, 50]), stages=2,
    )  # fmt: skip
    if rng.random() < 0.5:
        batches = tuple(tiled(plan))
    else:
        masks = [[rng.getrandbits(len(group.pops)) for _ in range(group.urls)] for group in groups]
        _, stages = pack_pairs(groups, masks, len(plan.variants), rng.choice([1, 20, 200]))
        batches = tuple(batch for stage in stages for batch in stage)
        plan = replace(plan, pairs=bool(batches), lists_batches=True)
    targets = sum(batch.targets for batch in batches)
    return replace(plan, batch_list=batches, batches=len(batches), targets=targets)


def rich_parts(plan: Plan, rng: random.Random) -> Iterator[BatchResult]:
    """Yield the parts of all batches: those of one chain, and some that a stranger or an earlier version wrote."""
    for batch in plan.batch_list:
        count = rng.choice([1, 1, 2, 3])
        for number in range(count):
            last = number == count - 1
            done = batch.targets - (count - 1) * (batch.targets // count) if last else batch.targets // count
            owners: dict[str, Any] = {"attempt": f"a{number}", "previous": f"a{number - 1}" if number else ""}
            if rng.random() < 0.1:
                owners = rng.choice([owners | {"previous": "stranger"}, {"attempt": "", "previous": ""}])
            elif rng.random() < 0.05:
                done += rng.choice([-1, 1])
            yield _part(plan, batch, number, rng, finished=last, done=done, redrives=rng.choice([0, 0, 1]), **owners)


def _part(plan: Plan, batch: Batch, number: int, rng: random.Random, *, done: int, **fields: Any) -> BatchResult:
    rows, pops = list(batch.cells.rows), batch.pop_to - batch.pop_from
    names, copies = plan.groups[batch.group].pops[batch.pop_from : batch.pop_to], len(rows) * len(plan.variants)
    failed: dict[int, dict[str, int]] = {}
    for index in rows:
        if done > 0 and rng.random() < 0.3:
            failed[index] = dict.fromkeys(sorted(rng.sample(KINDS, rng.randint(1, 2))), 1)
    examples = []
    for index, counts in failed.items():
        kind = Kind.of(max(counts, key=counts.__getitem__))
        if rng.random() < 0.8:
            status, name = int(kind.status or 0), rng.choice(names)
            examples.append(Example(index, name, kind.outcome, status, "Error", f"{rng.random()}", kind.cause))
    sums = [PopSums(*(rng.randint(0, 50) for _ in range(6))) for _ in names]
    gains = {rng.choice(["SYD", "NRT", "FRA"]): Gain(rng.randint(0, 9), 1, Counter({rng.randint(-5, 20): 3}))}
    dark = tuple(Skipped(name, "timeout", f"{batch.id}-{number}") for name in names if rng.random() < 0.02)
    lives = {
        index: ShortLived(2, 60, rng.randint(1, 99), rng.randint(100, 300), rng.randrange(pops))
        for index in rows if rng.random() < 0.1
    }  # fmt: skip
    bits = {number: rng.randint(1, 2**pops - 1) for number in range(copies) if rng.random() < 0.1}
    return BatchResult(
        batch.id, number, batch.group, batch.url_from, batch.url_to, pops, done=done,
        outcomes={"warmed": max(0, done - 1), rng.choice(KINDS).partition(":")[0]: 1}, verified=rng.randint(0, 5),
        bytes=rng.randint(0, 10**6), failed=failed, dark=dark, pop_from=batch.pop_from,
        warm={} if fields["finished"] else {index: 1 for index in rows if rng.random() < 0.3},
        layers={rng.choice(["edge", "regional"]): 2}, contents="".join(rng.choice(CONTENTS) for _ in range(copies)),
        mixed={index: (names[0], names[-1]) for index in rows if rng.random() < 0.05}, per_pop=pack_pops(sums),
        times={rng.randint(0, 40): 3}, plain=rng.randint(0, 3), gb_ms=rng.randint(0, 99), examples=tuple(examples),
        verified_in_pop=1, vary={"origin": (rng.randint(1, 5), rng.choice(rows))} if rng.random() < 0.2 else {},
        encodings="".join(rng.choice("bBiI-") for _ in range(copies)) if rng.random() < 0.9 else "",
        verified_elsewhere=2, plain_copies=pack(bits) if rng.random() < 0.3 else b"",
        servers=pack_servers([2] * pops, [rng.randint(0, 3) for _ in names], [0] if rng.random() < 0.1 else []),
        uncompressed=pack(bits) if rng.random() < 0.3 else b"",
        targets=batch.targets, gain=pack_gains(gains), short_lived=pack_short_lived(lives), **fields,
    )  # fmt: skip


def facts_of(sums: RunSums) -> dict[str, Any]:
    """Return all that a status or a summary shows of a run's sums."""
    rolled = rolled_up(sums, UrlResults(sums, None))
    kinds = [list(url.kinds.items()) for url in rolled.urls]
    measured = sums.measured.measured()
    return {
        "rolled": replace(
            rolled, urls=list(rolled.urls), mixed=dict(rolled.mixed), uncompressed={}, short_lived=ExpiringCopies()
        ),
        "expired": [sums.contents.short_lived.expired(at) for at in (0, 50, 150, 400)],
        "kinds": kinds,
        "uncompressed": list(rolled.uncompressed.items()),
        "all uncompressed": list(sums.contents.all_uncompressed().items()),
        "measured": (
            measured.pops_as_json(),
            measured.times_as_json(),
            measured.plain,
            measured.gb_ms,
            measured.parts,
        ),
        "gains": sums.gains,
        "batches": (sums.finished, sums.started),
    }
