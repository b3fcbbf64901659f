"""Loaded by each worker of the fault matrix at its start: a clock that can be set, small batches, late workers.

The first eight bytes of the file PREWARM_TRUST_CLOCK are seconds to add to time.time(), the next eight the same for
processes with an odd id only.
"""

import mmap
import os
import struct
import time

_path = os.environ.get("PREWARM_TRUST_CLOCK")
if _path:
    with open(_path, "r+b") as _file:  # noqa: PTH123  as early and as light as possible
        _steps = mmap.mmap(_file.fileno(), 16)
    _real, _odd = time.time, os.getpid() % 2

    def _stepped() -> float:
        every, odd = struct.unpack("dd", _steps[:16])
        return float(_real() + every + odd * _odd)

    time.time = _stepped

_targets = os.environ.get("PREWARM_TRUST_BATCH")
if _targets:
    import prewarm.planning.batching

    prewarm.planning.batching.MIN_TARGETS_PER_BATCH = int(_targets)

    # World.limit_workers announces an end at which workers are not killed, and on a busy machine they write after it.
    # The list of working attempts has to say so: in Lambda none writes after the time that it names.
    from prewarm.storage.ledger import Ledger

    _open_attempt = Ledger.open_attempt

    def _open_for_longer(ledger: Ledger, run: str, attempt: str, until: float) -> None:
        _open_attempt(ledger, run, attempt, until + 10)

    Ledger.open_attempt = _open_for_longer  # type: ignore[assignment, method-assign]
