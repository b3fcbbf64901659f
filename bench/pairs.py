"""Seconds and memory of ResolveTargets for a million pairs of URL and POP, as `prewarm traffic` lists them.

    .venv/bin/python -m bench.pairs                        # a CSV in S3, plain, gzip and quoted
    .venv/bin/python -m bench.pairs --pairs 2000000        # the most that a run accepts
    .venv/bin/python -m bench.pairs --packing              # the packing into batches alone

bench/resolving.py says what is measured: the list is read and each line checked (step "read sources"), POPs are
looked up and probed, the pairs are packed into batches (step "plan") and stored.
"""

import argparse
import csv
import gzip
import io
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from bench.resolving import HOST, Resolved, resolver
from prewarm.catalogue import catalogue
from prewarm.planning.batching import MAX_URLS_PER_BATCH, POPS_PER_BATCH, expected_pairs, targets_per_batch
from prewarm.planning.packing import pack_pairs
from prewarm.planning.plan import Group, Plan
from prewarm.targets_csv import Pair, Traffic, write_targets

# Popularity of URLs and of POPs falls with their rank, as in access logs.
SKEW = 0.8


@dataclass(frozen=True)
class Packed:
    """The packing of pairs: CPU seconds of it and of counting what it expects, batches, and the fewest possible."""

    cpu: float
    counting: float
    pairs: int
    urls: int
    batches: int
    fewest: int


def masks_of(urls: int, pops: int, pairs: int) -> list[int]:
    """Return distinct pairs drawn with skewed popularity, as a mask of POPs for each URL."""
    rng = random.Random(1)  # noqa: S311 - no secret
    weights = [(rank + 1) ** -SKEW for rank in range(pops)]
    masks = [0] * urls
    count = 0
    while count < pairs:
        columns = rng.choices(range(pops), weights, k=pairs - count)
        for column in columns:
            url = min(urls - 1, int(urls * rng.random() ** (1 / (1 - SKEW))))
            bit = 1 << column
            count += not masks[url] & bit
            masks[url] |= bit
    return masks


def columns_of(mask: int) -> Iterator[int]:
    """Yield the places of a mask's bits."""
    while mask:
        bit = mask & -mask
        mask ^= bit
        yield bit.bit_length() - 1


def listed(masks: list[int]) -> Iterator[Pair]:
    """Yield the pairs in the order in which `prewarm traffic` writes them: those with the most requests first."""
    names = tuple(catalogue().pops)
    pairs = [(url, column) for url, mask in enumerate(masks) for column in columns_of(mask)]
    pairs.sort(key=lambda pair: (pair[0] + 1) * (pair[1] + 1))
    for rank, (url, column) in enumerate(pairs):
        address = f"https://{HOST}/assets/release-2026-11/chunk-{url:07}.js?v=1"
        yield Pair(address, names[column], 2 + 10**6 // (rank + 1), 512)


def quoted(file: TextIO) -> str:
    """Return a CSV of targets with all cells quoted and without marks, as a result of Athena."""
    file.seek(0)
    table = io.StringIO()
    csv.writer(table, quoting=csv.QUOTE_ALL).writerows(row for row in csv.reader(file) if not row[0].startswith("#"))
    return table.getvalue()


def measure(pairs: int = 1_000_000, urls: int = 300_000) -> dict[str, Resolved]:
    """Plan a run of so many pairs, from a CSV, from the same as gzip, and with all cells quoted as Athena does."""
    file = io.StringIO()
    curve = {50.0: pairs // 9, 95.0: pairs}
    write_targets(
        listed(masks_of(urls, len(catalogue().pops), pairs)), file, Traffic(10**9, "2026-11-01", "2026-11-02", curve)
    )
    body = file.getvalue().encode()
    with resolver() as function:
        return {
            "CSV": function.plan({"targets_s3": function.put_list("pairs.csv", body)}),
            "gzip": function.plan({"targets_s3": function.put_list("pairs.csv.gz", gzip.compress(body, 6))}),
            "quoted": function.plan({"targets_s3": function.put_list("quoted.csv", quoted(file).encode())}),
        }


def packing(pairs: int = 1_000_000, urls: int = 300_000) -> Packed:
    """Pack so many pairs into batches, in this process."""
    names = tuple(catalogue().pops)
    masks = masks_of(urls, len(names), pairs)
    group = Group("d1.cloudfront.net", "E1", 0, urls, names, len(names))
    start = time.process_time()
    _, stages = pack_pairs((group,), [masks], 1, targets_per_batch(pairs, 5))
    packed = time.process_time()
    batches = tuple(batch for stage in stages for batch in stage)
    plan = Plan("bench", 0.0, 0.0, urls, "region", ("br",), 95.0, "any", "sample", None, False, (group,),
                batches=len(batches), pairs=True, batch_list=batches)  # fmt: skip
    expected = sum(expected_pairs(plan))
    counted = time.process_time()
    rows = sum(mask > 0 for mask in masks)
    fewest = max(-(-expected // 10_000), -(-rows // MAX_URLS_PER_BATCH), -(-len(names) // POPS_PER_BATCH))
    return Packed(packed - start, counted - packed, expected, rows, len(batches), fewest)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pairs", type=int, default=1_000_000)
    options.add_argument("--urls", type=int, default=300_000)
    options.add_argument("--packing", action="store_true", help="pack them only, without reading and storing")
    wanted = options.parse_args()
    if wanted.packing:
        made = packing(wanted.pairs, wanted.urls)
        print(f"{made.pairs:,} pairs of {made.urls:,} URLs and {len(catalogue().pops)} POPs")
        print(f"packed in {made.cpu:.1f} s of CPU into {made.batches} batches (at least {made.fewest} are needed)")
        print(f"expected targets per URL in {made.counting:.1f} s")
        return
    for form, resolved in measure(wanted.pairs, wanted.urls).items():
        print(f"{wanted.pairs:,} pairs of at most {wanted.urls:,} URLs, {form}:")
        for line in resolved.lines():
            print(f"  {line}")


if __name__ == "__main__":
    main()
