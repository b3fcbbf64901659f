"""What this process added up last of a running run, for polls that have the same checkpoint."""

from typing import Generic, TypeVar

from prewarm.storage.checkpoint import Checkpoint
from prewarm.storage.planned_runs import MOST_URLS

T = TypeVar("T")


class Latest(Generic[T]):
    """The last result that followed from a checkpoint and whether it has the POPs' sums."""

    def __init__(self) -> None:
        self._of: tuple[Checkpoint, bool] | None = None
        self._result: T | None = None

    def get(self, checkpoint: Checkpoint | None, *, with_pops: bool) -> T | None:
        """Return the result for this very checkpoint, or None."""
        if self._of is None or self._of[0] is not checkpoint or self._of[1] is not with_pops:
            return None
        return self._result

    def put(self, checkpoint: Checkpoint | None, result: T, urls: int, *, with_pops: bool) -> None:
        """Keep a result of so many URLs; that of results without a checkpoint is not kept."""
        if checkpoint is None or urls > MOST_URLS:
            self._of, self._result = None, None
        else:
            self._of, self._result = (checkpoint, with_pops), result
