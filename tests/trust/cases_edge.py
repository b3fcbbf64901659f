"""Nameservers that are silent, slow or wrong; POPs that stall, lie, reset, refuse or go dark; origins that fail."""

import threading
from collections.abc import Callable
from functools import partial

from tests.trust import dns_proxy
from tests.trust.aws_proxy import Act
from tests.trust.case import Case, Scene, at_name, at_pop
from tests.trust.drive import Run
from tests.trust.world import POPS

# Behaviour of the nameserver for one POP's name.
FOR_ONE_NAME = {
    "is silent": dns_proxy.silent,
    "answers NXDOMAIN": dns_proxy.code("NXDOMAIN"),
    "answers SERVFAIL": dns_proxy.code("SERVFAIL"),
    "answers REFUSED": dns_proxy.code("REFUSED"),
    "answers YXDOMAIN": dns_proxy.code("YXDOMAIN"),
    "answers FORMERR": dns_proxy.code("FORMERR"),
    "sends garbage": dns_proxy.garbage,
    "names an address outside CloudFront": dns_proxy.address(dns_proxy.OUTSIDE),
    "names another POP's address": None,
}
FOR_ALL_NAMES = {
    "loses four of ten queries": (dns_proxy.lossy, "warm"),
    "is slow": (dns_proxy.slow, "warm"),
    "answers after a try": (dns_proxy.later_than_a_try, "ended"),
    "truncates, so that TCP is used": (dns_proxy.truncated, "warm"),
    "is silent": (dns_proxy.silent, "rejected"),
}
# What a POP does to its viewers from the moment at which the first worker starts.
AT_A_POP = [
    "no_answer",
    "stall",
    "reset",
    "lie_pop",
    "redirect",
    "limit",
    "limit:429",
    "capacity",
    "function_error",
    "goaway:3",
    "waf_block",
    "waf_challenge",
    "waf_captcha",
    "bare:421",
    "truncated",
    "chunked_cut",
    "status:503",
    "status:404",
    "unreachable",
    "refused",
]
HARMLESS = {"goaway:3"}
FOR_ALL_POPS = [
    "truncated",
    "chunked_cut",
    "stall",
    "no_answer",
    "status:503",
    "status:502",
    "refused",
    "unreachable",
]
QUICK = {"a POP: lie_pop", "a POP goes dark", "DNS is silent for a POP", "a POP: no_answer"}


def nameservers() -> list[Case]:
    """Return the cases of DNS."""
    group = "DNS"
    one = [
        Case(f"DNS {what} for a POP", group, partial(_one_name, behaviour), "one pop", quick=what == "is silent")
        for what, behaviour in FOR_ONE_NAME.items()
    ]
    return one + [
        Case(f"DNS {what}", group, partial(at_name, behaviour=behaviour, whole=True), expect)
        for what, (behaviour, expect) in FOR_ALL_NAMES.items()
    ]


def _one_name(behaviour: dns_proxy.Behaviour | None, scene: Scene) -> None:
    at_name(scene, behaviour or dns_proxy.silent)
    if behaviour is None:
        other = scene.chance.choice([pop for pop in POPS if pop != scene.pop])
        scene.world.dns.behaviour = dns_proxy.address(scene.world.edge.addresses[other][0])


def pops() -> list[Case]:
    """Return the cases of one POP."""
    group = "a POP fails"
    cases = [
        Case(
            f"a POP: {fault}",
            group,
            partial(_at_a_pop, fault),
            "warm" if fault in HARMLESS else "one pop",
            quick=f"a POP: {fault}" in QUICK,
        )
        for fault in AT_A_POP
    ]
    return [
        *cases,
        Case("a POP goes dark", group, partial(_dark, 0.0), "one pop", quick=True),
        Case("a POP goes dark and comes back", group, partial(_dark, 0.5), "one pop"),
        Case("a POP is dark for one worker only", group, partial(_dark, 0.05), "one pop"),
        Case("all POPs go dark", group, _all_dark, "not green"),
    ]


def when_warming(scene: Scene, act: Callable[[], object]) -> None:
    """Act when the first or second worker has started; the fault has happened then."""
    skip = scene.chance.choice([0, 0, 1])
    scene.aws(scene.world.aws.add("dynamodb:put attempt", Act("before", lambda _: act()), skip=skip))
    if skip:
        _many_batches(scene.run)


def _many_batches(run: Run) -> None:
    if run.shape.urls < 14:
        run.shape.urls, run.paths = 14, run.world.paths(14)


def _at_a_pop(fault: str, scene: Scene) -> None:
    pop = at_pop(scene)
    times = scene.chance.choice([None, None, scene.chance.randint(1, 6)])
    when_warming(scene, lambda: scene.world.edge.fault("*", fault, pops=[pop], times=times))


def _dark(seconds: float, scene: Scene) -> None:
    pop, edge = at_pop(scene), scene.world.edge

    def act() -> None:
        edge.dark(pop)
        if seconds:
            timer = threading.Timer(seconds, lambda: edge.dark(pop, dark=False))
            timer.daemon = True
            timer.start()

    when_warming(scene, act)


def _all_dark(scene: Scene) -> None:
    def act() -> None:
        for pop in POPS:
            scene.world.edge.dark(pop)

    when_warming(scene, act)


def origins() -> list[Case]:
    """Return the cases of an origin that fails for all POPs, for a while or for good."""
    return [
        Case(f"the origin: {fault}", "the origin fails", partial(_origin, fault), "ended") for fault in FOR_ALL_POPS
    ]


def _origin(fault: str, scene: Scene) -> None:
    times = scene.chance.choice([None, scene.chance.randint(1, 12)])
    when_warming(scene, lambda: scene.world.edge.fault("*", fault, times=times))
