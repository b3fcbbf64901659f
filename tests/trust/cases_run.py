"""Deliveries twice, late or lost; runs cancelled in every state; two runs of the same URLs; clocks that step."""

import random
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.trust import deliveries as lambdas
from tests.trust.aws_proxy import Act, Slow
from tests.trust.case import ALWAYS, Case, Scene, at_pop, deliver
from tests.trust.drive import Run, Shape, slow_shape, small_shape
from tests.trust.world import POPS

STATES = {
    "resolve": "ResolveFunction",
    "invalidate": "InvalidateFunction",
    "warm": "WarmFunction",
    "aggregate": "AggregateFunction",
}
AT_A_DELIVERY: dict[str, Callable[..., Any]] = {
    "twice at once, the first answer counts": lambdas.twice(0.0, second=False),
    "twice at once, the second answer counts": lambdas.twice(0.0, second=True),
    "twice, the second a little later": lambdas.twice(0.15, second=True),
    "twice, one after the other": lambdas.twice(3.0, second=True),
    "again while the first still works": lambdas.abandoned(0.3),
    "again because its answer was lost": lambdas.lost,
    "again because it was throttled": lambdas.throttled,
}
QUICK = {"warm is delivered twice at once, the second answer counts", "cancel in warm", "the clock steps back"}


def deliveries() -> list[Case]:
    """Return a case for each function and way of delivery."""
    cases = [
        _delivery(state, how, act)
        for state in STATES
        for how, act in AT_A_DELIVERY.items()
        if state != "invalidate" or "at once" in how or "lost" in how
    ]
    twice = lambdas.twice(0.0, second=True)
    more = [
        Case("every batch is delivered twice", "delivery", partial(_deliver, "warm", twice, ALWAYS), leftovers=True),
        Case("parts are delivered twice", "delivery", partial(_deliver, "warm", twice, ALWAYS), shape=slow_shape),
        Case("parts are given up and still work", "delivery", _unnoticed_parts, shape=slow_shape),
        Case("the end is delivered twice", "delivery", _ended_twice, "cancelled", slow_shape),
        Case("a worker is delivered after the end", "delivery", partial(_stale, "WarmFunction")),
        Case("the roll-up is delivered after the end", "delivery", partial(_stale, "AggregateFunction")),
        Case("an old plan is written late", "delivery", _late_plan, "one pop"),
    ]
    return cases + more


def _delivery(state: str, how: str, act: Callable[..., Any]) -> Case:
    name = f"{state} is delivered {how}"
    return Case(name, "delivery", partial(_deliver, state, act, 1), leftovers=True, quick=name in QUICK)


def _deliver(state: str, act: Callable[..., Any], times: float, scene: Scene) -> None:
    if state == "invalidate":
        scene.run.shape.fields["invalidate"] = True
    deliver(scene, STATES[state], act, times=times)


def _unnoticed_parts(scene: Scene) -> None:
    """Each second worker is given up after a moment, still works, and is followed by another one."""
    deliver(scene, "WarmFunction", lambdas.abandoned(scene.chance.uniform(0.2, 1.5)), times=3, skip=1)


def _ended_twice(scene: Scene) -> None:
    deliver(scene, "RunEndedFunction", lambdas.twice(0.0, second=True), times=ALWAYS)
    scene.world.aws.add("dynamodb:put part", Act("after", lambda _: scene.run.abort()))


def _stale(function: str, scene: Scene) -> None:
    """Deliver an event of the run once more after its end; nothing may change."""
    rule = deliver(scene, function, lambdas.after(0, lambda: None))

    def again() -> None:
        world = scene.world
        scene.run.settle()
        name = next(name for name, logical in world.deliveries.names.items() if logical == function)
        world.deliveries.later(name, world.deliveries.events[function][0]).result()
        assert rule.fired

    scene.later.append(again)


