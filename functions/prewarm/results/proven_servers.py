"""At how many addresses of each POP a copy was proven, and which POPs' addresses have separate caches. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from prewarm.planning.plan import Plan
from prewarm.results.batch_result import BatchResult

SEPARATE = "s"


@dataclass(frozen=True)
class ProvenServers:
    """A run's sums: addresses of its POPs, those at which a copy was proven, POPs with separate caches."""

    addresses: int = 0
    proven: int = 0
    separate_pops: tuple[str, ...] = field(default_factory=tuple)


def pack_servers(counts: Sequence[int], proven: Sequence[int], separate: Iterable[int]) -> str:
    """Return a tile's POPs as the ledger stores them: bitmap of proven addresses / their number, in order."""
    apart = set(separate)
    return ";".join(
        f"{bits:x}/{count}{SEPARATE if pop in apart else ''}"
        for pop, (count, bits) in enumerate(zip(counts, proven, strict=True))
    )


def proven_servers(plan: Plan, parts: Iterable[BatchResult]) -> ProvenServers:
    """Return the sums of a run's parts; parts of earlier versions say nothing."""
    bitmaps: dict[tuple[int, str], int] = {}
    counts: dict[tuple[int, str], int] = {}
    separate: set[str] = set()
    # Most batches of the same POPs have the same addresses proven.
    for group, pop_from, pops, servers in {(part.group, part.pop_from, part.pops, part.servers) for part in parts}:
        names = plan.groups[group].pops[pop_from : pop_from + pops]
        for name, packed in zip(names, servers.split(";") if servers else (), strict=False):
            bits, _, count = packed.partition("/")
            key = (group, name)
            bitmaps[key] = bitmaps.get(key, 0) | int(bits, 16)
            # A batch of pairs may have no target at one of its POPs, and then counts none of its addresses.
            counts[key] = max(counts.get(key, 0), int(count.removesuffix(SEPARATE)))
            if count.endswith(SEPARATE):
                separate.add(name)
    proven = sum(bits.bit_count() for bits in bitmaps.values())
    return ProvenServers(sum(counts.values()), proven, tuple(sorted(separate)))
