"""The checkpoints of running runs in S3: `checkpoint.bin`, written only over the version that was read (If-Match).

A checkpoint saves reads and decides nothing: one that is missing, damaged, or cannot be read or written costs a
reading of the ledger.
"""

import zlib
from dataclasses import dataclass
from enum import Enum, auto

from prewarm.observability import logger
from prewarm.planning.plan import Plan
from prewarm.storage.bucket import Bucket, TooLarge, Unavailable
from prewarm.storage.checkpoint import Checkpoint, decoded
from prewarm.storage.keys import checkpoint_key

# A run of a million URLs has about 25 MB.
MOST_BYTES = 32_000_000
# What reading content of another kind raises; the checksum makes it improbable.
DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)


class Writing(Enum):
    """What came of writing a checkpoint: written, overtaken by another poll's, or not possible."""

    WRITTEN = auto()
    OVERTAKEN = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as it was read.

    `version`: the object's ETag, None if there is none. `lost`: there was one that cannot be used; `writable`:
    whether it may be replaced.
    """

    checkpoint: Checkpoint | None = None
    version: str | None = None
    lost: bool = False
    writable: bool = True


class CheckpointStore(Bucket):
    """Reads and writes the checkpoints, and remembers the last one of this process."""

    _run = ""
    _latest = StoredCheckpoint()

    def remembered_checkpoint(self, run: str) -> StoredCheckpoint:
        """Return the run's checkpoint as this process last saw it, without reading it."""
        return self._latest if self._run == run else StoredCheckpoint()

    def forget_checkpoints(self) -> None:
        """Let the next poll read the checkpoint, as that of a new process does."""
        self._run, self._latest = "", StoredCheckpoint()

    def get_checkpoint(self, plan: Plan) -> StoredCheckpoint:
        """Return the checkpoint of a plan's run; that of another plan of the run has only its owner."""
        run = plan.run
        known = self.remembered_checkpoint(run)
        try:
            found = self._get_versioned(checkpoint_key(run), MOST_BYTES, known.version)
        except TooLarge as large:
            return self._not_used(run, str(large), large.version)
        except Unavailable as error:
            return self._not_used(run, str(error), None, writable=False)
        if found is None:
            return StoredCheckpoint()
        body, version = found
        if version == known.version:
            return known
        try:
            return self._remember(run, StoredCheckpoint(decoded(body, plan), version))
        except DAMAGE as error:
            return self._not_used(run, f"{type(error).__name__}: {error}", version)

    def put_checkpoint(self, run: str, checkpoint: Checkpoint, version: str | None) -> Writing:
        """Store a checkpoint unless another poll has stored one since `version` was read."""
        body = checkpoint.encoded()
        if len(body) > MOST_BYTES:
            return Writing.REFUSED
        try:
            written = self._replace(checkpoint_key(run), body, version)
        except Unavailable as error:
            logger.warning("checkpoint not stored", extra={"run": run, "reason": str(error)})
            return Writing.REFUSED
        if not written:
            return Writing.OVERTAKEN
        self._remember(run, StoredCheckpoint(checkpoint, written))
        return Writing.WRITTEN

    def _remember(self, run: str, stored: StoredCheckpoint) -> StoredCheckpoint:
        self._run, self._latest = run, stored
        return stored

    def _not_used(self, run: str, reason: str, version: str | None, *, writable: bool = True) -> StoredCheckpoint:
        logger.warning("checkpoint not used", extra={"run": run, "reason": reason})
        return StoredCheckpoint(None, version, lost=True, writable=writable)
