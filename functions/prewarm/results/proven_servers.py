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


class ServerSums:
    """The proven addresses of a run's POPs, added up in any order.

    `pops`: by group and POP, the bitmap of the addresses at which a copy was proven, and their number; `separate`:
    POPs whose addresses have caches of their own.
    """

    def __init__(self) -> None:
        self.pops: dict[tuple[int, str], tuple[int, int]] = {}
        self.separate: set[str] = set()
        self._added: set[tuple[int, tuple[str, ...], str]] = set()

    def copy(self) -> "ServerSums":
        """Return a copy to which parts can be added."""
        other = ServerSums()
        other.pops, other.separate = self.pops.copy(), self.separate.copy()
        other._added = self._added.copy()
        return other

    def add(self, group: int, names: tuple[str, ...], servers: str) -> None:
        """Add what a part has for these POPs of a group; parts of earlier versions say nothing."""
        # Most batches of the same POPs have the same addresses proven.
        if (group, names, servers) in self._added:
            return
        self._added.add((group, names, servers))
        for name, packed in zip(names, servers.split(";") if servers else (), strict=False):
            bits, _, count = packed.partition("/")
            known, most = self.pops.get((group, name), (0, 0))
            # A batch of pairs may have no target at one of its POPs, and then counts none of its addresses.
            self.pops[group, name] = known | int(bits, 16), max(most, int(count.removesuffix(SEPARATE)))
            if count.endswith(SEPARATE):
                self.separate.add(name)

    def result(self) -> ProvenServers:
        """Return the run's sums."""
        proven = sum(bits.bit_count() for bits, _ in self.pops.values())
        addresses = sum(count for _, count in self.pops.values())
        return ProvenServers(addresses, proven, tuple(sorted(self.separate)))


def proven_servers(plan: Plan, parts: Iterable[BatchResult]) -> ProvenServers:
    """Return the sums of a run's parts."""
    sums = ServerSums()
    for part in parts:
        names = plan.groups[part.group].pops[part.pop_from : part.pop_from + part.pops]
        sums.add(part.group, names, part.servers)
    return sums.result()
