"""A plan's list of batches as it is stored: the pairs of a batch are read when that batch is asked for. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, overload

from prewarm.planning.plan import Batch


class BatchList(Sequence[Batch]):
    """The batches of a stored plan.

    `of_urls`: by URL index, the number of pairs that the batches have, and `of_pops`: by group and POP; None if they
    are not stored.
    """

    def __init__(
        self,
        entries: Sequence[Sequence[Any]],
        of_urls: Sequence[int] | None = None,
        of_pops: Mapping[tuple[int, str], int] | None = None,
    ) -> None:
        """Make it of the entries that Batch.as_json made."""
        self._entries, self.of_urls, self.of_pops = entries, of_urls, of_pops
        self._read: dict[int, Batch] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, place: int) -> Batch: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Batch]: ...
    def __getitem__(self, place: int | slice) -> Batch | Sequence[Batch]:
        """Return a batch, which is then remembered."""
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        number = range(len(self))[place]
        if number not in self._read:
            self._read[number] = Batch.from_json(self._entries[number])
        return self._read[number]

    @property
    def ids(self) -> list[str]:
        """Return the ids of all batches, without reading their pairs."""
        return [entry[0] for entry in self._entries]
