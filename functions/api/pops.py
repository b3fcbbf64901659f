"""GET /pops: the catalogue of POPs, and what the names of a selection mean."""

import json
from typing import Any

from prewarm.catalogue import catalogue, data_text
from prewarm.request.pop_selection import ALL, expand, known_names


def pops() -> dict[str, Any]:
    """Return the catalogue: POPs, regions and countries with their POP counts, and where the data come from."""
    known = catalogue()
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
            for pop in known.pops.values()
        ],
        "regions": {name: len(expand("region", [name], known)[0]) for name in [ALL, *known_names("region", known)]},
        "countries": {name: len(expand("country", [name], known)[0]) for name in known_names("country", known)},
        "locationsWithoutPops": known.nameless(known.countries()),
        "newestSeen": max(pop.newest_seen for pop in known.pops.values()),
        "edgeNetworksOf": json.loads(data_text("edge_networks.json"))["createDate"][:10],
        "source": "POP ids are unofficial: gathered from public material, see functions/prewarm/data/README.md",
    }
