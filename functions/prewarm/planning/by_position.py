"""What a block stores by the position of its URLs: one entry where all URLs have the same value. Pure.

A distribution with one cache behaviour has the same for each URL; a block of thousands of them is written and read in
half of the time if it is stored once.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")
# In place of all positions.
ALL = "*"


def pack(values: Mapping[int, T], count: int) -> Mapping[int, T] | dict[str, T]:
    """Return values by position as stored; `count`: the number of URLs."""
    if count > 1 and len(values) == count:
        first = values[0]
        if all(value == first for value in values.values()):
            return {ALL: first}
    return values


def unpack(stored: Mapping[str, Any], count: int) -> dict[int, Any]:
    """Return values by position, as `pack` or an earlier version stored them; all positions share one value."""
    if ALL in stored:
        return dict.fromkeys(range(count), stored[ALL])
    return {int(position): value for position, value in stored.items()}
