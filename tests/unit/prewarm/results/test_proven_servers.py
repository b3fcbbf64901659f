"""The addresses at which copies were proven: united over batches and parts."""

from prewarm.planning.plan import Group
from prewarm.results.batch_result import BatchResult
from prewarm.results.proven_servers import ProvenServers, pack_servers, proven_servers
from tests.support.builders import POP_NAMES, plan

PLAN = plan(groups=(Group("d1.cloudfront.net", "E1", 0, 2, POP_NAMES, 6),))


def part(number: int, pop_from: int, servers: str) -> BatchResult:
    return BatchResult(f"1-{number:06}", 0, 0, 0, 2, 2, True, 4, {}, 0, 0, pop_from=pop_from, servers=servers)


def test_proofs_of_all_batches_at_a_pop_are_united() -> None:
    first, second = pack_servers([2, 4], [0b01, 0], [1]), pack_servers([2, 4], [0b11, 0b1000], [])
    parts = [part(0, 0, first), part(1, 0, second), part(2, 2, pack_servers([1, 0], [1, 0], []))]
    assert proven_servers(PLAN, parts) == ProvenServers(7, 4, (POP_NAMES[1],))


def test_parts_of_earlier_versions_say_nothing() -> None:
    assert proven_servers(PLAN, [part(0, 0, "")]) == ProvenServers()
