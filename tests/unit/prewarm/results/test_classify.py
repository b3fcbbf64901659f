"""Classification: the outcome of a response, and its reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.fetcher.response import Response
from prewarm.results.classify import classify
from prewarm.results.outcome import WARM, Outcome
from tests.support.builders import response as copy_from_pop

POP = "NRT57-P3"
ATLANTA = "ATL56-C1"


def response(x_cache: str = "Miss from cloudfront", **more: Any) -> Response:
    usual: dict[str, Any] = {"status": 200, "cf_pop": POP, "x_cache": x_cache, "connected": True}
    return Response(**usual | more)


@pytest.mark.parametrize(
    ("received", "outcome"),
    [
        (response(), Outcome.WARMED),
        (response("Hit from cloudfront"), Outcome.ALREADY_WARM),
        (response("RefreshHit from cloudfront"), Outcome.ALREADY_WARM),
        (response(cf_pop="NRT57"), Outcome.WARMED),
        (response(cf_pop="NRT57-P4"), Outcome.WRONG_POP),
        (response(cf_pop="NRT5"), Outcome.WRONG_POP),
        (response(cf_pop=""), Outcome.WRONG_POP),
        (response("Error from cloudfront", status=404), Outcome.CLIENT_ERROR),
        (response("Error from cloudfront", status=403, server="AmazonS3"), Outcome.CLIENT_ERROR),
        (response("Error from cloudfront", status=403, server="CloudFront"), Outcome.BLOCKED),
        (response("Error from cloudfront", status=502), Outcome.SERVER_ERROR),
        (response(status=429), Outcome.LIMITED),
        (response("Error from cloudfront", status=200), Outcome.ERROR_PAGE),
        (response("Error from cloudfront", status=204), Outcome.ERROR_PAGE),
        (response("LimitExceeded from cloudfront"), Outcome.LIMITED),
        (response("LimitExceeded from cloudfront", status=503), Outcome.LIMITED),
        (response("CapacityExceeded from cloudfront", status=503), Outcome.LIMITED),
        (response("LambdaLimitExceeded from cloudfront", status=503), Outcome.LIMITED),
        (response("FunctionThrottledError from cloudfront", status=503), Outcome.LIMITED),
        (response("LambdaExecutionError from cloudfront", status=503), Outcome.SERVER_ERROR),
        (response("LambdaValidationError from cloudfront", status=502), Outcome.SERVER_ERROR),
        (response(status=202, waf_action="challenge"), Outcome.BLOCKED),
        (response("Hit from cloudfront", status=200, waf_action="challenge"), Outcome.BLOCKED),
        (response("Error from cloudfront", status=405, waf_action="captcha"), Outcome.BLOCKED),
        (response("Error from cloudfront", status=405), Outcome.CLIENT_ERROR),
        (response(status=203), Outcome.WARMED),
        (response(status=202), Outcome.UNPROVEN),
        (response(status=204), Outcome.UNPROVEN),
        (response("Hit from cloudfront", status=206), Outcome.UNPROVEN),
        (response(status=300), Outcome.REDIRECT),
        (response("Error from cloudfront", status=403, cf_pop="", server="CloudFront"), Outcome.BLOCKED),
        (response("", status=421, cf_pop="", server="CloudFront"), Outcome.CLIENT_ERROR),
        (response("", status=413, cf_pop=""), Outcome.CLIENT_ERROR),
        (response("", status=400, cf_pop="", server="CloudFront"), Outcome.CLIENT_ERROR),
        (response("", status=503, cf_pop=""), Outcome.SERVER_ERROR),
        (response("Error from cloudfront", status=404, cf_pop="ATL56-C1"), Outcome.WRONG_POP),
        (response(status=301), Outcome.REDIRECT),
        (response("Redirect from cloudfront", status=307), Outcome.REDIRECT),
        (response("FunctionGeneratedResponse from cloudfront"), Outcome.UNPROVEN),
        (response(""), Outcome.UNPROVEN),
        (response(content_length="10", bytes=9), Outcome.TRUNCATED),
        (response(content_length="10", bytes=10), Outcome.WARMED),
        (response(error=18, bytes=5), Outcome.TRUNCATED),
        (response(error=92, bytes=5), Outcome.TRUNCATED),
        (Response(error=56, connected=True), Outcome.CONNECT_ERROR),
        (Response(error=7), Outcome.CONNECT_ERROR),
        (Response(error=28), Outcome.CONNECT_ERROR),
        (response(error=28), Outcome.TIMEOUT),
        (Response(error=60), Outcome.TLS_ERROR),
        (response(error=63), Outcome.TOO_LARGE),
        (Response(error=999), Outcome.CONNECT_ERROR),
    ],
)
def test_response_is_classified(received: Response, outcome: Outcome) -> None:
    actual, detail = classify(received, POP)
    assert actual is outcome
    assert bool(detail) == (outcome not in {Outcome.WARMED, Outcome.ALREADY_WARM})


@given(
    st.builds(
        Response,
        status=st.just(200) | st.sampled_from([0, 202, 203, 204, 206, 207, 301, 304, 403, 404, 429, 500, 502, 599]),
        error=st.just(0) | st.just(0) | st.integers(1, 99),
        error_text=st.text(max_size=9),
        connected=st.booleans(),
        bytes=st.integers(0, 99),
        x_cache=st.sampled_from(["", "Hit from cloudfront", "Miss from cloudfront", "Error from cloudfront", "Hit"]),
        cf_pop=st.sampled_from(["", ATLANTA, "ATL56", "ATL5", "ATL56-C12", "NRT57-P3"]),
        server=st.sampled_from(["", "CloudFront", "AmazonS3"]),
        waf_action=st.sampled_from(["", "", "challenge", "captcha"]),
        content_length=st.just("") | st.text("0129²x-", max_size=3),
    )
)
def test_only_a_complete_copy_from_the_right_pop_is_warm(received: Response) -> None:
    outcome, detail = classify(received, ATLANTA)
    assert bool(detail) == (outcome not in WARM)
    if outcome in WARM:
        assert (received.error, received.cf_pop in {ATLANTA, "ATL56"}) == (0, True)
        assert received.status in {200, 203}
        assert not received.waf_action
        assert received.x_cache.startswith(("Hit ", "Miss "))
        assert not received.content_length.isdecimal() or int(received.content_length) == received.bytes


@pytest.mark.parametrize(
    ("received", "outcome", "words"),
    [
        (copy_from_pop(cf_pop="NRT57-P3"), Outcome.WRONG_POP, "NRT57-P3"),
        (copy_from_pop(cf_pop=""), Outcome.WRONG_POP, "absent"),
        (copy_from_pop(cf_pop="ATL5"), Outcome.WRONG_POP, "ATL5"),
        (copy_from_pop(status=502, x_cache="Error from cloudfront"), Outcome.SERVER_ERROR, "status 502"),
        (copy_from_pop(bytes=4), Outcome.TRUNCATED, "4 of 10 bytes"),
        (copy_from_pop(error=18, error_text="closed", bytes=4), Outcome.TRUNCATED, "closed after 4 bytes"),
        (Response(error=28), Outcome.CONNECT_ERROR, "curl error 28"),
        (Response(error=28, connected=True, error_text="too slow"), Outcome.TIMEOUT, "too slow"),
        (Response(error=77, error_text="bad bundle"), Outcome.TLS_ERROR, "bad bundle"),
        (copy_from_pop(error=63, error_text="too big"), Outcome.TOO_LARGE, "too big"),
        (Response(error=4), Outcome.CONNECT_ERROR, "curl error 4"),
    ],
)
def test_detail_has_the_reason(received: Response, outcome: Outcome, words: str) -> None:
    actual, detail = classify(received, ATLANTA)
    assert actual is outcome
    assert words in detail


@pytest.mark.parametrize(
    ("encoding", "variant", "accepted"),
    [
        ("aws-chunked", "br, gzip", True),
        ("identity", "br, gzip", True),
        ("utf-8", "gzip", True),
        ("deflate", "br, gzip", True),
        ("zstd", "br", True),
        ("gzip,aws-chunked", "br, gzip", True),
        ("gzip, aws-chunked", "br", False),
        ("br", "gzip", False),
        ("BR", "gzip, deflate", False),
        ("x-gzip", "gzip", True),
        ("x-gzip", "br", False),
        ("br", "gzip;q=0.5, *", True),
        ("gzip", "identity", True),
    ],
)
def test_only_br_and_gzip_can_be_of_another_variant(encoding: str, variant: str, *, accepted: bool) -> None:
    """CloudFront has variants of br and gzip only; any other Content-Encoding is the origin's, for all viewers."""
    received = response(x_cache="Hit from cloudfront", encoding=encoding)
    expected = Outcome.ALREADY_WARM if accepted else Outcome.UNPROVEN
    assert classify(received, POP, variant)[0] is expected


