"""All cases of the fault matrix."""

from collections.abc import Callable

from tests.trust import cases_aws, cases_edge, cases_kill, cases_run
from tests.trust.case import Case


def all_cases() -> list[Case]:
    """Return all cases, in order of their groups."""
    groups: list[Callable[[], list[Case]]] = [
        cases_kill.kills,
        cases_run.deliveries,
        cases_aws.failures,
        cases_aws.cut_bodies,
        cases_aws.status_in_an_outage,
        cases_edge.nameservers,
        cases_edge.pops,
        cases_edge.origins,
        cases_run.cancels,
        cases_run.two_runs,
        cases_run.clocks,
    ]
    return [case for group in groups for case in group()]
