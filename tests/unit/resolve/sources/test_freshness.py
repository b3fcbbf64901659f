"""Whether a document left the origin during the run, was invalidated by it, or came from a cache."""

import pytest

from prewarm.fetcher.response import Response
from prewarm.planning.source_documents import CACHE, INVALIDATED, ORIGIN, ReadDocument
from prewarm.request.url_parser import parse_url
from resolve.distributions.model import Distribution
from resolve.invalidation_rounds import Owner
from resolve.sources.freshness import Freshness, is_from_origin

OWN = Distribution("E1", "d1.cloudfront.net", ("www.example.com",))
TENANT = Distribution("E2", "d2.cloudfront.net", ("shop.example.com",), tenant="dt_1")
FOREIGN = Distribution("", "d3.cloudfront.net", ())
HIT = "Hit from cloudfront"
ELAPSED = 60.0


def freshness(**options: object) -> Freshness:
    return Freshness(1_000.0, clock=lambda: 1_000.0 + ELAPSED, **options)  # type: ignore[arg-type]


def judged(
    fresh: Freshness, url: str = "https://www.example.com/s.xml", distribution: Distribution = OWN, age: str = "3600"
) -> tuple[ReadDocument, bool]:
    return fresh.judge(parse_url(url), distribution, Response(status=200, x_cache=HIT, age=age))


@pytest.mark.parametrize(
    ("x_cache", "age", "elapsed", "origin"),
    [
        ("Miss from cloudfront", None, 0.0, True),
        ("Miss from cloudfront", 0, 0.0, True),
        # The regional edge cache, or one behind CloudFront, had the copy.
        ("Miss from cloudfront", 3_600, 60.0, False),
        ("Miss from cloudfront", 30, 60.0, True),
        (HIT, None, 60.0, False),
        (HIT, 0, 0.5, False),
        (HIT, 0, 1.0, True),
        (HIT, 3, 3.9, False),
        (HIT, 3, 4.0, True),
        (HIT, 3_600, 60.0, False),
        # It may be an expired copy that is served while the origin fails.
        ("RefreshHit from cloudfront", None, 60.0, False),
        ("Error from cloudfront", None, 60.0, False),
        ("Redirect from cloudfront", None, 0.0, True),
        ("FunctionGeneratedResponse from cloudfront", None, 0.0, True),
        ("", None, 60.0, False),
        ("Missing", None, 60.0, False),
    ],
)
def test_response_is_from_the_origin_if_it_left_it_after_the_run_began(
    x_cache: str, age: int | None, elapsed: float, origin: bool
) -> None:
    assert is_from_origin(x_cache, age, elapsed) is origin


@pytest.mark.parametrize(("text", "age"), [("", None), ("12", 12), ("-1", None), ("²", None), ("9" * 30, None)])
def test_age_that_is_not_a_number_of_seconds_is_unknown(text: str, age: int | None) -> None:
    assert Response(age=text).age_seconds == age


def test_document_of_a_cache_is_noted_to_be_invalidated_by_distribution_and_tenant() -> None:
    fresh = freshness(invalidates=True)
    assert judged(fresh) == (ReadDocument("https://www.example.com/s.xml", HIT, 3_600, CACHE), True)
    assert judged(fresh, "https://www.example.com/s.xml?a=1")[1]
    assert judged(fresh, "https://shop.example.com/s.xml", TENANT)[1]
    assert {owner: list(paths) for owner, paths in fresh.stale.items()} == {
        Owner("E1", ""): ["/s.xml", "/s.xml?a=1"],
        Owner("E2", "dt_1"): ["/s.xml"],
    }


def test_document_that_was_invalidated_is_not_noted_again() -> None:
    fresh = freshness(invalidates=True, invalidated={Owner("E1", ""): ["/s.xml", "/a*"]})
    assert judged(fresh, age="")[0].origin == INVALIDATED
    assert judged(fresh, "https://www.example.com/a/b.xml", age="")[0].origin == INVALIDATED
    # The invalidation of one distribution says nothing about another.
    assert judged(fresh, "https://shop.example.com/s.xml", TENANT)[1]
    assert list(fresh.stale) == [Owner("E2", "dt_1")]


def test_invalidated_document_that_is_older_than_the_run_is_of_a_cache_behind_cloudfront() -> None:
    read, stale = judged(freshness(invalidates=True, invalidated={Owner("E1", ""): ["/s.xml"]}))
    assert (read.origin, stale) == (CACHE, False)
    assert "a cache behind CloudFront" in read.reason


def test_young_copy_needs_no_invalidation() -> None:
    fresh = freshness(invalidates=True)
    assert judged(fresh, age="30")[0].origin == ORIGIN
    assert not fresh.stale


def test_document_that_cannot_be_invalidated_is_read_with_the_reason() -> None:
    fresh = freshness(invalidates=True)
    read, stale = judged(fresh, "https://www.example.com/~u/s.xml")
    assert (stale, "contains ~" in read.reason) == (False, True)
    read, stale = judged(fresh, distribution=FOREIGN)
    assert (stale, "not a distribution of this account" in read.reason) == (False, True)
    assert not fresh.stale


def test_pattern_of_the_request_invalidates_what_its_own_path_cannot() -> None:
    fresh = freshness(invalidates=True, patterns=["/b*", "/*"])
    assert judged(fresh, "https://www.example.com/~u/s.xml")[1]
    assert fresh.stale == {Owner("E1", ""): {"/*": None}}
    again = freshness(invalidates=True, invalidated={Owner("E1", ""): ["/*"]}, patterns=["/*"])
    assert not judged(again, "https://www.example.com/~u/s.xml", age="")[1]


def test_run_that_does_not_invalidate_reads_what_is_cached() -> None:
    fresh = freshness()
    assert judged(fresh) == (ReadDocument("https://www.example.com/s.xml", HIT, 3_600, CACHE), False)
    assert not fresh.stale
