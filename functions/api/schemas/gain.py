"""Response models of a run's gain."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.schemas.costs import CAMEL_CASE


class GainCounts(BaseModel):
    """What a run spared the first viewers of some targets, and how many were warm before."""

    model_config = CAMEL_CASE

    pairs: Annotated[
        int, Field(description="Targets with both times: of a first Miss and of the Hit that proved it.")
    ]
    spared_ms: Annotated[
        dict[str, float] | None,
        Field(
            description="Time to first byte of the Miss minus that of the Hit in milliseconds: p50, p95, p99, "
            "accurate to 10 % or 1 ms; negative where the Hit was slower; null without a pair."
        ),
    ]
    fetched: Annotated[int, Field(description="Targets for which a complete copy was fetched.")]
    warm_before: Annotated[
        int, Field(description="Targets whose first fetch was a Hit on a copy older than the run.")
    ]


class GainRegion(GainCounts):
    """The gain of one of CloudFront's price regions."""

    region: str


class Gain(GainCounts):
    """The gain of a run."""

    text: Annotated[str, Field(description="The gain as a sentence, or why it was not measured.")]
    regions: list[GainRegion]
