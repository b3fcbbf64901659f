"""The gain that a worker measured, by location, as its batch's result stores it. Pure."""

from collections.abc import Sequence

from prewarm.planning.plan import REGIONAL, Plan
from prewarm.results.gain import Gain, pack_gains
from prewarm.results.stats import PopSums

# Of a POP's id: its location (prewarm.catalogue.location_of, which this function does not import).
LOCATION_CHARACTERS = 3


def packed_gains(plan: Plan, pops: Sequence[str], sums: Sequence[PopSums], gains: Sequence[Gain]) -> str:
    """Return the gains of POPs, added up by location and packed; the recorded failures have counted other copies.

    It is empty in a regional run, whose first fetch of a target fills another cache than the POP's own.
    """
    if plan.tier == REGIONAL:
        return ""
    by_location: dict[str, Gain] = {}
    for name, counted, gain in zip(pops, sums, gains, strict=True):
        location = by_location.setdefault(name[:LOCATION_CHARACTERS], Gain())
        location.add(gain)
        location.fetched += counted.warm
    return pack_gains(by_location)
