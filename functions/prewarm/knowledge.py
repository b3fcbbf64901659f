"""What runs have learned about POPs: which answered as themselves, and which are only named in traffic. Pure.

A POP is learned when an address in CloudFront's networks answered, over TLS verified for a host of the run, with that
POP's id in X-Amz-Cf-Pop. Ids that a list of targets names, and that no probe has met, are candidates: anyone who may
start a run can name them, so no selection takes them.

Documents merge in any order to the same one, so concurrent runs lose nothing (storage/knowledge_store.py).
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from prewarm.catalogue import CHINA_PARTITION_SUFFIX, POP_PATTERN, Catalogue, Pop, location_of

VERSION = 1
KEPT_DAYS = 180
# CloudFront has about 700 POPs by name. What is seen last is kept.
MOST_POPS, MOST_CANDIDATES = 3_000, 1_000
# How a POP was met: at its own name, at the address that DNS returns for a location's clients, in a list of targets.
RUN, SUBSTITUTE, TRAFFIC = "run", "substitute", "traffic"
WAYS = (RUN, SUBSTITUTE, TRAFFIC)


class LaterVersion(ValueError):
    """A later version of the service wrote the document."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """When a POP was first and last met, and how (of WAYS).

    `probed`: the last day on which a candidate was probed without success, None if it never was.
    """

    first: dt.date
    last: dt.date
    how: frozenset[str] = frozenset()
    probed: dt.date | None = None

    def merged(self, other: "Sighting") -> "Sighting":
        """Return both sightings as one; in either order the same."""
        probed = [day for day in (self.probed, other.probed) if day is not None]
        return Sighting(
            min(self.first, other.first),
            max(self.last, other.last),
            self.how | other.how,
            max(probed, default=None),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the sighting as it is stored."""
        document: dict[str, Any] = {"first": self.first.isoformat(), "last": self.last.isoformat()}
        if self.how:
            document["how"] = [way for way in WAYS if way in self.how]
        return document | ({"probed": self.probed.isoformat()} if self.probed else {})


@dataclass(frozen=True)
class Knowledge:
    """Sightings by POP id: of `pops` that answered as themselves, and of `candidates` that did not yet."""

    pops: Mapping[str, Sighting] = field(default_factory=dict)
    candidates: Mapping[str, Sighting] = field(default_factory=dict)

    def merged(self, other: "Knowledge", today: dt.date) -> "Knowledge":
        """Return what both know, without what is too old or too much, in either order the same."""
        pops = _newest(_union(self.pops, other.pops, today), MOST_POPS)
        candidates = _union(self.candidates, other.candidates, today)
        unmet = {pop: sighting for pop, sighting in candidates.items() if pop not in pops}
        return Knowledge(pops, _newest(unmet, MOST_CANDIDATES))

    def to_probe(self, locations: Iterable[str], today: dt.date, most: int) -> list[str]:
        """Return the candidates at these locations that were not probed today, newest first, up to a limit."""
        places = frozenset(locations)
        due = [
            pop
            for pop, sighting in self.candidates.items()
            if location_of(pop) in places and (sighting.probed is None or sighting.probed < today)
        ]
        return sorted(due, key=lambda pop: (-self.candidates[pop].last.toordinal(), pop))[:most]

    def as_json(self) -> dict[str, Any]:
        """Return the document as it is stored."""
        return {
            "version": VERSION,
            "pops": {pop: sighting.as_json() for pop, sighting in sorted(self.pops.items())},
            "candidates": {pop: sighting.as_json() for pop, sighting in sorted(self.candidates.items())},
        }


def sightings(pops: Iterable[str], today: dt.date, how: str) -> dict[str, Sighting]:
    """Return today's sightings of POPs; ids that cannot be POPs of the standard partition are left out."""
    return {pop: Sighting(today, today, frozenset({how})) for pop in pops if is_pop_id(pop)}


def is_pop_id(text: object) -> bool:
    """Return whether a text has the form of a POP id of the standard partition."""
    return isinstance(text, str) and bool(POP_PATTERN.fullmatch(text)) and not text.endswith(CHINA_PARTITION_SUFFIX)


def read_knowledge(document: object, today: dt.date) -> tuple[Knowledge, int]:
    """Return a stored document's content, and how many of its entries cannot be used.

    Raises:
        LaterVersion: a later version of the service wrote it.
        ValueError: it is not such a document.

    """
    if not isinstance(document, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - any damage is a ValueError to the caller
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise LaterVersion(f"is of a later version of the service ({version})")
    if version != VERSION:
        raise ValueError(f"has version {str(version)[:20]!r}, not {VERSION}")
    pops, bad_pops = _read_entries(document.get("pops", {}), today)
    candidates, bad_candidates = _read_entries(document.get("candidates", {}), today)
    return Knowledge(pops, candidates).merged(Knowledge(), today), bad_pops + bad_candidates


def with_learned(catalogue: Catalogue, knowledge: Knowledge) -> Catalogue:
    """Return the catalogue with the learned POPs: at their location, or `unplaced` where that is not known."""
    pops = dict(catalogue.pops)
    unplaced = set(catalogue.unplaced)
    for pop, sighting in knowledge.pops.items():
        location, seen = catalogue.locations.get(location_of(pop)), f"{sighting.last:%Y-%m}"
        if location is None:
            unplaced.add(pop)
        elif pop in pops:
            pops[pop] = replace(pops[pop], newest_seen=max(pops[pop].newest_seen, seen), confidence="high")
        else:
            pops[pop] = Pop(pop, location, "high", seen)
    return replace(catalogue, pops=dict(sorted(pops.items())), unplaced=frozenset(unplaced))


def _union(some: Mapping[str, Sighting], others: Mapping[str, Sighting], today: dt.date) -> dict[str, Sighting]:
    """Return both, without entries that are too old; these are dropped first, or the order of merging would count."""
    oldest = today - dt.timedelta(days=KEPT_DAYS)
    both: dict[str, Sighting] = {}
    for pop, sighting in chain(some.items(), others.items()):
        if sighting.last >= oldest:
            both[pop] = both[pop].merged(sighting) if pop in both else sighting
    return both


def _newest(entries: Mapping[str, Sighting], most: int) -> dict[str, Sighting]:
    """Return at most so many entries: those seen last, of these the ids that sort first."""
    newest = sorted(entries.items(), key=lambda entry: (-entry[1].last.toordinal(), entry[0]))
    return dict(sorted(newest[:most]))


def _read_entries(entries: object, today: dt.date) -> tuple[dict[str, Sighting], int]:
    """Return the entries that can be used, and the number of the others."""
    if not isinstance(entries, dict):
        return {}, 1
    read = {pop: sighting for pop, entry in entries.items() if (sighting := _read_entry(pop, entry, today))}
    return read, len(entries) - len(read)


def _read_entry(pop: object, entry: object, today: dt.date) -> Sighting | None:
    """Return an entry's sighting; None if it is damaged, or dated later than tomorrow, when it would never expire."""
    if not is_pop_id(pop) or not isinstance(entry, dict):
        return None
    try:
        first, last = dt.date.fromisoformat(entry["first"]), dt.date.fromisoformat(entry["last"])
        probed = dt.date.fromisoformat(entry["probed"]) if "probed" in entry else None
    except (KeyError, TypeError, ValueError):
        return None
    how = entry.get("how", [])
    tomorrow = today + dt.timedelta(days=1)
    if not first <= last <= tomorrow or not isinstance(how, list) or (probed or first) > tomorrow:
        return None
    return Sighting(first, last, frozenset(way for way in WAYS if way in how), probed)
