"""S3, DynamoDB and Step Functions throttle, fail, reset, are slow, lose responses, or cut them."""

import time
from functools import partial

from tests.trust import deliveries as lambdas
from tests.trust.aws_calls import Call
from tests.trust.aws_proxy import Answer, Cut, Fault, Reset, Slow
from tests.trust.case import ALWAYS, Case, Scene, follow_all
from tests.trust.drive import slow_shape, small_shape

FAULTS: dict[str, Fault] = {
    "throttles": Answer(),
    "answers 500": Answer(500, "InternalError"),
    "answers 503": Answer(503, "ServiceUnavailable"),
    "resets connections": Reset(),
    "loses responses": Reset(lost=True),
    "is slow": Slow(0.4, 0.4),
}
SERVICES = {"S3": "s3:.*", "DynamoDB": "dynamodb:.*", "Step Functions": "stepfunctions:.*"}
QUICK = {"S3 loses responses", "DynamoDB loses responses", "S3 cuts plan"}
# Documents that a run reads, with a shape that reads them.
READ = {
    "request.json": small_shape,
    "plan": small_shape,
    "addresses": small_shape,
    "blocks": small_shape,
    "urls": small_shape,
    "summary.json": small_shape,
    "cursors": slow_shape,
}
# A status has to answer before API Gateway gives up, after 29 s. Here the client needs less than this.
LONGEST_STATUS_SECONDS = 25


def failures() -> list[Case]:
    """Return a case for each service and failure, and outages of some seconds."""
    cases = [
        Case(
            f"{service} {what}",
            f"{service} fails",
            partial(_share, pattern, fault),
            leftovers=True,
            quick=f"{service} {what}" in QUICK,
        )
        for service, pattern in SERVICES.items()
        for what, fault in FAULTS.items()
    ]
    cases.append(
        Case(
            "DynamoDB throttles the leases of a rate",
            "DynamoDB fails",
            partial(_every, "dynamodb:(update|get) rate", Answer()),
            shape=slow_shape,
            leftovers=True,
        )
    )
    return cases + [
        Case(f"{service} is down for some seconds", f"{service} fails", partial(_outage, pattern), leftovers=True)
        for service, pattern in SERVICES.items()
    ]


def _share(pattern: str, fault: Fault, scene: Scene) -> None:
    """Fail a fifth of the calls, and the first one, so that the fault happens in every run."""
    world = scene.world
    first = world.aws.add(pattern, fault, skip=scene.chance.randint(0, 3))
    scene.aws(first, world.aws.add(pattern, fault, share=0.2, times=ALWAYS))


def _every(pattern: str, fault: Fault, scene: Scene) -> None:
    scene.aws(scene.world.aws.add(pattern, fault, times=ALWAYS))


class _Down(Fault):
    """No connection works, and then all do."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._end = seconds, 0.0

    def before(self, call: Call) -> None:
        self._end = self._end or time.monotonic() + self._seconds
        if time.monotonic() < self._end:
            raise ConnectionResetError


def _outage(pattern: str, scene: Scene) -> None:
    skip = scene.chance.randint(0, 4)
    scene.aws(scene.world.aws.add(pattern, _Down(scene.chance.uniform(3, 6)), skip=skip, times=ALWAYS))


def cut_bodies() -> list[Case]:
    """Return a case for each document whose response is cut in the middle, and for a cut item."""
    cases = [
        Case(f"S3 cuts {name}", "S3 response cut", partial(_cut, f"s3:GET {name}"), shape=shape, leftovers=True)
        for name, shape in READ.items()
    ]
    cases.append(Case("S3 cuts a third of all", "S3 response cut", partial(_cut_share, "s3:GET .*"), leftovers=True))
    more = Case("DynamoDB cuts a fifth of all", "S3 response cut", partial(_cut_share, "dynamodb:.*"), leftovers=True)
    return [*cases, more]


def _cut(pattern: str, scene: Scene) -> None:
    if pattern.endswith(" cursors"):
        # Only a worker that finds its part already written reads a cursor.
        scene.world.deliveries.add("WarmFunction", lambdas.twice(0.0, second=True), times=ALWAYS)
    # Three in a row: as often as the service itself reads again.
    scene.aws(scene.world.aws.add(pattern, Cut(), times=scene.chance.randint(1, 3)))


def _cut_share(pattern: str, scene: Scene) -> None:
    scene.aws(scene.world.aws.add(pattern, Cut(), times=ALWAYS, share=0.3 if "s3" in pattern else 0.2))


def status_in_an_outage() -> list[Case]:
    """Return cases in which a run's status is asked for while a store does not answer."""
    faults = {"hangs": Slow(60.0), "is down": Reset(), "answers 500": Answer(500), "throttles": Answer()}
    return [
        Case(f"status while {service} {what}", "status in an outage", partial(_nothing, pattern, fault), drive=_ask)
        for service, pattern in SERVICES.items()
        for what, fault in faults.items()
    ]


def _nothing(pattern: str, fault: Fault, scene: Scene) -> None:
    """Fail every call after the run has ended."""

    def begin() -> None:
        scene.aws(scene.world.aws.add(pattern, fault, times=ALWAYS))

    scene.run.shape.urls, scene.run.paths = 4, scene.world.paths(4)
    # The status reads the ledger only while there is no summary.
    scene.run.shape.fields["fail_on"] = "none"
    scene.later.append(begin)


def _ask(scene: Scene) -> None:
    """Run to the end, ask for the status in the outage, check how long the error takes, and ask again."""
    follow_all(scene)
    scene.run.settle()
    scene.run.poll()
    world = scene.world
    (begin,) = scene.later
    scene.later.clear()
    key = f"runs/{scene.run.name}/summary.json"
    summary = scene.run.document("summary.json")
    # Without the summary the status is computed from plan and ledger, which reads every store.
    world.s3.delete_object(Bucket=world.stack.bucket, Key=key)
    begin()
    before = len(scene.run.polls)
    poll = scene.run.poll()
    world.aws.clear()
    world.s3.put_object(Bucket=world.stack.bucket, Key=key, Body=summary)
    assert len(scene.run.polls) == before + 1
    assert poll.http in {429, 503}, (poll.http, poll.document)
    assert poll.seconds < LONGEST_STATUS_SECONDS, f"the error took {poll.seconds:.1f} s"
