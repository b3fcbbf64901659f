"""The cursor that a worker passes to the next one: which targets of a batch are finished. Pure."""

import base64
import zlib
from dataclasses import dataclass, field
from typing import Any

from prewarm.planning.cells import Cells

# A cursor's value for a target that was fetched completely and is not verified yet. Smaller values count its tries.
FETCHED = 3


@dataclass(frozen=True, slots=True)
class Cursor:
    """The state of a batch between two workers: the next part's number, and the progress of its targets.

    `done` is a bitmap of the finished targets; `progress` has, for others, the number of failed tries, or FETCHED.
    `attempt`: the id of the attempt that left this cursor; empty in part 0, and in cursors of earlier versions.
    """

    part: int = 0
    done: bytes = b""
    progress: dict[int, int] = field(default_factory=dict)
    attempt: str = ""

    @classmethod
    def from_json(cls, document: dict[str, Any] | None) -> "Cursor":
        """Read a cursor from the state's input; None is a batch that has not started.

        Raises:
            ValueError: the document is not a cursor.

        """
        if document is None:
            return cls()
        try:
            return cls._read(document)
        except (LookupError, TypeError, ValueError, zlib.error) as error:
            raise ValueError(f"the cursor cannot be read: {type(error).__name__}: {error}") from error

    @classmethod
    def _read(cls, document: dict[str, Any]) -> "Cursor":
        packed = zlib.decompress(base64.b64decode(document["progress"]))
        progress = {
            4 * place + shift: value
            for place, byte in enumerate(packed)
            if byte
            for shift in range(4)
            if (value := byte >> 2 * shift & 3)
        }
        done = zlib.decompress(base64.b64decode(document["done"]))
        return cls(document["part"], done, progress, document.get("attempt", ""))

    def as_json(self) -> dict[str, Any]:
        """Return the cursor for the state's output: at most three bits per target, compressed."""
        packed = bytearray(max(self.progress, default=-1) // 4 + 1)
        for number, value in self.progress.items():
            packed[number // 4] |= value << 2 * (number % 4)
        bitmaps = {"done": self.done, "progress": bytes(packed)}
        return {"part": self.part, "attempt": self.attempt} | {
            name: base64.b64encode(zlib.compress(bits)).decode() for name, bits in bitmaps.items()
        }


def nothing_done(cells: Cells, variants: int) -> bytearray:
    """Return the bitmap of a batch that has not begun: only cells that it does not have count as finished."""
    size = len(cells.rows) * cells.pops
    if cells.masks is None:
        return bytearray((size * variants + 7) // 8)
    absent, whole = 0, (1 << cells.pops) - 1
    for mask in reversed(cells.masks):
        absent = absent << cells.pops | mask ^ whole
    bits = 0
    for _ in range(variants):
        bits = bits << size | absent
    return bytearray(bits.to_bytes((size * variants + 7) // 8, "little"))
