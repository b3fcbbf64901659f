"""Reading header lines: which block counts, repeated headers, and bounded values for any bytes."""

import dataclasses
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prewarm.fetcher.header_lines import (
    CUT,
    LONGEST_VALUE,
    MOST_LINES,
    NAMES,
    _lines,
    header_fields,
    read_header_lines,
)
from prewarm.fetcher.response import Response
from prewarm.results.classify import classify
from prewarm.results.outcome import Outcome


def lines(text: str) -> list[bytes]:
    """Return header lines as libcurl passes them on, from blocks that a blank line ends."""
    return [line.encode("latin-1") + b"\r\n" for line in text.split("\n")]


def read(text: str, **changes: object) -> Response:
    usual: dict[str, object] = {"status": 200, "bytes": 2, "connected": True}
    return Response(**(usual | changes | read_header_lines(lines(text))))  # type: ignore[arg-type]


FINAL = "HTTP/1.1 200 OK\nX-Cache: Miss from cloudfront\nX-Amz-Cf-Pop: SYD1-C1\nContent-Length: 2\n"


@pytest.mark.parametrize(
    "before",
    [
        "HTTP/1.1 103 Early Hints\nLink: </a.css>\nContent-Length: 77\n\n",
        "HTTP/1.1 103 Early Hints\nX-Cache: Hit from cloudfront\nX-Amz-Cf-Pop: ATL56-C1\nETag: x\n\n",
        "HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Early Hints\nAge: 5\n\n",
        "HTTP/2 103 \nx-amz-cf-pop: ATL56-C1\n\n",
    ],
)
def test_headers_of_1xx_responses_do_not_count(before: str) -> None:
    response = read(before + FINAL)
    assert response == read(FINAL)
    assert classify(response, "SYD1-C1") == (Outcome.WARMED, "")


def test_trailers_do_not_count() -> None:
    assert read(FINAL + "\nX-Cache: Hit from cloudfront\nETag: trailer\n") == read(FINAL)


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        (["Hit from cloudfront", "MISS, HIT"], "Hit from cloudfront"),
        (["MISS, HIT", "Hit from cloudfront"], "Hit from cloudfront"),
        (["MISS, Hit from cloudfront, HIT"], "Hit from cloudfront"),
        (["HIT", "Miss from cloudfront"], "Miss from cloudfront"),
        (["Hit from cloudfront", "Miss from cloudfront"], "Miss from cloudfront"),
        (["Miss from cloudfront", "Hit from cloudfront"], "Miss from cloudfront"),
        (["Hit from cloudfront", "RefreshHit from cloudfront"], "RefreshHit from cloudfront"),
        (["Miss from cloudfront", "Error from cloudfront"], "Error from cloudfront"),
        (["Hit from cloudfront"] * 3, "Hit from cloudfront"),
        (["MISS", "HIT"], "HIT"),
        (["MISS, HIT"], "HIT"),
    ],
)
def test_cloudfronts_own_x_cache_counts(values: list[str], counts: str) -> None:
    listed = "\n".join(f"X-Cache: {value}" for value in values)
    assert read(f"HTTP/1.1 200 OK\n{listed}\n").x_cache == counts


def test_repeated_header_is_joined_unless_it_says_the_same() -> None:
    text = "HTTP/1.1 200 OK\nCache-Control: max-age=5\nCACHE-CONTROL: no-store\nAge: 1\nAge: 1\n"
    response = read(text)
    assert (response.cache_control, response.age) == ("max-age=5, no-store", "1")


@pytest.mark.parametrize(
    "length", ["9" * 5000, "9" * 20, "-1", "2, 3", "2x", "0x2", "2.0", "", "²", "2\nContent-Length: 3"]
)
def test_content_length_that_is_not_a_length_spoils_only_its_target(length: str) -> None:
    text = FINAL.replace("Content-Length: 2", f"Content-Length: {length}")
    outcome, detail = classify(read(text), "SYD1-C1")
    assert outcome is (Outcome.TRUNCATED if length else Outcome.WARMED)
    assert len(detail) < 300


def test_repeated_equal_content_length_is_one() -> None:
    assert read(FINAL.replace("Content-Length: 2", "Content-Length: 2\ncontent-length: 2")) == read(FINAL)


