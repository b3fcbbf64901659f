"""Workers killed before, during and after each write of a run."""

import random
from collections.abc import Callable
from functools import partial

from prewarm.storage.keys import POPS_KEY
from tests.trust.aws_proxy import Act
from tests.trust.case import Case, Scene, at_pop
from tests.trust.drive import Shape, separate_shape, slow_shape, small_shape

# Before: nothing reaches the store. During: it is written, and the worker dies before it knows. After: it dies next.
MOMENTS = {"before": ("before", True), "during": ("response", True), "after": ("after", False)}
# The writes of a run, by the function that makes them.
WRITES = {
    "api": ["s3:PUT request.json", "dynamodb:put listing", "stepfunctions:StartExecution", "s3:PUT checkpoint.bin"],
    "resolve": [
        "s3:PUT knowledge",
        "s3:PUT blocks",
        "s3:PUT urls",
        "s3:PUT addresses",
        "s3:PUT batches",
        "s3:PUT plan",
        "s3:PUT stages",
        "dynamodb:put control",
        "dynamodb:update listing",
    ],
    "warm": ["dynamodb:put attempt", "s3:PUT records", "dynamodb:put part", "dynamodb:delete attempt"],
    "warm, another part": ["s3:PUT cursors"],
    "warm, at a shared rate": ["dynamodb:update rate"],
    "warm, a POP goes dark": ["dynamodb:update darkPops"],
    "warm, separate caches": ["dynamodb:update separatePops", "dynamodb:put part"],
    "aggregate": [
        "dynamodb:update ended",
        "s3:PUT report.json",
        "s3:PUT report.csv",
        "s3:PUT report.html",
        "s3:PUT summary.json",
        "s3:PUT urls.index",
        "dynamodb:update listing",
        "dynamodb:update summed",
    ],
    "invalidate": ["cloudfront:POST .*/invalidation", "s3:PUT invalidations", "dynamodb:update control"],
    "the end of a cancelled run": ["dynamodb:update ended", "dynamodb:put closing", "s3:PUT summary.json"],
}
OF_ANOTHER_SHAPE = {
    "warm, another part": slow_shape,
    "warm, separate caches": separate_shape,
    "warm, at a shared rate": slow_shape,
    "the end of a cancelled run": slow_shape,
}
QUICK = {"kill aggregate during s3:PUT summary.json", "kill warm, another part during s3:PUT cursors"}


def kills() -> list[Case]:
    """Return a case for each write and moment."""
    return [_kill(phase, write, moment) for phase, writes in WRITES.items() for write in writes for moment in MOMENTS]


def _kill(phase: str, write: str, moment: str) -> Case:
    name = f"kill {phase} {moment} {write}"
    shape: Callable[[random.Random], Shape] = OF_ANOTHER_SHAPE.get(phase, small_shape)
    expect = {
        "the end of a cancelled run": "cancelled",
        "warm, a POP goes dark": "one pop",
        "warm, separate caches": "separate caches",
    }.get(phase, "warm")
    if (write, moment) == ("dynamodb:put part", "before"):
        # The next worker finds a copy at every address, so nothing shows that their caches are separate.
        expect = "warm"
    return Case(
        name,
        f"worker killed: {phase}",
        partial(_arrange, phase, write, moment),
        expect,
        shape,
        leftovers=True,
        quick=name in QUICK,
    )


def _arrange(phase: str, write: str, moment: str, scene: Scene) -> None:
    world = scene.world
    when, resets = MOMENTS[moment]
    batches = phase.startswith("warm")
    # One or two of the batches' writes, or all until the second try: any of them must be safe.
    skip = scene.chance.choice([0, 0, 1]) if phase == "warm" else 0
    times = scene.chance.choice([1, 2]) if batches else 1
    if skip:
        scene.run.shape.fields |= {"region_type": "pop", "region": ["SIN2-P1", "ICN51-C1", "SYD1-C1", "SYD62-P1"]}
    rule = world.aws.add(write, Act(when, world.kill_caller, resets=resets), times=times, skip=skip)
    # The end of a stopped run is written after the client has seen it: fired is read when all has settled.
    scene.aws(rule)
    if write == "s3:PUT knowledge":
        # A run writes only what no other run has met today.
        world.s3.delete_object(Bucket=world.stack.bucket, Key=POPS_KEY)
    if phase == "invalidate":
        scene.run.shape.fields["invalidate"] = True
    elif phase == "warm, a POP goes dark":
        pop = at_pop(scene)
        world.aws.add("dynamodb:put attempt", Act("after", lambda _: world.edge.dark(pop)))
        scene.run.shape.fields["verify"] = "none"
        scene.run.shape.urls, scene.run.paths = 20, world.paths(20)
    elif phase == "the end of a cancelled run":
        # The abort from outside is the one that another function has to finish.
        world.aws.add("dynamodb:put attempt", Act("after", lambda _: scene.run.abort()), skip=1)
