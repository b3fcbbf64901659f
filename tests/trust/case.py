"""A case of the fault matrix: one fault, and the result that its run must have."""

import math
import random
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.trust.deliveries import Delivery
from tests.trust.dns_proxy import Behaviour
from tests.trust.drive import Run, Shape, small_shape, together
from tests.trust.recount import Recount, recount
from tests.trust.world import POPS, World

ALWAYS = math.inf


@dataclass
class Scene:
    """What a case's `arrange` works with: the world, its first run, and choices of the seed.

    `fired` returns how often the fault happened: a run without it proves nothing.
    """

    world: World
    run: Run
    chance: random.Random
    others: list[Run] = field(default_factory=list)
    fired: Callable[[], int] = lambda: 0
    pop: str = ""
    later: list[Callable[[], object]] = field(default_factory=list)

    def aws(self, *rules: Any) -> None:
        """Report the fault as happened when one of the rules has taken a call or an invocation."""
        self.fired = lambda: sum(rule.fired for rule in rules)


@dataclass(frozen=True)
class Case:
    """One fault.

    - `arrange` sets the fault before the run starts, and may change the run's shape
    - `expect`: `warm` (the fault must not show), `separate caches` (it must not, and the run found them at each POP),
      `one pop` (only its POP's targets may fail), `ended` (any result that agrees with itself), `cancelled`,
      `rejected`, `not green` (a URL cannot be warm)
    - `leftovers`: records that no part names may remain, because a worker or a deletion failed
    - `drive` replaces the usual way of a client, which starts the run and polls it to its end
    """

    name: str
    group: str
    arrange: Callable[[Scene], None]
    expect: str = "warm"
    shape: Callable[[random.Random], Shape] = small_shape
    leftovers: bool = False
    drive: Callable[[Scene], None] | None = None
    quick: bool = False


@dataclass
class Outcome:
    """What came of a case with one seed."""

    case: str
    group: str
    seed: int
    problems: list[str]
    fired: int
    runs: int
    polls: int
    refused_polls: int
    slowest_poll: float
    targets: int
    claimed: int
    parts: int
    orphans: int
    seconds: float
    statuses: list[str]

    @property
    def replay(self) -> str:
        return f".venv/bin/python -m tests.trust --only '{self.case}' --seed {self.seed}"


def perform(world: World, case: Case, seed: int) -> Outcome:
    """Run a case with a seed, recount its runs, and return what came of it."""
    began = time.monotonic()
    chance = random.Random(f"{case.name}:{seed}")
    world.heal()
    world.seed(chance)
    shape = case.shape(chance)
    run = Run(world, shape, world.paths(shape.urls))
    scene = Scene(world, run, chance)
    problems: list[str] = []
    counts: list[Recount] = []
    fired = 0
    try:
        case.arrange(scene)
        if shape.worker_seconds:
            world.limit_workers(shape.worker_seconds)
        (case.drive or follow_all)(scene)
        runs = [run, *scene.others]
        for each in runs:
            each.settle()
        for act in scene.later:
            act()
        fired = scene.fired()
        world.heal()
        for each in runs:
            each.poll()
        copies = world.edge.copies()
        counts = [recount(each, leftovers=case.leftovers, copies=copies) for each in runs]
        for count in counts:
            problems += [f"{count.run.name}: {problem}" for problem in count.problems]
            problems += unexpected(case, scene, count)
        if not fired:
            problems.append("the fault did not happen")
    except Exception:  # noqa: BLE001  the next case follows
        problems.append(traceback.format_exc(limit=-4))
        world.heal()
    polls = [poll for each in (run, *scene.others) for poll in each.polls]
    return Outcome(
        case=case.name,
        group=case.group,
        seed=seed,
        problems=problems,
        fired=fired,
        runs=1 + len(scene.others),
        polls=len(polls),
        refused_polls=sum(poll.http != 200 for poll in polls),
        slowest_poll=round(max((poll.seconds for poll in polls), default=0), 2),
        targets=sum(count.outcomes.total() for count in counts),
        claimed=sum(count.claimed for count in counts),
        parts=sum(count.parts for count in counts),
        orphans=sum(count.orphans for count in counts),
        seconds=round(time.monotonic() - began, 1),
        statuses=[str(each.polls[-1].document.get("status")) if each.polls else "?" for each in (run, *scene.others)],
    )


def follow_all(scene: Scene) -> None:
    """Start all runs and poll them to their ends."""

    def one(run: Run) -> Callable[[], None]:
        def act() -> None:
            run.start()
            run.follow()

        return act

    together(*(one(run) for run in (scene.run, *scene.others)))


def unexpected(case: Case, scene: Scene, count: Recount) -> list[str]:  # noqa: PLR0911  one for each expectation
    """Return how a run's result differs from what the case expects."""
    last = count.run.polls[-1].document
    status, failed = last.get("status"), last.get("failedUrl", [])
    match case.expect:
        case "warm" | "separate caches" if status != "COMPLETED" or failed:
            return [f"expected warm, got {status} {last.get('error')}: {dict(count.outcomes)}"]
        case "separate caches" if (found := last["targets"]["separatePops"]) != sorted(
            count.run.shape.fields["region"]
        ):
            return [f"POPs whose addresses have separate caches: only {found} were found"]
        case "one pop" if count.failed_pops - {scene.pop}:
            return [f"POPs other than {scene.pop} failed: {sorted(count.failed_pops)}: {dict(count.outcomes)}"]
        case "not green" if status == "COMPLETED":
            return ["GREEN AND COLD: the run is COMPLETED, which is impossible"]
        case "rejected" if last.get("error") != "Prewarm.InvalidRequest":
            return [f"expected a rejection, got {status} {last.get('error')}"]
        case "cancelled" if count.run is scene.run and not (
            last.get("reason") == "cancelled" or (status == "COMPLETED" and not failed)
        ):
            return [f"expected cancelled or warm before, got {status} {last.get('error')}"]
    return []


def at_pop(scene: Scene, *, region_type: str = "") -> str:
    """Choose the POP that a fault affects; the run has at least three, asked for by name or by country."""
    kind = region_type or scene.chance.choice(["pop", "country"])
    scene.pop = scene.chance.choice(POPS)
    if kind == "pop":
        others = scene.chance.sample([pop for pop in POPS if pop != scene.pop], 3)
        scene.run.shape.fields |= {"region_type": "pop", "region": [scene.pop, *others]}
    else:
        scene.run.shape.fields |= {"region_type": "country", "region": ["singapore", "south_korea", "australia"]}
    return scene.pop


def at_name(scene: Scene, behaviour: Behaviour, *, whole: bool = False) -> None:
    """Let the nameserver misbehave for one POP's name, or for all."""
    dns = scene.world.dns
    if not whole:
        pop = at_pop(scene).lower()
        dns.affects = lambda name: f".{pop}." in name
    dns.behaviour = behaviour
    scene.fired = lambda: dns.fired


def deliver(scene: Scene, function: str, act: Callable[..., Any], **limits: Any) -> Delivery:
    """Add a rule for invocations, whose firing is the fault."""
    rule = scene.world.deliveries.add(function, act, **limits)
    scene.aws(rule)
    return rule
