"""POP selection: expand POP ids, countries, regions or `all` to POPs of the catalogue."""

import difflib
import functools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prewarm.catalogue import POP_PATTERN, Catalogue, data_text, location_of
from prewarm.errors import PROBLEMS_SHOWN, Problem, truncate

ALL = "all"
MAX_SIMILAR_NAMES = 3


@dataclass(frozen=True, slots=True)
class _Unknown:
    """An unknown name: error message, key, and valid keys to search for similar ones."""

    message: str
    key: str
    candidates: Sequence[str]


@functools.cache
def _selections() -> dict[str, dict[str, list[str]]]:
    return {kind: table for kind, table in json.loads(data_text("selections.json")).items() if kind != "source"}


def expand(
    region_type: str, names: Sequence[str], catalogue: Catalogue, *, allow_unknown_pops: bool = False
) -> tuple[list[str], list[Problem]]:
    """Return the selected POP ids without duplicates, and the problems.

    Args:
        region_type: `pop`, `country` or `region`.
        names: the request's `region`; `all` alone selects every POP, regardless of the type.
        catalogue: the POPs to select from.
        allow_unknown_pops: accept POP ids that are not in the catalogue but have a valid form.

    POPs selected by id keep the order of the request; those of countries and regions are sorted by id, name by name.
    Similar names are searched only for the problems that an error lists: each search takes milliseconds, and a
    request may contain many names.

    """
    if [name.strip().lower() for name in names] == [ALL]:
        return list(catalogue.pops), []
    lookup: dict[str, Callable[[str], list[str] | _Unknown]] = {
        "pop": functools.partial(_pop, catalogue=catalogue, allow_unknown=allow_unknown_pops),
        "country": functools.partial(_country, catalogue=catalogue),
        "region": functools.partial(_region, catalogue=catalogue),
    }
    selected: dict[str, None] = {}
    problems = []
    for index, name in enumerate(names):
        if name.strip().lower() == ALL:
            message = f"{truncate(name)!r} already selects every POP; remove the other names"
            problems.append(Problem(f"region[{index}]", message))
            continue
        pops = lookup[region_type](name.strip())
        if isinstance(pops, _Unknown):
            near = _similar(pops.key, pops.candidates) if len(problems) < PROBLEMS_SHOWN else ()
            problems.append(Problem(f"region[{index}]", pops.message, near))
        else:
            selected.update(dict.fromkeys(pops))
    return list(selected), problems


def places(region_type: str, names: Sequence[str], catalogue: Catalogue) -> list[str]:
    """Return the sorted codes of selected locations that have no known POP id.

    `names` must be valid. A selection by POP id has no such locations.
    """
    if [name.strip().lower() for name in names] == [ALL]:
        return catalogue.locations_without_pops(catalogue.countries())
    if region_type == "pop":
        return []
    table = _selections()["regions" if region_type == "region" else "countries"]
    countries = (table.get(_key(name), [_key(name).upper()]) for name in names)
    return catalogue.locations_without_pops(frozenset(code for codes in countries for code in codes))


def selection_names(region_type: str, catalogue: Catalogue) -> list[str]:
    """Return the sorted valid names of countries or regions.

    Those of countries include ISO codes in lower case.
    """
    if region_type == "region":
        return sorted(_selections()["regions"])
    return sorted({*_selections()["countries"], *(code.lower() for code in catalogue.countries())})


def _pop(name: str, catalogue: Catalogue, *, allow_unknown: bool) -> list[str] | _Unknown:
    pop_id = name.upper()
    if pop_id in catalogue.pops:
        return [pop_id]
    same_location = [each for each in catalogue.pops if location_of(each) == location_of(pop_id)]
    candidates = same_location or list(catalogue.pops)
    if not POP_PATTERN.fullmatch(pop_id):
        message = f"{truncate(name)!r} is not a valid POP id (expected a value such as ATL56-C1)"
        return _Unknown(message, pop_id, candidates)
    if allow_unknown:
        return [pop_id]
    message = f"POP {truncate(name)!r} is not in the catalogue; set allow_unknown_pops to true to use it anyway"
    return _Unknown(message, pop_id, candidates)


def _country(name: str, catalogue: Catalogue) -> list[str] | _Unknown:
    key = _key(name)
    countries = _selections()["countries"].get(key)
    iso_codes = catalogue.countries()
    if countries is None and key.upper() in iso_codes:
        countries = [key.upper()]
    if countries is None:
        names = [*_selections()["countries"], *(code.lower() for code in iso_codes)]
        return _Unknown(f"unknown country {truncate(name)!r}", key, names)
    return catalogue.in_countries(frozenset(countries))


def _region(name: str, catalogue: Catalogue) -> list[str] | _Unknown:
    regions = _selections()["regions"]
    if (countries := regions.get(_key(name))) is None:
        fix = "" if _similar(_key(name), list(regions)) else f"; the regions are {', '.join(sorted(regions))} and all"
        return _Unknown(f"unknown region {truncate(name)!r}{fix}", _key(name), list(regions))
    return catalogue.in_countries(frozenset(countries))


def _key(name: str) -> str:
    """Return a name as a key of the tables: `New Zealand` becomes `new_zealand`."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _similar(name: str, candidates: Sequence[str]) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(name, candidates, n=MAX_SIMILAR_NAMES, cutoff=0.5))
