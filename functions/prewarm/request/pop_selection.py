"""Which POPs a request means: POP ids, countries, regions or all."""

import difflib
import functools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prewarm.catalogue import POP_PATTERN, Catalogue, data_text
from prewarm.errors import PROBLEMS_TOLD, Problem, truncate

ALL = "all"
NEAR_NAMES = 3


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A name that means nothing: what to say of it, its key, and the keys among which near ones are sought."""

    message: str
    key: str
    known: Sequence[str]


@functools.cache
def _selections() -> dict[str, dict[str, list[str]]]:
    return {kind: table for kind, table in json.loads(data_text("selections.json")).items() if kind != "source"}


def expand(
    region_type: str, names: Sequence[str], catalogue: Catalogue, *, allow_unknown_pops: bool = False
) -> tuple[list[str], list[Problem]]:
    """Return the ids of the POPs that a selection means, each once, and what is wrong with the selection.

    Args:
        region_type: `pop`, `country` or `region`.
        names: what the request's `region` lists; the one word `all` means every POP, whatever the type.
        catalogue: the known POPs.
        allow_unknown_pops: take POP ids that the catalogue does not know, if they look like one.

    POPs asked for by id keep the order of the request; the others come name by name, in order of id. Near names are
    sought for as many problems as an error spells out: seeking takes milliseconds each, and a list may be long.

    """
    if [name.strip().lower() for name in names] == [ALL]:
        return list(catalogue.pops), []
    lookup: dict[str, Callable[[str], list[str] | _Unknown]] = {
        "pop": functools.partial(_pop, catalogue=catalogue, allow_unknown=allow_unknown_pops),
        "country": functools.partial(_country, catalogue=catalogue),
        "region": functools.partial(_region, catalogue=catalogue),
    }
    found: dict[str, None] = {}
    problems = []
    for index, name in enumerate(names):
        if name.strip().lower() == ALL:
            problems.append(Problem(f"region[{index}]", f"{truncate(name)!r} means every POP already; give it alone"))
            continue
        response = lookup[region_type](name.strip())
        if isinstance(response, _Unknown):
            near = _near(response.key, response.known) if len(problems) < PROBLEMS_TOLD else ()
            problems.append(Problem(f"region[{index}]", response.message, near))
        else:
            found.update(dict.fromkeys(response))
    return list(found), problems


def places(region_type: str, names: Sequence[str], catalogue: Catalogue) -> list[str]:
    """Return the airport codes of a selection's locations in which no POP's id is known, in order.

    `names` are known ones; POPs asked for by id have no other places.
    """
    if [name.strip().lower() for name in names] == [ALL]:
        return catalogue.nameless(catalogue.countries())
    if region_type == "pop":
        return []
    table = _selections()["regions" if region_type == "region" else "countries"]
    countries = (table.get(_key(name), [_key(name).upper()]) for name in names)
    return catalogue.nameless(frozenset(code for codes in countries for code in codes))


def known_names(region_type: str, catalogue: Catalogue) -> list[str]:
    """Return the names that a `country` or `region` may have, ISO codes in lower case among them, in order."""
    if region_type == "region":
        return sorted(_selections()["regions"])
    return sorted({*_selections()["countries"], *(code.lower() for code in catalogue.countries())})


def _pop(name: str, catalogue: Catalogue, *, allow_unknown: bool) -> list[str] | _Unknown:
    pop_id = name.upper()
    if pop_id in catalogue.pops:
        return [pop_id]
    same_place = [each for each in catalogue.pops if each[:3] == pop_id[:3]]
    known = same_place or list(catalogue.pops)
    if not POP_PATTERN.fullmatch(pop_id):
        return _Unknown(f"{truncate(name)!r} is no POP id, which looks like ATL56-C1", pop_id, known)
    if allow_unknown:
        return [pop_id]
    advice = "; set allow_unknown_pops to true to try it all the same"
    return _Unknown(f"POP {truncate(name)!r} is not in the catalogue{advice}", pop_id, known)


def _country(name: str, catalogue: Catalogue) -> list[str] | _Unknown:
    key = _key(name)
    countries = _selections()["countries"].get(key)
    known = catalogue.countries()
    if countries is None and key.upper() in known:
        countries = [key.upper()]
    if countries is None:
        names = [*_selections()["countries"], *(code.lower() for code in known)]
        return _Unknown(f"unknown country {truncate(name)!r}", key, names)
    return catalogue.in_countries(frozenset(countries))


def _region(name: str, catalogue: Catalogue) -> list[str] | _Unknown:
    regions = _selections()["regions"]
    if (countries := regions.get(_key(name))) is None:
        known = "" if _near(_key(name), list(regions)) else f"; the regions are {', '.join(sorted(regions))} and all"
        return _Unknown(f"unknown region {truncate(name)!r}{known}", _key(name), list(regions))
    return catalogue.in_countries(frozenset(countries))


def _key(name: str) -> str:
    """Return a name as the tables spell it: `New Zealand` and `new-zealand` are `new_zealand`."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _near(name: str, known: Sequence[str]) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(name, known, n=NEAR_NAMES, cutoff=0.5))
