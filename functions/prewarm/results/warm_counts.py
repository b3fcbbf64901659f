"""How many targets of each warm URL are warm, as run lengths: most URLs have the same counts. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, repeat

# The most bytes that one entry takes in JSON: three numbers of up to nine digits.
ENTRY_BYTES = 36


def run_lengths(counts: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return [warm, reachable, number of URLs] for each stretch of URLs with the same counts."""
    return [[*pair, sum(1 for _ in same)] for pair, same in groupby(counts)]


def each_count(stretches: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Yield (warm, reachable) of each URL; the opposite of `run_lengths`."""
    return chain.from_iterable(repeat((warm, reachable), urls) for warm, reachable, urls in stretches)
