"""A plan's list of batches as it is stored: the pairs of a batch are read when that batch is asked for. Pure."""

from collections.abc import Sequence
from typing import Any, overload

from prewarm.planning.plan import Batch


class BatchList(Sequence[Batch]):
    """The batches of a stored plan."""

    def __init__(self, entries: Sequence[Sequence[Any]]) -> None:
        """Make it of the entries that Batch.as_json made."""
        self._entries = entries
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
