"""Response models of the POP catalogue."""

from typing import Literal

from api.schemas.responses import ApiModel, Counts


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


class Pops(ApiModel):
    """The POP catalogue, and the number of POPs of each region and country."""

    pops: list[Pop]
    regions: Counts
    countries: Counts
    locations_without_pops: list[str]
    newest_seen: str
    edge_networks_of: str
    source: str
