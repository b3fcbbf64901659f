"""What a POP is and has, apart from how it responds: its settings, its regional edge cache, its way to the origin."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from prewarm_local.edge.regional import OriginUpstream, RegionalCache, Shared
from prewarm_local.edge.response import Signature
from prewarm_local.edge.server_timing import Layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prewarm_local.edge.config import EdgeConfig
    from prewarm_local.edge.policies import Behaviours


class Place:
    """An edge location; `behaviours` by the distribution's domain; `errors`: how many errors it has sent."""

    def __init__(
        self,
        name: str,
        config: EdgeConfig,
        behaviours: Mapping[str, Behaviours],
        regional: RegionalCache,
        shared: Shared,
    ) -> None:
        """Create the edge location `name`."""
        self.name = name
        self.errors = 0
        self.config = config
        self.signature = Signature(config.impostors.get(name, name))
        self.other_pop = next((pop for pop in config.pops if pop != name), "ZZZ99-Z9")
        self.behaviours = behaviours
        self.regional = regional
        self.shared = shared
        self.origin = OriginUpstream(shared, Layer.EDGE)
        self.bypass = config.area(name) in config.regional_bypass
        self.regional_result = "Hit" if config.regional_hits_visible else "Miss"
        self.chance = random.Random(name).random  # noqa: S311  (a sample, the same in each run)
