"""Measure the packing of a million pairs of URL and POP into batches: seconds, peak memory, number of batches.

Run with `python -m bench.pairs`; `--pairs` sets another number.
"""

import argparse
import random
import resource
import time

from prewarm.catalogue import catalogue
from prewarm.planning.batching import MAX_URLS_PER_BATCH, POPS_PER_BATCH, expected_pairs, targets_per_batch
from prewarm.planning.packing import pack_pairs
from prewarm.planning.plan import Group, Plan

# Popularity of URLs and of POPs falls with their rank, as in access logs.
SKEW = 0.8


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


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=1_000_000)
    options.add_argument("--urls", type=int, default=300_000)
    wanted = options.parse_args()
    names = tuple(catalogue().pops)
    masks = masks_of(wanted.urls, len(names), wanted.pairs)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    group = Group("d1.cloudfront.net", "E1", 0, wanted.urls, names, len(names))
    start = time.process_time()
    _, stages = pack_pairs((group,), [masks], 1, targets_per_batch(wanted.pairs, 5))
    packed = time.process_time()
    batches = tuple(batch for stage in stages for batch in stage)
    plan = Plan("bench", 0.0, 0.0, wanted.urls, "region", ("br",), 95.0, "any", "sample", None, False, (group,),
                batches=len(batches), pairs=True, batch_list=batches)  # fmt: skip
    expected = sum(expected_pairs(plan))
    counted = time.process_time()
    rows = sum(mask > 0 for mask in masks)
    fewest = max(-(-expected // 10_000), -(-rows // MAX_URLS_PER_BATCH), -(-len(names) // POPS_PER_BATCH))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{expected:,} pairs of {rows:,} URLs and {len(names)} POPs")
    print(f"packed in {packed - start:.1f} s of CPU into {len(batches)} batches (at least {fewest} are needed)")
    print(f"expected targets per URL in {counted - packed:.1f} s; {peak:.0f} MB, of which {before:.0f} MB the pairs")


if __name__ == "__main__":
    main()
