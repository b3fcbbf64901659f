"""Odd responses on the wire spoil their own target only: the run's other fetches are classified as usual."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prewarm.fetcher.fetcher import Fetch, Fetcher, PopQueue
from prewarm.fetcher.header_lines import CUT, LONGEST_VALUE
from prewarm.fetcher.response import Response
from prewarm.results.classify import classify
from prewarm.results.outcome import WARM, Outcome
from tests.support.edge_urls import HOST
from tests.support.raw_edge import ANSWER, POP, http1_edge

HEAD = b"HTTP/1.1 200 OK\r\nX-Cache: Miss from cloudfront\r\nX-Amz-Cf-Pop: SYD1-C1\r\n"
END = b"Connection: close\r\n\r\nok"
EARLY = b"HTTP/1.1 103 Early Hints\r\nContent-Length: 99999\r\nX-Cache: Hit from cloudfront\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n"
# By path: the response, and the outcomes that its target may have; libcurl refuses some of them itself.
CASES: dict[str, tuple[bytes, set[Outcome]]] = {
    "length-of-5000-digits": (
        HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n" + END,
        {Outcome.TRUNCATED, Outcome.CONNECT_ERROR},
    ),
    "negative-length": (HEAD + b"Content-Length: -2\r\n" + END, {Outcome.TRUNCATED, Outcome.CONNECT_ERROR}),
    "two-lengths": (
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n" + END,
        {Outcome.TRUNCATED, Outcome.CONNECT_ERROR},
    ),
    "same-length-twice": (HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n" + END, {Outcome.WARMED}),
    "length-in-a-103": (EARLY + ANSWER, {Outcome.WARMED}),
    "three-1xx": (EARLY * 3 + ANSWER, {Outcome.WARMED}),
    "pop-of-90-kb": (
        HEAD.replace(b"SYD1-C1", b"SYD1-C1" * 13_000) + b"Content-Length: 2\r\n" + END,
        {Outcome.WRONG_POP},
    ),
    "two-x-cache": (
        HEAD.replace(b"Miss", b"Hit") + b"X-Cache: MISS, HIT\r\nContent-Length: 2\r\n" + END,
        {Outcome.ALREADY_WARM},
    ),
    "x-cache-of-a-cache-only": (
        HEAD.replace(b"Miss from cloudfront", b"HIT") + b"Content-Length: 2\r\n" + END,
        {Outcome.UNPROVEN},
    ),
    "headers-without-end": (HEAD + b"X-Long: " + b"x" * 400_000, {Outcome.CONNECT_ERROR, Outcome.TRUNCATED}),
    "no-http": (b"\x00\xff\x00garbage\r\n\r\n", {Outcome.CONNECT_ERROR}),
    "nothing": (b"", {Outcome.CONNECT_ERROR}),
    "trailer": (
        HEAD + CHUNKED + b"X-Cache: Hit from cloudfront\r\n\r\n",
        {Outcome.WARMED},
    ),
}  # fmt: skip


def answer(target: bytes) -> bytes:
    return CASES[target.decode().removeprefix("/")][0] if target.decode()[1:] in CASES else ANSWER


def fetch_all(fetcher: Fetcher, names: list[str]) -> dict[str, Response]:
    """Fetch all names through one POP at once; returns the last response to each, after three tries."""
    responses: dict[str, Response] = {}
    tries = dict.fromkeys(names, 0)

    def collect(fetch: Fetch, response: Response) -> float | None:
        responses[fetch.owner] = response
        tries[fetch.owner] += 1
        return 0.0 if response.error and tries[fetch.owner] < 3 else None

    queue = PopQueue(["127.0.0.1"])
    assert fetcher.run([Fetch(f"http://{HOST}/{name}", [], queue, name) for name in names], collect) == []
    return responses


def test_odd_responses_spoil_their_own_targets_only() -> None:
    healthy = [f"healthy-{number}" for number in range(20)]
    names = [name for pair in zip([*CASES] * 2, healthy, strict=False) for name in pair]
    with http1_edge(answer) as (_, fetcher):
        responses = fetch_all(fetcher, list(dict.fromkeys(names)))
    outcomes = {name: classify(response, POP) for name, response in responses.items()}
    assert {outcomes[name][0] for name in healthy} == {Outcome.WARMED}
    unexpected = {name: outcomes[name] for name, (_, expected) in CASES.items() if outcomes[name][0] not in expected}
    assert unexpected == {}
    assert all(len(detail) < 500 for _, detail in outcomes.values())
    assert all(len(response.cf_pop) <= LONGEST_VALUE + len(CUT) for response in responses.values())


@pytest.mark.parametrize(
    "before", [b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n", b""], ids=["early hints", "none"]
)
@pytest.mark.parametrize("after", [b"X-Cache: MISS, HIT\r\n", b""], ids=["two x-cache", "one"])
@pytest.mark.parametrize("result", [b"Hit", b"Miss"])
def test_response_with_what_caches_on_the_way_add_is_a_copy(before: bytes, after: bytes, result: bytes) -> None:
    own = b"X-Cache: " + result + b" from cloudfront\r\n"
    rest = b"X-Amz-Cf-Pop: SYD1-C1\r\nContent-Length: 2\r\n"
    wire = before + b"HTTP/1.1 200 OK\r\n" + own + after + rest + END
    with http1_edge(lambda _: wire) as (_, fetcher):
        response = fetch_all(fetcher, ["a"])["a"]
    assert classify(response, POP)[0] in WARM
    assert response.x_cache == f"{result.decode()} from cloudfront"


def test_any_bytes_from_an_edge_end_as_a_response() -> None:
    sent = [ANSWER]
    pieces = st.sampled_from(
        [
            *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 103 Early Hints\r\n", b"HTTP/1.0 304 Old\r\n", b"\r\n", b"ok"),
            *(b"Content-Length: 2\r\n", b"Content-Length: 99999999999999999999\r\n", b"0\r\n\r\n"),
            *(b"X-Cache: Hit from cloudfront\r\n", b"X-Amz-Cf-Pop: SYD1-C1\r\n", b" folded\r\n", b"Age: -1\r\n"),
            b"Transfer-Encoding: chunked\r\n",
            *(b"ETag: \xff\xfe\r\n", b"Content-Encoding: br, gzip\r\n", b"Location: //x\r\n"),
        ]
    )  # fmt: skip
    with http1_edge(lambda target: ANSWER if target == b"/healthy" else sent[0]) as (_, fetcher):

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(st.one_of(pieces, st.binary(max_size=30)), max_size=12).map(b"".join))
        def check(wire: bytes) -> None:
            sent[0] = wire
            responses = fetch_all(fetcher, ["odd", "healthy"])
            assert classify(responses["healthy"], POP)[0] is Outcome.WARMED
            outcome, detail = classify(responses["odd"], POP, "br, gzip")
            assert isinstance(outcome, Outcome)
            assert len(detail) < 500

        check()
