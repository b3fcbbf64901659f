"""Which POPs differ from the others. Pure."""

from collections.abc import Sequence

# A POP differs from the others if its share of warm targets is so many percentage points below their median, or if it
# is one of so few (in percent of the POPs, and at least one) that are below it.
POINTS_BELOW, FEW_PERCENT = 5.0, 10.0


def outliers(shares: Sequence[float | None]) -> list[bool]:
    """Return for each POP whether it is less warm than the others; `shares` are percentages, None: not judged."""
    known = sorted(share for share in shares if share is not None)
    if not known:
        return [False] * len(shares)
    middle = known[len(known) // 2]
    few = sum(share < middle for share in known) <= max(1.0, len(known) * FEW_PERCENT / 100)
    return [share is not None and share < middle and (few or middle - share >= POINTS_BELOW) for share in shares]
