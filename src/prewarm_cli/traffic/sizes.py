"""Amounts of bytes in options, such as 2GB. Pure."""

from __future__ import annotations

import os
import re

from prewarm_cli.errors import CommandFailed

SIZE = re.compile(r"(\d{1,30}(?:\.\d+)?)\s*([KMGT]?)(I?)B?", re.ASCII | re.IGNORECASE)
POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
# Below this DuckDB cannot work with two threads.
LEAST_MEMORY = 400_000_000
# More than any machine has; DuckDB reads no number above 2^64.
MOST_BYTES = 10**15
MOST_BY_DEFAULT = 4_000_000_000


def size_of(option: str, text: str) -> int:
    """Return the bytes of a text such as 2GB, 500MB or 1.5GiB.

    Raises:
        CommandFailed: the text is not a size above zero.

    """
    found = SIZE.fullmatch(text.strip())
    size = int(float(found[1]) * (1024 if found[3] else 1000) ** POWERS[found[2].upper()]) if found else 0
    if size > MOST_BYTES:
        raise CommandFailed(f"{option}: {text!r} is too large; use at most {MOST_BYTES // 10**12:,}TB")
    if size <= 0:
        raise CommandFailed(f"{option}: {text!r} is not a size; use a number of bytes or one such as 500MB or 2GB")
    return size


def memory_mb(text: str | None) -> int:
    """Return the memory setting in megabytes; by default half of this machine's, at most 4 GB.

    Raises:
        CommandFailed: the setting is not a size, or too small.

    """
    if text is None:
        half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
        return max(LEAST_MEMORY, min(half, MOST_BY_DEFAULT)) // 1_000_000
    size = size_of("--memory", text)
    if size < LEAST_MEMORY:
        raise CommandFailed(f"--memory: {text!r} is too little; use 400MB or more")
    return size // 1_000_000
