"""For how long the edge serves an error again: the rules of the guide, and agreement with the simulated edge."""

import math
from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prewarm.fetcher.response import Response
from prewarm_local.edge.freshness import Ttl, time_to_live
from warm.error_lifetime import seconds_kept

NOW = 1_767_225_600
DATE = formatdate(NOW, usegmt=True)
STATUSES = [400, 401, 403, 404, 405, 410, 412, 414, 415, 416, 429, 500, 501, 502, 503, 504, 505, 520]
LISTED = {400, 403, 404, 405, 410, 412, 414, 415, 416, 500, 501, 502, 503, 504}


def in_seconds(seconds: int) -> str:
    return formatdate(NOW + seconds, usegmt=True)


def kept(status: int, cache_control: str = "", expires: str = "", **settings: float) -> float:
    response = Response(status=status, cache_control=cache_control, expires=expires, date=DATE)
    return seconds_kept(response, 10, longest=settings.get("longest", math.inf))


@pytest.mark.parametrize(
    ("status", "cache_control", "expires", "seconds"),
    [
        (503, "", "", 10),
        (503, "max-age=90", "", 90),
        (503, "Max-Age=90, S-MaxAge=70", "", 70),
        (503, 'max-age="90"', "", 90),
        (503, "max-age=5", in_seconds(500), 10),
        (503, "", in_seconds(60), 60),
        (503, "public", in_seconds(60), 60),
        (503, "", in_seconds(-60), 10),
        (503, "", "0", 10),
        (503, "no-store, max-age=90", in_seconds(60), 10),
        (503, 'private="set-cookie, max-age=90"', "", 10),
        (503, "x-max-age=90", "", 10),
        (503, "max-age=99999999999999", "", 100 * 366 * 86_400),
        (501, "no-store", "", 0),
        (404, "no-cache, max-age=90", "", 0),
        (416, "max-age=90", "", 0),
        (403, "", "", 0),
        (403, "no-store", "", 0),
        (403, "max-age=90", "", 90),
        (403, "max-age=0", "", 10),
        (403, "", in_seconds(60), 60),
        (429, "", "", 10),
    ],
)
def test_error_is_kept_by_its_code_and_its_headers(
    status: int, cache_control: str, expires: str, seconds: float
) -> None:
    assert kept(status, cache_control, expires) == seconds


@pytest.mark.parametrize(("longest", "seconds"), [(3600, 300), (60, 60), (5, 10), (0, 10)])
def test_maximum_ttl_limits_the_origins_lifetime_and_not_the_error_caching_minimum(
    longest: float, seconds: float
) -> None:
    assert kept(503, "max-age=300", longest=longest) == seconds
    assert kept(503, "", in_seconds(300), longest=longest) == seconds


def test_headers_of_a_custom_error_page_say_nothing_about_the_error() -> None:
    page = Response(status=503, cache_control="max-age=86400", expires=in_seconds(86_400), date=DATE)
    assert seconds_kept(page, 10, of_page=True) == 10
    assert seconds_kept(Response(status=501, cache_control="no-store"), 10, of_page=True) == 10


def test_expires_counts_from_now_without_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warm.cache_control.time.time", lambda: NOW)
    assert seconds_kept(Response(status=503, expires=in_seconds(60)), 10) == 60


directive = st.sampled_from(
    ["no-store", "no-cache", "private", "public", "max-age=0", "max-age=40", "s-maxage=90", "must-revalidate"]
)


@given(
    status=st.sampled_from(STATUSES),
    directives=st.lists(directive, max_size=3, unique=True),
    expires=st.none() | st.integers(-100, 300),
    error=st.sampled_from([0, 10, 60]),
    maximum=st.sampled_from([0, 30, math.inf]),
    keeps=st.booleans(),
)
@example(status=403, directives=[], expires=60, error=10, maximum=math.inf, keeps=True)
def test_retry_never_comes_before_the_simulated_edge_forgets_the_error(
    status: int, directives: list[str], expires: int | None, error: float, maximum: float, *, keeps: bool
) -> None:
    header = ", ".join(directives)
    until = "" if expires is None else in_seconds(expires)
    ttl = Ttl(error=error, maximum=maximum, expires_keeps_4xx=keeps, zero_keeps_4xx=keeps)
    edge = time_to_live(status, {"cache-control": header, "expires": until, "date": DATE}, ttl) or 0.0
    response = Response(status=status, cache_control=header, expires=until, date=DATE)
    ours = seconds_kept(response, error, longest=maximum)
    assert ours >= edge
    if keeps and status in LISTED:
        assert ours == edge


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=40))
def test_no_header_raises_or_gives_a_time_out_of_range(cache_control: str, expires: str, date: str) -> None:
    response = Response(status=503, cache_control=cache_control, expires=expires, date=date)
    assert 10 <= seconds_kept(response, 10) <= 100 * 366 * 86_400
