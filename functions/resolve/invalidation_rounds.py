"""The rounds in which a run's paths are invalidated, within CloudFront's quotas, and their pace. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from prewarm.planning.plan import Group

# CloudFront invalidates 3,000 paths per distribution at a time (Developer Guide, "Concurrent invalidation request
# maximum").
INVALIDATION_PATHS = 3_000
# Invalidations of one round, each of another distribution or tenant: their ids pass through the state, whose payload
# ends at 256 KiB, and a check has to request each of them.
INVALIDATIONS_PER_ROUND = 100
# Seconds before the first check of a round: of the first round, and at most of a later one.
FIRST_WAIT, LONGEST_FIRST_WAIT = 5, 60
# How the time between two checks grows, and its limit in seconds.
GROWTH, LONGEST_WAIT = 1.5, 120


@dataclass(frozen=True, slots=True)
class InvalidationBatch:
    """One invalidation to create: of a distribution or of a tenant, with its caller reference and its paths.

    `account`: that of the distribution, empty for the service's own.
    """

    distribution_id: str
    tenant: str
    reference: str
    paths: list[str]
    account: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the invalidation as it is stored."""
        return {"distribution": self.distribution_id, "tenant": self.tenant, "reference": self.reference,
                "paths": self.paths, "account": self.account}  # fmt: skip

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "InvalidationBatch":
        """Read a stored invalidation; earlier versions knew one account only."""
        distribution, tenant = document["distribution"], document["tenant"]
        return cls(distribution, tenant, document["reference"], document["paths"], document.get("account", ""))


# The invalidations that are created together; the next round begins when all of them are completed.
Round = list[InvalidationBatch]


class Owner(NamedTuple):
    """Whose paths are invalidated: a distribution's id, a tenant's or an empty text, and the account's."""

    distribution_id: str
    tenant: str
    account: str = ""


def rounds_of(run: str, groups: Sequence[Group], paths_of_group: Iterable[Sequence[str]]) -> list[Round]:
    """Return the rounds of a run; `paths_of_group` yields each group's paths in order.

    Groups of one distribution, or of one tenant, share their invalidations.
    """
    paths: dict[Owner, dict[str, None]] = {}
    for group, listed in zip(groups, paths_of_group, strict=True):
        owner = Owner(group.distribution_id, group.tenant, group.account)
        paths.setdefault(owner, {}).update(dict.fromkeys(listed))
    return rounds_of_paths(run, paths)


def rounds_of_paths(reference: str, paths: Mapping[Owner, Iterable[str]]) -> list[Round]:
    """Return the rounds that invalidate paths, each of which is listed once.

    `reference` begins each caller reference, which is stored, so that a retry uses the same: the same reference with
    the same paths creates nothing (CreateInvalidation).
    """
    lists = {owner: list(listed) for owner, listed in paths.items()}
    rounds: list[Round] = []
    longest = max(map(len, lists.values()), default=0)
    for number, start in enumerate(range(0, longest, INVALIDATION_PATHS)):
        batches = [
            InvalidationBatch(distribution, tenant, f"{reference}-{tenant or distribution}-{number}", part, account)
            for (distribution, tenant, account), listed in lists.items()
            if (part := listed[start : start + INVALIDATION_PATHS])
        ]
        rounds += [
            batches[first : first + INVALIDATIONS_PER_ROUND]
            for first in range(0, len(batches), INVALIDATIONS_PER_ROUND)
        ]
    return rounds


def paths_of(rounds: Iterable[Round]) -> int:
    """Return how many paths all rounds invalidate."""
    return sum(len(batch.paths) for each in rounds for batch in each)


def before_first_round(rounds: int, reading: int = 0) -> dict[str, Any]:
    """Return the state's `invalidation` before the first round; resolve.invalidate_handler changes it step by step.

    - `reading`: 0 for the paths of the URLs to warm; n for the documents that the n-th reading of the sources found
    - `round`, `rounds`: the current round, counted from 0, and how many there are
    - `created`: the ids of the round's invalidations; empty: they have to be created
    - `done`: how many of them are completed, in order
    - `checks`: how often the round was checked
    - `wait`, `firstWait`, `waited`: seconds until the next check, before the round's first one, since its start
    - `status`: `next`, `waiting`, `completed` (`read_again` for documents) or `late` (`overdue` for documents)
    """
    return {"reading": reading, "round": 0, "rounds": rounds, "created": [], "done": 0, "checks": 0, "wait": 0,
            "firstWait": FIRST_WAIT, "waited": 0, "status": "next"}  # fmt: skip


def first_wait(last_first: int, waited: int) -> int:
    """Return the seconds before a round's first check, after a round that began with `last_first` and took `waited`.

    Rounds of one size take about the same time, so half of it is waited at once. A run of hundreds of rounds is then
    checked about twice a round, and its history stays below Step Functions' 25,000 events.
    """
    return min(LONGEST_FIRST_WAIT, max(FIRST_WAIT, last_first // 2, waited // 2))


def next_wait(wait: int) -> int:
    """Return the seconds until the next check, after one that came `wait` seconds after the last."""
    return min(LONGEST_WAIT, round(wait * GROWTH))