def test_pop_of_90_kb_is_another_pop_in_few_characters() -> None:
    response = read(FINAL.replace("SYD1-C1", "SYD1-C1" * 13_000))
    outcome, detail = classify(response, "SYD1-C1")
    assert (outcome, len(response.cf_pop)) == (Outcome.WRONG_POP, LONGEST_VALUE + len(CUT))
    assert len(detail) < 300


names = st.sampled_from(
    [
        b"X-Cache",
        b"x-amz-cf-pop",
        b"Content-Length",
        b"ETag",
        b"Age",
        b"Server-Timing",
        b"Cache-Control",
        b"",
        b"\xff",
    ]
)
raw_lines = st.one_of(
    st.binary(max_size=60),
    st.tuples(names, st.binary(max_size=40)).map(lambda pair: pair[0] + b":" + pair[1] + b"\r\n"),
    st.tuples(names, st.integers(0, 3000)).map(lambda pair: pair[0] + b": " + b"9" * pair[1] + b"\r\n"),
    st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"HTTP/2 103 \r\n", b"HTTP/", b"\r\n", b"\n", b"", b":", b": \r\n"]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(raw_lines, max_size=30), st.sampled_from([0, 103, 200, 301, 403, 503]))
@example([b"X-Cache: " + b"Hit from cloudfront, " * 4000 + b"\r\n"], 200)
@example([b"Age: %d\r\n" % number for number in range(5000)], 200)
def test_any_bytes_are_read_without_error_into_bounded_values(received: list[bytes], status: int) -> None:
    values = read_header_lines(received)
    assert set(values) <= set(Response.__slots__)
    assert all(len(value) <= LONGEST_VALUE + len(CUT) for value in values.values())
    response = Response(status=status, bytes=2, **values)  # type: ignore[arg-type]
    outcome, detail = classify(response, "SYD1-C1", "br, gzip")
    assert len(detail) < 500
    # A record of it is encodable.
    json.dumps([outcome, detail, response.layer, response.length, response.hit, *values.values()]).encode()


def test_date_is_read_with_expires_only() -> None:
    date = "Date: Thu, 01 Jan 2026 00:00:00 GMT\n"
    assert read(FINAL + date) == read(FINAL)
    expiring = read(FINAL + date + "Expires: Thu, 01 Jan 2026 00:01:00 GMT\n")
    assert (expiring.date, expiring.expires) == ("Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:01:00 GMT")


NAMES_OF_LINES = st.sampled_from(
    [b"X-Cache", b"x-cache", b"X-Amz-Cf-Id", b"Age", b"Date", b"Expires", b"ETag", b"Via", b"Set-Cookie", b" ", b""]
)
VALUES = st.sampled_from([b"", b" 1", b"Hit from cloudfront", b"MISS, Miss from cloudfront", b"x" * 1100, b"\xff"])
HEADER_LINES = st.builds(lambda name, value: name + b": " + value + b"\r\n", NAMES_OF_LINES, VALUES)
OTHER_LINES = st.sampled_from(
    [b"HTTP/2 200 \r\n", b"HTTP/1.1 103 Early Hints\r\n", b"\r\n", b"\n", b"", b"HTTP/\r\n"]
)


@given(st.lists(HEADER_LINES | HEADER_LINES | OTHER_LINES, max_size=8), st.booleans())
@example([], False)
@example([b"Age: 1\r\n", b"\r\n", b"Age: 2\r\n"], True)
def test_kept_lines_are_read_as_new_ones(listed: list[bytes], usual: bool) -> None:
    if usual:
        listed = [b"HTTP/2 200 \r\n", *listed, b"\r\n"]
    values = read_header_lines(listed)
    for _ in range(2):
        assert header_fields(listed) == tuple(values.get(name, "") for name in NAMES)


def test_few_lines_are_kept() -> None:
    for number in range(2 * MOST_LINES):
        header_fields([b"HTTP/2 200 \r\n", b"etag: %d\r\n" % number, b"x-amz-cf-id: %d\r\n" % number, b"\r\n"])
        assert len(_lines) <= MOST_LINES
    assert not any(line.startswith(b"x-amz-cf-id") for line in _lines)


def test_names_are_the_fields_of_a_response_in_their_order() -> None:
    fields = [each.name for each in dataclasses.fields(Response) if each.init]
    assert tuple(fields[fields.index("x_cache") :]) == NAMES
