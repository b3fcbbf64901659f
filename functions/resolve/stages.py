"""The values that the stages of resolving pass on: collect, match, choose, inspect, locate, probe, plan. Pure.

Each stage returns one of these, with the warnings that it adds itself. A group is one distribution's share of the
run. Each stage's group type extends the previous one's, so the type checker enforces the order of the stages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prewarm.planning.cells import Cells
from prewarm.planning.plan import Batch, Block, Group, Plan, Skipped, map_item
from prewarm.planning.source_report import SourceReport
from prewarm.targets_csv import Traffic
from prewarm.urls import Url
from resolve.distributions.cache_behaviours import Behaviour
from resolve.distributions.model import Distribution
from resolve.invalidation_rounds import Owner, Round
from resolve.origin_fetches import OriginFetches

Addresses = dict[str, list[str]]  # POP id to its IP addresses, in the order of the DNS response

PROBE_PATH = "/cloudfront-prewarm-probe"  # no site has it, so most origins answer 404; any status names the POP


@dataclass(frozen=True)
class Targets:
    """The pairs of URL and POP of a run, as its list has them.

    `pops`: in order of their first pair; `masks`: by URL's fetched form, a bit for each of its POPs; `requests`: by
    host and POP; `traffic`: what the list says about all requests, None if it says nothing.
    """

    pops: tuple[str, ...]
    masks: Mapping[str, int]
    requests: Mapping[tuple[str, str], int]
    pairs: int
    traffic: Traffic | None = None

    def demand(self) -> dict[str, Any]:
        """Return the demand for a dry run: the pairs' requests, and their share of all, null if the list has none."""
        listed, traffic = sum(self.requests.values()), self.traffic
        # The pairs of an edited list, or of several lists, may have more requests than the line counts.
        known = traffic is not None and traffic.requests >= max(listed, 1)
        return {
            "pairs": self.pairs,
            "requests": listed,
            "allRequests": traffic.requests if traffic else None,
            "share": round(100 * listed / traffic.requests, 2) if traffic and known else None,
            "from": traffic.since or None if traffic else None,
            "to": traffic.until or None if traffic else None,
            "curve": [{"percent": percent, "pairs": pairs} for percent, pairs in traffic.curve.items()]
            if traffic
            else [],
        }


@dataclass(frozen=True)
class Collected:
    """All URLs of a run, each once, in the order of the request; `duplicates`: how many entries were left out.

    `targets`: the POPs of each URL, None where each is warmed at each selected POP.
    """

    urls: list[Url]
    warnings: tuple[str, ...] = ()
    sources: tuple[SourceReport, ...] = ()
    duplicates: int = 0
    targets: Targets | None = None


@dataclass(frozen=True)
class StaleDocuments:
    """The documents to invalidate before the sources are read again: paths by distribution id and tenant."""

    paths: Mapping[Owner, Mapping[str, None]]


@dataclass(frozen=True)
class MatchedGroup:
    """The URLs that one distribution serves, in the order of the request; at least one."""

    distribution: Distribution
    urls: list[Url]

    def probe_url(self) -> str:
        """Return the URL that POPs are probed with: of the first https URL's host, else of the first URL's.

        It is not a target: the edge caches what answers a HEAD (Developer Guide, "Allowed HTTP methods"), errors
        included, and whether such a copy then answers a GET is not documented.
        """
        url = next((url.fetch for url in self.urls if url.scheme == "https"), self.urls[0].fetch)
        return "/".join(url.split("/", 3)[:3]) + PROBE_PATH


@dataclass(frozen=True)
class Matched:
    """The URLs by distribution, and those that no distribution serves."""

    groups: tuple[MatchedGroup, ...]
    unmatched: list[Url]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChosenGroup(MatchedGroup):
    """A distribution and the POPs to look up, in the order of the selection.

    `skipped`: POPs of a country or region to which CloudFront sends no viewers; `masks`: for each URL the bits of the
    POPs that it is warmed at, None for all of them; `requests`: by POP, what its URLs were asked for there.
    """

    pops: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    masks: Sequence[int] | None = field(default=None, kw_only=True)
    requests: Mapping[str, int] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True)
class Chosen:
    """The POPs of each distribution."""

    groups: tuple[ChosenGroup, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class InspectedGroup(ChosenGroup):
    """A distribution with its cache behaviours; empty where its settings are not known."""

    behaviours: list[Behaviour]


@dataclass(frozen=True)
class Inspected:
    """The distributions' settings."""

    groups: tuple[InspectedGroup, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class LocatedGroup(InspectedGroup):
    """A distribution with its POPs' addresses.

    `addresses`: of each POP that can be probed; `unusable`: why each of the others cannot, by POP id; `exists`:
    whether the distribution's own name resolves, or was not answered for.
    """

    addresses: Addresses
    unusable: dict[str, Skipped]
    exists: bool = True


@dataclass(frozen=True)
class Located:
    """The addresses of all POPs.

    `candidates`: addresses of POPs that are only known from traffic, to be probed at the first group's host.
    """

    groups: tuple[LocatedGroup, ...]
    warnings: tuple[str, ...] = ()
    candidates: Addresses = field(default_factory=dict)


@dataclass(frozen=True)
class ProbedGroup(InspectedGroup):
    """A distribution with its POPs, substitutes included, as the probe found them.

    `addresses`: of each POP whose name resolves, whether or not the probe succeeded; `unusable`: why POPs cannot be
    warmed, by POP id; `unreached`: those of them that a country or region does not skip, so that their targets fail.
    """

    addresses: Addresses
    unusable: dict[str, Skipped]
    unreached: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Probed:
    """The POPs that can be warmed.

    `met`: how each POP was met that answered as itself over verified TLS (`knowledge.WAYS`), by id.
    """

    groups: tuple[ProbedGroup, ...]
    warnings: tuple[str, ...] = ()
    met: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedGroup:
    """A group of the plan with what is stored apart from it, since every status poll reads the plan.

    `masks`: for each URL the bits of the group's POPs that it is warmed at (Cells.masks); None for all of them.
    """

    stored: Group
    addresses: Addresses
    behaviours: list[Behaviour]
    masks: Sequence[int] | None = None

    @property
    def cells(self) -> Cells:
        """Return which of the group's URLs are warmed at which of its POPs."""
        return Cells(range(self.stored.url_from, self.stored.url_to), len(self.stored.pops), self.masks)

    def pairs_by_pop(self) -> dict[str, int]:
        """Return by POP how many URLs are warmed there."""
        return dict(zip(self.stored.pops, self.cells.by_column(), strict=True))


@dataclass(frozen=True)
class PlannedRun:
    """A plan with everything that is stored next to it.

    `urls`: by URL index, those without a distribution last; `groups`: in the order of `plan.groups`; `stages`: the
    batches of each stage; `rounds`: the invalidations before them; `origin_fetches`: how many reach an origin;
    `other_tier`: the same run of the other tier, for a dry run's comparison; `second_fetches`: those that verify.
    """

    plan: Plan
    urls: list[Url]
    groups: tuple[PlannedGroup, ...]
    blocks: list[Block]
    stages: list[list[Batch]]
    rounds: list[Round]
    origin_fetches: OriginFetches = field(default_factory=OriginFetches)
    targets: Targets | None = None
    other_tier: "PlannedRun | None" = None
    second_fetches: int = 0

    def items(self, stage: list[Batch]) -> list[dict[str, Any]]:
        """Return a stage as the items of the Distributed Map."""
        return [map_item(batch, self.plan.groups[batch.group], self.urls[batch.url_from]) for batch in stage]
