"""Where CloudFront sends a distribution's viewers: what its price class leaves out. Pure."""

from collections.abc import Sequence

from prewarm.catalogue import Catalogue

# From the narrowest to the widest (Developer Guide, "Choosing the price class for a CloudFront distribution").
CLASSES = {"PriceClass_100": ("100",), "PriceClass_200": ("100", "200")}


def outside_price_class(price_class: str, pop_ids: Sequence[str], catalogue: Catalogue) -> dict[str, str]:
    """Return the POPs to which a distribution of this price class sends no viewers, each with the reason in words."""
    inside = CLASSES.get(price_class)
    if inside is None:
        return {}
    found = {}
    for pop in pop_ids:
        place = catalogue.locations.get(pop[:3])
        if place is not None and place.price_class not in inside:
            found[pop] = f"{price_class} sends no viewers to {place.city}"
    return found
