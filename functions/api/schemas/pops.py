"""Response models of the POP catalogue."""

from typing import Literal

from api.schemas.responses import ApiModel, Counts


class LearnedPop(ApiModel):
    """When runs met a POP first and last, and how; `probed`: the day of a candidate's last probe without success."""

    first_seen: str
    last_seen: str
    how: list[Literal["run", "substitute", "traffic"]]
    probed: str | None


class Pop(ApiModel):
    """A POP in the catalogue."""

    id: str
    location: str
    city: str
    country: str
    latitude: float
    longitude: float
    price_class: str
    confidence: Literal["high", "medium", "low"]
    newest_seen: str
    learned: LearnedPop | None


class UnplacedPop(ApiModel):
    """A POP that runs have met at a location which is not known; it is selected by id only."""

    id: str
    learned: LearnedPop | None


class CandidatePop(ApiModel):
    """A POP that is only named in targets: runs probe it, and no selection takes it."""

    id: str
    location: str
    learned: LearnedPop


class Pops(ApiModel):
    """The POP catalogue, and the number of POPs of each region and country."""

    pops: list[Pop]
    regions: Counts
    countries: Counts
    locations_without_pops: list[str]
    pops_without_location: list[UnplacedPop]
    candidates: list[CandidatePop]
    newest_seen: str
    edge_networks_of: str
    source: str
