"""GET /pops: the POP catalogue, and the number of POPs of each region and country."""

import json
from typing import Any

from prewarm.catalogue import catalogue, data_text
from prewarm.request.pop_selection import ALL, expand, selection_names


def pops() -> dict[str, Any]:
    """Return POPs, regions and countries with their POP counts, and the data's source."""
    pop_catalogue = catalogue()

    def count(region_type: str, name: str) -> int:
        return len(expand(region_type, [name], pop_catalogue)[0])

    return {
        "pops": [
            {
                "id": pop.id,
                "location": pop.location.code,
                "city": pop.location.city,
                "country": pop.location.country,
                "latitude": pop.location.latitude,
                "longitude": pop.location.longitude,
                "priceClass": pop.location.price_class,
                "confidence": pop.confidence,
                "newestSeen": pop.newest_seen,
            }
            for pop in pop_catalogue.pops.values()
        ],
        "regions": {name: count("region", name) for name in [ALL, *selection_names("region", pop_catalogue)]},
        "countries": {name: count("country", name) for name in selection_names("country", pop_catalogue)},
        "locationsWithoutPops": pop_catalogue.locations_without_pops(pop_catalogue.countries()),
        "newestSeen": max(pop.newest_seen for pop in pop_catalogue.pops.values()),
        "edgeNetworksOf": json.loads(data_text("edge_networks.json"))["createDate"][:10],
        "source": "POP ids are unofficial: collected from public material, see functions/prewarm/data/README.md",
    }
