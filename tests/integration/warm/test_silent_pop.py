"""A POP that accepts connections and never responds: it fails alone, and soon."""

import time
from collections import Counter
from collections.abc import Iterator

import pycurl
import pytest

from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.fetcher.response import Response
from prewarm.settings import Settings
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import DOMAIN, Machine, an_account, document, records
from tests.support.strict_edge import strict_cloudfront

POPS = ["FRA2-C1", "FRA50-C1", "LHR3-C1", "LHR50-C1", "AMS1-C1", "AMS50-C1", "CDG50-C1", "CDG50-C2"]
SILENT = POPS[3]
URLS = 200
# The stall time of `an_account`, against the default one of 95 s, after which a run has to end in three minutes.
STALL, DEFAULT_STALL, MOST = 2, 95, 180


@pytest.fixture(scope="module")
def silent_edge() -> Iterator[SimulatedCloudFront]:
    """Eight POPs, whose edges wait for the origin longer than a worker does."""
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST]}],
        "pops": POPS,
        "default_object": {"size": 300, "ttfb_ms": 5},
        "origin_timeout": 120,
    }
    with strict_cloudfront(config) as running:
        yield running


@pytest.mark.parametrize("region_type", ["pop", "region"])
def test_silent_pop_of_eight_costs_the_run_little_and_fails_alone(
    silent_edge: SimulatedCloudFront, region_type: str
) -> None:
    urls = fresh(URLS)
    region = POPS if region_type == "pop" else ["eu"]
    with an_account(silent_edge) as account:
        machine = Machine(account.storage)
        request = {"url_list": urls, "region_type": region_type, "region": region, "verify": "sample"}
        ran = machine.resolve(request)
        silent_edge.fault("*", "no_answer", pops=[SILENT])
        started = time.monotonic()
        try:
            for item in machine.items(ran):
                machine.warm(ran, item)
            took = time.monotonic() - started
            machine.aggregate(ran)
        finally:
            silent_edge.fault("*", None)
        failed = Counter(
            (record["pop"], record["outcome"])
            for record in records(ran.name)
            if record["outcome"] not in {"warmed", "already_warm"}
        )
        summary = document(ran.name, "summary.json")
        open_hosts = account.storage.ledger.control(ran.name).open_hosts
    assert failed == {(SILENT, "timeout"): URLS}
    assert open_hosts == frozenset()
    # libcurl's speed limit is checked once a second, so short stall times are exceeded by up to a second each.
    assert took < MOST * STALL / DEFAULT_STALL + 6
    skipped = {entry["pop"]: entry["reason"] for entry in summary["skippedPops"] if entry["pop"] in POPS}
    assert skipped == ({} if region_type == "pop" else {SILENT: "timeout"})
    assert summary["warm"] == (region_type == "region")


def connection_of_the_last_fetch(fetcher: Fetcher) -> int:
    """Return libcurl's number of the connection that the last finished fetch used."""
    (idle,) = fetcher._pool._idle.values()
    return int(idle[-1].getinfo(pycurl.CONN_ID))


def test_connection_whose_streams_all_stall_is_dropped_and_not_used_again(silent_edge: SimulatedCloudFront) -> None:
    """After a POP has fallen silent and recovered, new streams must not go onto the connection that died."""
    settings = {"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t", "PREWARM_STALL_SECONDS": "1", **silent_edge.settings()}
    fetcher = Fetcher(Settings.from_environment(settings))
    pop = POPS[0]
    queue = PopQueue(silent_edge.addresses[pop])
    seen: list[Response] = []

    def collect(_fetch: Fetch, response: Response) -> None:
        seen.append(response)

    fetcher.run([Fetch(fresh()[0], [], queue)], collect)
    stuck = fresh(5)
    for url in stuck:
        silent_edge.fault(path_of(url), "no_answer", pops=[pop], times=1)
    died = connection_of_the_last_fetch(fetcher)
    fetcher.run([Fetch(url, [], queue) for url in stuck], collect)
    assert seen[0].error == 0
    assert 28 in {response.error for response in seen[1:]}
    fetcher.run([Fetch(fresh()[0], [], queue)], collect)
    assert seen[-1].status == 200
    assert connection_of_the_last_fetch(fetcher) != died


def test_slow_response_does_not_break_the_connection_that_answers_others(silent_edge: SimulatedCloudFront) -> None:
    settings = {"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t", "PREWARM_STALL_SECONDS": "1", **silent_edge.settings()}
    fetcher = Fetcher(Settings.from_environment(settings))
    pop = POPS[1]
    queue = PopQueue(silent_edge.addresses[pop])
    (slow,) = fresh()
    silent_edge.fault(path_of(slow), "no_answer", pops=[pop])
    errors: Counter[int] = Counter()

    def collect(fetch: Fetch, response: Response) -> float | None:
        errors[response.error] += 1
        return 0.05 if fetch.url != slow and errors[0] < 120 else None

    fetcher.run([Fetch(fresh()[0], [], queue)], collect)
    before = connection_of_the_last_fetch(fetcher)
    fetcher.run([Fetch(slow, [], queue), *(Fetch(url, [], queue) for url in fresh(2))], collect)
    silent_edge.fault(path_of(slow), None)
    assert errors[28] == 1
    assert set(errors) == {0, 28}
    fetcher.run([Fetch(fresh()[0], [], queue)], collect)
    assert connection_of_the_last_fetch(fetcher) == before
