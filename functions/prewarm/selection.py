"""Which POPs a request means: POP ids, countries, regions or all."""

import difflib
import functools
import json
import re
from collections.abc import Callable, Sequence

from prewarm.catalogue import POP_PATTERN, Catalogue, data_text
from prewarm.errors import Problem

ALL = "all"
NEAR_NAMES = 3


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

    POPs asked for by id keep the order of the request; the others come in order of id, country by country.

    """
    if [name.strip().lower() for name in names] == [ALL]:
        return list(catalogue.pops), []
    lookup: dict[str, Callable[[str], list[str] | Problem]] = {
        "pop": functools.partial(_pop, catalogue=catalogue, allow_unknown=allow_unknown_pops),
        "country": functools.partial(_country, catalogue=catalogue),
        "region": functools.partial(_region, catalogue=catalogue),
    }
    found: dict[str, None] = {}
    problems = []
    for index, name in enumerate(names):
        answer = lookup[region_type](name.strip())
        if isinstance(answer, Problem):
            problems.append(Problem(f"region[{index}]", answer.message, answer.near))
        else:
            found.update(dict.fromkeys(answer))
    return list(found), problems


def _pop(name: str, catalogue: Catalogue, *, allow_unknown: bool) -> list[str] | Problem:
    pop_id = name.upper()
    if pop_id in catalogue.pops:
        return [pop_id]
    same_place = [known for known in catalogue.pops if known[:3] == pop_id[:3]]
    near = _near(pop_id, same_place or list(catalogue.pops))
    if not POP_PATTERN.fullmatch(pop_id):
        return Problem("", f"{name!r} is no POP id, which looks like ATL56-C1", near)
    if allow_unknown:
        return [pop_id]
    advice = "; set allow_unknown_pops to true to try it all the same"
    return Problem("", f"POP {name!r} is not in the catalogue{advice}", near)


def _country(name: str, catalogue: Catalogue) -> list[str] | Problem:
    key = _key(name)
    countries = _selections()["countries"].get(key)
    known = catalogue.countries()
    if countries is None and key.upper() in known:
        countries = [key.upper()]
    if countries is None:
        names = [*_selections()["countries"], *(code.lower() for code in known)]
        return Problem("", f"unknown country {name!r}", _near(key, names))
    return catalogue.in_countries(frozenset(countries))


def _region(name: str, catalogue: Catalogue) -> list[str] | Problem:
    regions = _selections()["regions"]
    if (countries := regions.get(_key(name))) is None:
        near = _near(_key(name), list(regions))
        known = "" if near else f"; the regions are {', '.join(sorted(regions))} and all"
        return Problem("", f"unknown region {name!r}{known}", near)
    return catalogue.in_countries(frozenset(countries))


def _key(name: str) -> str:
    """Return a name as the tables spell it: `New Zealand` and `new-zealand` are `new_zealand`."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _near(name: str, known: Sequence[str]) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(name, known, n=NEAR_NAMES, cutoff=0.5))
