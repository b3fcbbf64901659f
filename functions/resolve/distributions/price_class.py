"""Price classes: the POPs to which CloudFront sends no viewers of a distribution. Pure."""

from collections.abc import Sequence

from prewarm.catalogue import Catalogue, location_of

# From the narrowest to the widest (Developer Guide, "Choosing the price class for a CloudFront distribution").
CLASSES = {"PriceClass_100": ("100",), "PriceClass_200": ("100", "200")}


def outside_price_class(price_class: str, pop_ids: Sequence[str], catalogue: Catalogue) -> dict[str, str]:
    """Return the POPs outside a price class, each with the reason as a sentence.

    A POP of an unknown location counts as inside, and so does every POP if the price class is unknown.
    """
    inside = CLASSES.get(price_class)
    if inside is None:
        return {}
    outside = {}
    for pop in pop_ids:
        location = catalogue.locations.get(location_of(pop))
        if location is not None and location.price_class not in inside:
            outside[pop] = f"{price_class} sends no viewers to {location.city}"
    return outside
