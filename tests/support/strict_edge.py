"""The simulated CloudFront that the product's tests run against: strict, unless a test says why not."""

from collections.abc import Mapping
from typing import Any

from prewarm_local.edge.process import SimulatedCloudFront
from prewarm_local.edge.strict import SWITCHES, strict


def strict_cloudfront(
    config: Mapping[str, Any], *, lenient: Mapping[str, Any] | None = None, because: str = ""
) -> SimulatedCloudFront:
    """Return a simulation with the strictest setting of each switch.

    `lenient` sets switches to other values, and `because` states the reason.
    """
    lenient = dict(lenient or {})
    if in_config := sorted(set(config) & set(SWITCHES)):
        raise ValueError(f"config: sets {', '.join(in_config)}; switches go into lenient=, with a reason")
    if unknown := sorted(set(lenient) - set(SWITCHES)):
        raise ValueError(f"lenient: {', '.join(unknown)} is not a switch; valid: {', '.join(SWITCHES)}")
    if bool(lenient) is not bool(because):
        raise ValueError("lenient and because: give both, or none")
    return SimulatedCloudFront(strict({**config, **lenient}))
