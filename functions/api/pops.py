"""GET /pops: the POPs that runs can select, with what runs have learned, and how many each place has."""

from typing import Any

from api.known_pops import known_pops
from prewarm.catalogue import location_of
from prewarm.edge_networks import read_stored, shipped
from prewarm.knowledge import Sighting
from prewarm.request.pop_selection import ALL, expand, selection_names
from prewarm.storage.knowledge_store import KnowledgeStore


def pops(store: KnowledgeStore) -> dict[str, Any]:
    """Return POPs, regions and countries with their POP counts, and the data's source.

    A POP that runs have met has `learned`; those at unknown locations, and candidates, are listed by id.
    """
    pop_catalogue, knowledge = known_pops(store)

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
                "learned": _learned(knowledge.pops.get(pop.id)),
            }
            for pop in pop_catalogue.pops.values()
        ],
        "regions": {name: count("region", name) for name in [ALL, *selection_names("region", pop_catalogue)]},
        "countries": {name: count("country", name) for name in selection_names("country", pop_catalogue)},
        "locationsWithoutPops": pop_catalogue.locations_without_pops(pop_catalogue.countries()),
        "popsWithoutLocation": [
            {"id": pop, "learned": _learned(knowledge.pops.get(pop))} for pop in sorted(pop_catalogue.unplaced)
        ],
        "candidates": [
            {"id": pop, "location": location_of(pop), "learned": _learned(sighting)}
            for pop, sighting in knowledge.candidates.items()
        ],
        "newestSeen": max(pop.newest_seen for pop in pop_catalogue.pops.values()),
        "edgeNetworksOf": networks_of(store),
        "source": "POP ids are unofficial: collected from public material, see functions/prewarm/data/README.md, "
        "and from the POPs that runs have met",
    }


def networks_of(store: KnowledgeStore) -> str:
    """Return the day of the newest list of CloudFront's networks that is stored or ships, as AWS dated it."""
    try:
        stored = read_stored(store.get_networks().content)
    except ValueError:
        return shipped().created[:10]
    return max(stored.created, shipped().created)[:10]


def _learned(sighting: Sighting | None) -> dict[str, Any] | None:
    if sighting is None:
        return None
    document = sighting.as_json()
    return {
        "firstSeen": document["first"],
        "lastSeen": document["last"],
        "how": document.get("how", []),
        "probed": document.get("probed"),
    }
