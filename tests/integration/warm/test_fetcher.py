"""The fetcher against real edges: every request reaches its address, and connections are kept."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.fetcher.response import Response
from prewarm.settings import Settings
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh
from tests.support.strict_edge import strict_cloudfront

POPS = [f"FRA{site}-C1" for site in range(1, 41)]


@pytest.fixture(scope="module")
def wide_edge() -> Iterator[SimulatedCloudFront]:
    """Many POPs with two addresses each, half of them without HTTP/2."""
    config = {
        "distributions": [{"domain": "d111abcdef8.cloudfront.net", "aliases": [HOST]}],
        "pops": POPS,
        "addresses_per_pop": 2,
        "http1_only": POPS[::2],
        "default_object": {"size": 2000},
    }
    with strict_cloudfront(config) as running:
        yield running


def fetcher_of(edge: SimulatedCloudFront) -> Fetcher:
    return Fetcher(Settings.from_environment({"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t", **edge.settings()}))


def queues(edge: SimulatedCloudFront) -> dict[str, PopQueue]:
    return {pop: PopQueue(addresses) for pop, addresses in edge.addresses.items()}


def fetch_all(fetcher: Fetcher, fetches: list[Fetch]) -> list[tuple[Fetch, Response]]:
    responses: list[tuple[Fetch, Response]] = []

    def collect(fetch: Fetch, response: Response) -> None:
        responses.append((fetch, response))

    assert fetcher.run(fetches, collect) == []
    return responses


def test_each_of_many_pops_receives_exactly_its_own_requests(wide_edge: SimulatedCloudFront) -> None:
    urls = fresh(30)
    before = wide_edge.stats()["pops"]
    fetches = [
        Fetch(url, [], queue, (pop, n), address=n)
        for n, url in enumerate(urls)
        for pop, queue in queues(wide_edge).items()
    ]
    responses = fetch_all(fetcher_of(wide_edge), fetches)
    assert len(responses) == len(urls) * len(POPS)
    strayed = [(fetch.owner, response.cf_pop) for fetch, response in responses if response.cf_pop != fetch.owner[0]]
    assert strayed == []
    after = wide_edge.stats()["pops"]
    assert {pop: after[pop]["requests"] - before[pop]["requests"] for pop in POPS} == dict.fromkeys(POPS, 30)


def test_requests_reach_the_address_of_their_fetch(wide_edge: SimulatedCloudFront) -> None:
    responses = fetch_all(
        fetcher_of(wide_edge),
        [
            Fetch(url, [], queue, (pop, n), address=n)
            for n, url in enumerate(fresh(6))
            for pop, queue in queues(wide_edge).items()
        ],
    )
    expected = {(pop, n): wide_edge.addresses[pop][n % 2] for pop in POPS for n in range(6)}
    assert {fetch.owner: response.address for fetch, response in responses} == expected


def test_connections_are_kept_between_runs(wide_edge: SimulatedCloudFront) -> None:
    fetcher, url = fetcher_of(wide_edge), fresh()[0]

    def once() -> int:
        fetches = [Fetch(url, [], PopQueue(wide_edge.addresses[pop][:1]), pop) for pop in POPS]
        assert all(not response.error for _, response in fetch_all(fetcher, fetches))
        return int(wide_edge.stats()["connections"])

    before = wide_edge.stats()["connections"]
    first = once()
    assert first - before == len(POPS)
    assert once() == first


def test_streams_of_one_pop_share_few_connections(wide_edge: SimulatedCloudFront) -> None:
    fetcher, pop = fetcher_of(wide_edge), POPS[1]
    before = wide_edge.stats()["connections"]
    queue = PopQueue(wide_edge.addresses[pop][:1])
    responses = fetch_all(fetcher, [Fetch(url, [], queue) for url in fresh(200)])
    assert {response.cf_pop for _, response in responses} == {pop}
    assert wide_edge.stats()["connections"] - before <= 4


def test_connections_closed_between_runs_cost_one_retry(
    wide_edge: SimulatedCloudFront,
) -> None:
    """As after a Lambda function was frozen: the sockets look open and are not."""
    fetcher, chosen = fetcher_of(wide_edge), POPS[:4]

    def once() -> list[int]:
        """Return the number of tries of each fetch."""
        tries: Counter[tuple[str, str]] = Counter()

        def until_complete(fetch: Fetch, response: Response) -> float | None:
            tries[fetch.owner] += 1
            return 0.0 if response.error else None

        each = queues(wide_edge)
        fetches = [Fetch(url, [], each[pop], (url, pop)) for url in fresh(5) for pop in chosen]
        assert fetcher.run(fetches, until_complete) == []
        return list(tries.values())

    assert once() == [1] * 20
    for pop in chosen:
        wide_edge.dark(pop)
        wide_edge.dark(pop, dark=False)
    again = once()
    assert len(again) == 20
    assert max(again) <= 2


class ClosesIdleConnections(BaseHTTPRequestHandler):
    """A server that closes a connection after 0.2 idle seconds."""

    protocol_version = "HTTP/1.1"
    timeout = 0.2

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("X-Peer", str(self.client_address[1]))
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


def test_server_that_closes_idle_connections_causes_no_error(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), ClosesIdleConnections) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            settings = {
                "PREWARM_BUCKET": "b",
                "PREWARM_TABLE": "t",
                "PREWARM_HTTP_PORT": str(server.server_address[1]),
            }
            fetcher = Fetcher(Settings.from_environment(settings))
            for _ in range(2):
                fetches = [Fetch(f"http://{HOST}/{n}", [], PopQueue(["127.0.0.1"])) for n in range(4)]
                responses = [response for _, response in fetch_all(fetcher, fetches)]
                assert [(response.error, response.status) for response in responses] == [(0, 200)] * 4
                time.sleep(0.4)
        finally:
            server.shutdown()
            thread.join()


def test_waiting_for_a_retry_uses_no_cpu(wide_edge: SimulatedCloudFront) -> None:
    tries = 0

    def twice(_fetch: Fetch, _response: Response) -> float | None:
        nonlocal tries
        tries += 1
        return 1.0 if tries == 1 else None

    fetcher = fetcher_of(wide_edge)
    started, worked = time.monotonic(), time.process_time()
    fetcher.run([Fetch(fresh()[0], [], PopQueue(wide_edge.addresses[POPS[1]]))], twice)
    assert tries == 2
    assert time.monotonic() - started >= 1.0
    assert time.process_time() - worked < 0.3


def test_stopped_run_returns_unfinished_fetches_for_the_next_run(wide_edge: SimulatedCloudFront) -> None:
    fetcher, urls, pop = fetcher_of(wide_edge), fresh(200), POPS[1]
    seen = SimpleNamespace(responses=0)

    def count(_fetch: Fetch, _response: Response) -> None:
        seen.responses += 1

    queue = PopQueue(wide_edge.addresses[pop])
    left = fetcher.run([Fetch(url, [], queue, url) for url in urls], count, should_stop=lambda: seen.responses >= 20)
    assert seen.responses >= 20
    assert len(left) == len(urls) - seen.responses > 0
    assert len({fetch.owner for fetch in left}) == len(left)
    again = PopQueue(wide_edge.addresses[pop])
    responses = fetch_all(fetcher, [Fetch(fetch.url, [], again) for fetch in left])
    assert {response.cf_pop for _, response in responses} == {pop}
    assert len(responses) == len(left)


def test_requeued_fetch_is_made_in_the_same_run(wide_edge: SimulatedCloudFront) -> None:
    fetcher, (first, second), pop = fetcher_of(wide_edge), fresh(2), POPS[1]
    queue = PopQueue(wide_edge.addresses[pop])
    urls: list[str] = []

    def requeue_once(fetch: Fetch, response: Response) -> None:
        urls.append(fetch.url)
        assert response.status == 200
        if len(urls) == 1:
            fetcher.requeue(Fetch(second, [], queue))

    assert fetcher.run([Fetch(first, [], queue)], requeue_once) == []
    assert urls == [first, second]
    with pytest.raises(RuntimeError, match="from a callback of run"):
        fetcher.requeue(Fetch(first, [], queue))
