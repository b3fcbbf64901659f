"""How long the simulated edge keeps responses.

Sources: CloudFront Developer Guide, H: "How CloudFront processes HTTP 4xx and 5xx status codes from your origin" with
its section "HTTP 4xx and 5xx status codes that CloudFront caches"; E: "Control how long CloudFront caches errors".
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from prewarm_local.edge.freshness import Ttl, time_to_live

ALWAYS = (404, 410, 414, 500, 501, 502, 503, 504)
ON_REQUEST = (400, 403, 405, 412, 415)
TTL = Ttl(default=100, error=10)
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
IN_A_MINUTE = "Thu, 01 Jan 2026 00:01:00 GMT"


def kept(status: int, cache_control: str = "", ttl: Ttl = TTL, expires: str = "") -> float | None:
    headers = {"cache-control": cache_control, "date": DATE} | ({"expires": expires} if expires else {})
    return time_to_live(status, headers, ttl)


@pytest.mark.parametrize(
    ("status", "cache_control", "ttl"),
    [
        (200, "", 100),
        (200, "max-age=5, s-maxage=7", 7),
        (200, "private", None),
        (200, "no-cache, max-age=9", 0),
    ],
)
def test_success_follows_cache_control(status: int, cache_control: str, ttl: float | None) -> None:
    assert kept(status, cache_control) == ttl


# H: "CloudFront always caches" these (410 is in E's rule); E: for the greater of the header and the error caching
# minimum TTL, or for that TTL without such a header.
@pytest.mark.parametrize("status", ALWAYS)
@pytest.mark.parametrize(
    ("cache_control", "expires", "ttl"),
    [("", "", 10), ("max-age=3", "", 10), ("max-age=30", "", 30), ("max-age=30, s-maxage=40", "", 40),
     ("", IN_A_MINUTE, 60), ("max-age=30", IN_A_MINUTE, 30), ("", "soon", 10), ("public", "", 10)],
)  # fmt: skip
def test_listed_error_is_always_kept_for_the_greater_time(
    status: int, cache_control: str, expires: str, ttl: float
) -> None:
    assert kept(status, cache_control, expires=expires) == ttl


# E, note: the header's value cannot be greater than the maximum TTL; nothing limits the error caching minimum TTL.
@pytest.mark.parametrize(
    ("cache_control", "expires", "error", "ttl"),
    [("max-age=3600", "", 10, 40), ("s-maxage=3600", "", 10, 40), ("", IN_A_MINUTE, 10, 40),
     ("max-age=3600", "", 50, 50), ("max-age=30", "", 10, 30)],
)  # fmt: skip
def test_maximum_ttl_limits_what_the_header_of_an_error_says(
    cache_control: str, expires: str, error: float, ttl: float
) -> None:
    assert kept(503, cache_control, replace(TTL, maximum=40, error=error), expires) == ttl
    assert kept(403, cache_control or "max-age=99", replace(TTL, maximum=40, error=error), expires) == ttl


# E: with no-store, no-cache or private, 404, 410, 414 and 501 are not cached; other codes are, for the error caching
# minimum TTL.
@pytest.mark.parametrize("directive", ["no-store", "no-cache", "private"])
@pytest.mark.parametrize("more", ["", ", max-age=300"])
def test_directives_against_caching_count_for_four_codes(directive: str, more: str) -> None:
    for status in ALWAYS:
        assert kept(status, directive + more) == (None if status in {404, 410, 414, 501} else 10)
    for status in ON_REQUEST:
        assert kept(status, directive + more) == (10 if more else None)


# H: "CloudFront only caches" these with max-age or s-maxage, with a custom error response too.
@pytest.mark.parametrize("status", ON_REQUEST)
def test_other_listed_error_is_kept_with_max_age_only(status: int) -> None:
    own = replace(TTL, errors={status: 300})
    assert (kept(status), kept(status, ttl=own), kept(status, "public", own)) == (None, None, None)
    assert (kept(status, "max-age=30"), kept(status, "s-maxage=5"), kept(status, "max-age=5", own)) == (30, 10, 300)


# E, note: 416 is not cached, whatever its error caching minimum TTL. H lists no other codes.
@pytest.mark.parametrize("status", [416, 401, 429, 505])
def test_error_that_is_not_listed_is_never_kept(status: int) -> None:
    own = replace(TTL, errors={status: 300})
    assert [kept(status, header, own) for header in ("", "max-age=30", "public, s-maxage=30")] == [None] * 3


# Not documented: H wants a Cache-Control header of these codes, E also names Expires; and max-age=0 may ask for
# caching or not.
@pytest.mark.parametrize("keeps", [True, False])
def test_switches_decide_where_the_guide_is_unclear(keeps: bool) -> None:
    ttl = replace(TTL, expires_keeps_4xx=keeps, zero_keeps_4xx=keeps)
    assert kept(403, "", ttl, IN_A_MINUTE) == (60 if keeps else None)
    assert kept(403, "max-age=0", ttl) == (10 if keeps else None)
    assert kept(403, "max-age=0", ttl, IN_A_MINUTE) == (10 if keeps else None)
    assert kept(403, "no-store", ttl, IN_A_MINUTE) == (10 if keeps else None)
    assert kept(404, "max-age=0", ttl) == 10


# E says nothing about policies that cache nothing: the error caching minimum TTL stays.
def test_error_is_kept_where_the_policy_caches_nothing() -> None:
    disabled = replace(TTL, default=0, maximum=0)
    assert (kept(200, "max-age=60", disabled), kept(404, "", disabled)) == (None, 10)
    assert (kept(503, "max-age=60", disabled), kept(404, "no-store", disabled)) == (10, None)


# "How CloudFront processes HTTP 3xx status codes from your origin".
@pytest.mark.parametrize(("status", "ttl"), [(301, 100), (302, 100), (307, None), (308, None)])
def test_temporary_and_permanent_redirects_of_rfc_9110_are_kept_with_cache_control_only(
    status: int, ttl: float | None
) -> None:
    assert (kept(status), kept(status, "max-age=30")) == (ttl, 30)