def _late_plan(scene: Scene) -> None:
    """A first ResolveTargets is given up, and writes its plan after the workers of the second have started.

    In between a POP goes dark, so that the two plans differ.
    """
    world = scene.world
    pop = at_pop(scene, region_type="country")
    scene.run.shape.fields |= {"max_rps": 30, "max_concurrency": 1, "verify": "none"}
    world.aws.add(scene.chance.choice(["s3:PUT urls", "s3:PUT blocks", "s3:PUT plan"]), Slow(before_seconds=2.5))
    rule = world.deliveries.add("ResolveFunction", lambdas.abandoned(1.2))
    world.deliveries.add("ResolveFunction", lambdas.after(0, lambda: world.edge.dark(pop), wait=True))
    scene.aws(rule)


def cancels() -> list[Case]:
    """Return a case for each state in which a run is cancelled, and for what may happen at the same time."""
    group = "cancel"
    before = [
        Case(
            f"cancel in {state}",
            group,
            partial(_cancel, state, 0.0),
            "cancelled",
            quick=f"cancel in {state}" in QUICK,
        )
        for state in STATES
    ]
    later = [
        Case(f"cancel late in {state}", group, partial(_cancel, state, 0.4), "cancelled", shape=slow_shape)
        for state in ("resolve", "warm", "aggregate")
    ]
    return [
        *before,
        *later,
        Case("cancel at once", group, partial(_cancel_at, "stepfunctions:StartExecution"), "cancelled"),
        Case(
            "cancel while a part is written", group, partial(_cancel_at, "dynamodb:put part"), "cancelled", slow_shape
        ),
        Case(
            "cancel while records are written", group, partial(_cancel_at, "s3:PUT records"), "cancelled", slow_shape
        ),
        Case("cancel while the summary is written", group, partial(_cancel_at, "s3:PUT summary.json"), "cancelled"),
        Case(
            "cancel while the run's end is marked", group, partial(_cancel_at, "dynamodb:update ended"), "cancelled"
        ),
        Case("abort in the console", group, _abort, "cancelled", slow_shape),
        Case("cancel twice at once", group, _cancel_twice, "cancelled", slow_shape),
        Case("cancel while a worker is killed", group, _cancel_and_kill, "cancelled", slow_shape, leftovers=True),
        Case("cancel while parts are delivered twice", group, _cancel_and_deliver, "cancelled", slow_shape),
        Case("cancel while invalidations wait", group, _cancel_in_the_wait, "cancelled"),
    ]


def _cancel(state: str, seconds: float, scene: Scene) -> None:
    if state == "invalidate":
        scene.run.shape.fields["invalidate"] = True
    chosen = scene.chance.uniform(0, 0.1) if not seconds else scene.chance.uniform(seconds, 4 * seconds)
    deliver(scene, STATES[state], lambdas.after(chosen, scene.run.cancel))


def _cancel_at(call: str, scene: Scene) -> None:
    """Cancel at the moment of a call, which continues."""

    def act(_: object) -> None:
        threading.Thread(target=scene.run.cancel, daemon=True).start()
        time.sleep(scene.chance.uniform(0.0, 0.3))

    scene.aws(scene.world.aws.add(call, Act(scene.chance.choice(["before", "response"]), act)))


def _abort(scene: Scene) -> None:
    deliver(scene, "WarmFunction", lambdas.after(scene.chance.uniform(0.1, 2), scene.run.abort))


def _cancel_twice(scene: Scene) -> None:
    def act() -> None:
        other = Run(scene.world, scene.run.shape, scene.run.paths, scene.run.arn)
        threading.Thread(target=other.cancel, daemon=True).start()
        scene.run.cancel()

    deliver(scene, "WarmFunction", lambdas.after(scene.chance.uniform(0.1, 1.5), act), skip=1)


def _cancel_and_kill(scene: Scene) -> None:
    world = scene.world
    deliver(scene, "WarmFunction", lambdas.after(scene.chance.uniform(0.1, 1), scene.run.cancel))
    world.aws.add("s3:PUT records", Act("before", world.kill_caller, resets=True))


