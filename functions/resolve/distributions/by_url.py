"""Give each URL the value of its cache behaviour. Pure."""

from collections.abc import Sequence
from typing import TypeVar, cast

T = TypeVar("T")


def by_url(matches: Sequence[int], values: Sequence[T | None]) -> dict[int, T]:
    """Return the value of each URL's behaviour by position, without None and empty texts; `values`: by behaviour."""
    shown = [value if value != "" else None for value in values]
    if all(value is None for value in shown):
        return {}
    if len(shown) == 1:
        return dict.fromkeys(range(len(matches)), cast("T", shown[0]))
    return {position: value for position, number in enumerate(matches) if (value := shown[number]) is not None}