@pytest.mark.parametrize("length", ["\u00b2", "9" * 5000, "10, 11", "-10"])
def test_copy_whose_content_length_is_not_a_length_is_truncated(length: str) -> None:
    """That it is whole cannot be shown."""
    assert classify(copy_from_pop(content_length=length), ATLANTA)[0] is Outcome.TRUNCATED


def test_detail_names_the_waf_action() -> None:
    _, detail = classify(response(status=202, waf_action="challenge"), POP)
    assert "x-amzn-waf-action: challenge" in detail


def test_detail_names_the_address_that_a_redirect_leads_to() -> None:
    _, detail = classify(response(status=301, location="https://www.example.com/new/" + "x" * 9_000), POP)
    assert ", Location: https://www.example.com/new/x" in detail
    assert len(detail) < 400


def test_detail_names_the_limit() -> None:
    _, detail = classify(response("CapacityExceeded from cloudfront", status=503), POP)
    assert "CapacityExceeded" in detail


def test_error_page_of_a_single_page_application_is_an_error_page() -> None:
    answer = response("Error from cloudfront", cf_pop="SYD1-C1", bytes=5, content_length="5")
    assert classify(answer, "SYD1-C1")[0] is Outcome.ERROR_PAGE


def test_location_of_a_redirect_is_recorded_without_its_secrets() -> None:
    _, detail = classify(response(status=302, location="https://sso.example.com/?session=S3CRET&page=2"), POP)
    assert "Location: https://sso.example.com/?session=…&page=2" in detail