def _cancel_and_deliver(scene: Scene) -> None:
    twice = lambdas.twice(scene.chance.choice([0.0, 0.2]), second=True)
    deliver(scene, "WarmFunction", twice, times=ALWAYS)
    scene.world.aws.add("dynamodb:put part", Act("after", lambda _: _in_thread(scene.run.cancel)))


def _cancel_in_the_wait(scene: Scene) -> None:
    scene.run.shape.fields["invalidate"] = True

    def act(*arguments: Any) -> Any:
        invoke = arguments[-1]
        answer = invoke()
        threading.Timer(0.5, scene.run.cancel).start()
        return answer

    deliver(scene, "InvalidateFunction", act)


def _in_thread(act: Callable[[], object]) -> None:
    threading.Thread(target=act, daemon=True).start()


def two_runs() -> list[Case]:
    """Return the cases of two runs that warm the same URLs at the same time."""
    group = "two runs"
    return [
        Case("two runs of the same URLs", group, partial(_two, None), leftovers=True),
        Case("two runs, a worker is killed", group, partial(_two, "kill"), leftovers=True),
        Case("two runs, the first is cancelled", group, partial(_two, "cancel"), "cancelled", slow_shape),
        Case("two runs, every batch delivered twice", group, partial(_two, "twice"), leftovers=True),
        Case("one run started twice with one key", group, _one_key),
    ]


def _two(what: str | None, scene: Scene) -> None:
    world = scene.world
    fields = scene.run.shape.fields | {"region_type": "pop", "region": scene.chance.sample(POPS, 4)}
    scene.others.append(Run(world, Shape(scene.run.shape.urls, fields), scene.run.paths))
    scene.fired = lambda: 1
    if what == "kill":
        scene.aws(world.aws.add("dynamodb:put part", Act("response", world.kill_caller, resets=True), times=2))
    elif what == "cancel":
        deliver(scene, "WarmFunction", lambdas.after(scene.chance.uniform(0.1, 1), scene.run.cancel))
    elif what == "twice":
        deliver(scene, "WarmFunction", lambdas.twice(0.0, second=True), times=ALWAYS)


def _one_key(scene: Scene) -> None:
    other = Run(scene.world, scene.run.shape, scene.run.paths, _key=scene.run._key)
    scene.others.append(other)
    scene.fired = lambda: int(other.arn == scene.run.arn != "")


def clocks() -> list[Case]:
    """Return the cases of clocks that step or differ."""
    group = "clocks"

    def steps(name: str, seconds: float, odd: float = 0.0, expect: str = "warm") -> Case:
        return Case(name, group, partial(_step, seconds, odd), expect, _clock_shape, quick=name in QUICK)

    return [
        steps("the clock steps forward by an hour", 3600),
        steps("the clock steps back", -7200),
        steps("the clock steps past the run's deadline", 24 * 3600, expect="ended"),
        steps("half of the processes are three seconds ahead", 0, 3),
        steps("half of the processes are two minutes behind", 0, -120),
        Case("the clock steps back while a run is cancelled", group, _step_and_cancel, "cancelled", slow_shape),
    ]


def _clock_shape(chance: random.Random) -> Shape:
    return chance.choice([slow_shape, small_shape])(chance)


def _step(seconds: float, odd: float, scene: Scene) -> None:
    world = scene.world
    at = scene.chance.choice(["s3:PUT urls", "dynamodb:put attempt", "s3:PUT records", "dynamodb:put part"])
    scene.aws(world.aws.add(at, Act("before", lambda _: world.step_clock(seconds, odd))))


def _step_and_cancel(scene: Scene) -> None:
    world = scene.world

    def act() -> None:
        world.step_clock(scene.chance.choice([-5, -600]))
        scene.run.cancel()

    deliver(scene, "WarmFunction", lambdas.after(0.5, act))
