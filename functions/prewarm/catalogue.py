"""The catalogue of CloudFront's POPs: ids, locations, regional edge caches. Data and provenance are in data/."""

import csv
import functools
import json
import math
import re
from dataclasses import dataclass
from importlib import resources

# A POP's id as X-Amz-Cf-Pop sends it: airport code, site number, kind and number.
POP_PATTERN = re.compile(r"[A-Z]{3}\d{1,3}-[A-Z]\d{1,3}", re.ASCII)
# Suffix of POP ids in the China partition (aws-cn), which does not serve the standard partition's distributions.
CHINA_PARTITION_SUFFIX = "-E1"
CHINA_PARTITION_COUNTRIES = frozenset({"CN"})
EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True, slots=True)
class Location:
    """A place with POPs.

    `code` is the airport code, `country` the ISO code; latitude and longitude are in degrees.
    """

    code: str
    city: str
    country: str
    latitude: float
    longitude: float
    price_class: str
    price_region: str = ""


@dataclass(frozen=True, slots=True)
class Pop:
    """A POP: its id and location, and how certain its existence is.

    `confidence` is high, medium or low.
    """

    id: str
    location: Location
    confidence: str
    newest_seen: str


def location_of(pop_id: str) -> str:
    """Return a POP's location code: the first three letters of its id."""
    return pop_id[:3]


@dataclass(frozen=True)
class Catalogue:
    """All known POPs of the standard partition, and all locations.

    `pops` is sorted by id; the keys of `locations` are airport codes. `unplaced`: ids of POPs that runs have met at
    locations which are not in `locations`; they are selected by id only.
    """

    pops: dict[str, Pop]
    locations: dict[str, Location]
    regional_caches: tuple[str, ...]
    unplaced: frozenset[str] = frozenset()

    def in_countries(self, countries: frozenset[str]) -> list[str]:
        """Return the ids of all POPs in these ISO 3166-1 alpha-2 countries, sorted."""
        return [pop.id for pop in self.pops.values() if pop.location.country in countries]

    def countries(self) -> frozenset[str]:
        """Return the ISO codes of all countries with a location, even without POP ids."""
        return frozenset(place.country for place in self.locations.values()) - CHINA_PARTITION_COUNTRIES

    def locations_without_pops(self, countries: frozenset[str]) -> list[str]:
        """Return the codes of these countries' locations that have no known POP id."""
        with_pops = {location_of(pop) for pop in self.pops}
        return sorted(
            place.code
            for place in self.locations.values()
            if place.country in countries - CHINA_PARTITION_COUNTRIES and place.code not in with_pops
        )

    def regional_cache_of(self, pop_id: str) -> str:
        """Return the code of the regional edge cache that most likely serves a POP.

        CloudFront does not publish the assignment. The nearest cache by great circle is an assumption, used only
        to choose the POPs of a staged run's first stage. A POP at an unknown location is its own area.
        """
        code = location_of(pop_id)
        here = self.locations.get(code)
        if here is None:
            return code
        return min(self.regional_caches, key=lambda cache: distance_km(here, self.locations[cache]))


@functools.cache
def regions_of_caches() -> dict[str, str]:
    """Return the AWS Region of each regional edge cache, by the cache's code."""
    regions: dict[str, str] = json.loads(data_text("regional_caches.json"))["regions"]
    return regions


def distance_km(here: Location, there: Location) -> float:
    """Return the great-circle distance in kilometres (haversine formula)."""
    lat1, lat2 = math.radians(here.latitude), math.radians(there.latitude)
    half_lat = (lat2 - lat1) / 2
    half_lon = math.radians(there.longitude - here.longitude) / 2
    a = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(a))


def data_text(name: str) -> str:
    """Return the text of a file in data/."""
    return resources.files("prewarm").joinpath("data", name).read_text(encoding="utf-8")


@functools.cache
def catalogue() -> Catalogue:
    """Return the catalogue that ships with the functions; it is read once."""
    locations = {
        row["airport_code"]: Location(
            code=row["airport_code"],
            city=row["city"],
            country=row["country"],
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
            price_class=row["cheapest_price_class"],
            price_region=row["price_region"],
        )
        for row in csv.DictReader(data_text("locations.csv").splitlines())
    }
    pops = {
        row["pop_id"]: Pop(row["pop_id"], locations[row["airport_code"]], row["confidence"], row["newest_seen"])
        for row in csv.DictReader(data_text("pops.csv").splitlines())
        if not row["pop_id"].endswith(CHINA_PARTITION_SUFFIX)
    }
    regional = tuple(json.loads(data_text("regional_caches.json"))["locations"])
    return Catalogue(dict(sorted(pops.items())), locations, regional)


@functools.cache
def client_subnets() -> dict[str, str]:
    """Return each location's client network for EDNS client subnet queries.

    The data are in data/client_subnets.csv.
    """
    rows = csv.DictReader(data_text("client_subnets.csv").splitlines())
    return {row["airport_code"]: row["subnet"] for row in rows}
