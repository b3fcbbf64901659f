"""POP selection: expand POP ids, countries, regions or `all` to POPs of the catalogue."""

import difflib
import functools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prewarm.catalogue import POP_PATTERN, Catalogue, data_text, location_of
from prewarm.errors import PROBLEMS_SHOWN, UNLISTED, Problem, truncate

ALL = "all"
MAX_SIMILAR_NAMES = 3


# Most entries of `region`: seven times the POPs of the catalogue. The longest valid name has 14 characters.
MAX_NAMES = 5_000
MAX_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class _Unknown:
    """An unknown name, and the function that makes its problem from the field.

    Only the problems that an error lists are made: each search for similar names takes milliseconds.
    """

    problem: Callable[[str], Problem]


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
    A name that is repeated is looked up once.

    """
    if len(names) > MAX_NAMES:
        return [], [Problem("region", f"has {len(names):,} names; at most {MAX_NAMES:,} are accepted")]
    if [name.strip().lower() for name in names] == [ALL]:
        return list(catalogue.pops), []
    lookup: dict[str, Callable[[str], list[str] | _Unknown]] = {
        "pop": functools.partial(_pop, catalogue=catalogue, allow_unknown=allow_unknown_pops),
        "country": functools.partial(_country, catalogue=catalogue),
        "region": functools.partial(_region, catalogue=catalogue),
    }
    find = functools.cache(lookup[region_type])
    selected: dict[str, None] = {}
    problems: list[Problem] = []
    for index, name in enumerate(names):
        found = _all_among_others(name) if _is_all(name) else find(name.strip())
        if not isinstance(found, _Unknown):
            selected.update(dict.fromkeys(found))
        elif len(problems) < PROBLEMS_SHOWN:
            problems.append(found.problem(f"region[{index}]"))
        else:
            problems.append(UNLISTED)
    return list(selected), problems


def _is_all(name: str) -> bool:
    return name.strip().lower() == ALL


def _all_among_others(name: str) -> _Unknown:
    message = f"{truncate(name)!r} already selects every POP; remove the other names"
    return _Unknown(lambda field: Problem(field, message))


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
    if pop_id in catalogue.pops or pop_id in catalogue.unplaced:
        return [pop_id]
    valid = POP_PATTERN.fullmatch(pop_id) is not None
    if valid and allow_unknown:
        return [pop_id]
    message = (
        f"POP {truncate(name)!r} is not in the catalogue; set allow_unknown_pops to true to use it anyway"
        if valid
        else f"{truncate(name)!r} is not a valid POP id (expected a value such as ATL56-C1)"
    )

    def problem(field: str) -> Problem:
        same_location = [each for each in catalogue.pops if location_of(each) == location_of(pop_id)]
        return Problem(field, message, _similar(pop_id, same_location or list(catalogue.pops)))

    return _Unknown(problem)


def _country(name: str, catalogue: Catalogue) -> list[str] | _Unknown:
    key = _key(name)
    countries = _selections()["countries"].get(key)
    if countries is None and key.upper() in catalogue.countries():
        countries = [key.upper()]
    if countries is not None:
        return catalogue.in_countries(frozenset(countries))

    def problem(field: str) -> Problem:
        return Problem(
            field, f"unknown country {truncate(name)!r}", _similar(key, selection_names("country", catalogue))
        )

    return _Unknown(problem)


def _region(name: str, catalogue: Catalogue) -> list[str] | _Unknown:
    regions = _selections()["regions"]
    if (countries := regions.get(_key(name))) is not None:
        return catalogue.in_countries(frozenset(countries))

    def problem(field: str) -> Problem:
        near = _similar(_key(name), list(regions))
        fix = "" if near else f"; the regions are {', '.join(sorted(regions))} and all"
        return Problem(field, f"unknown region {truncate(name)!r}{fix}", near)

    return _Unknown(problem)


def _key(name: str) -> str:
    """Return a name as a key of the tables: `New Zealand` becomes `new_zealand`."""
    return re.sub(r"[\s_-]+", "_", name[: MAX_NAME_LENGTH + 1].strip().lower())


def _similar(name: str, candidates: Sequence[str]) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(name[:MAX_NAME_LENGTH], candidates, n=MAX_SIMILAR_NAMES, cutoff=0.5))
