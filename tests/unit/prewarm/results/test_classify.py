"""What an edge's response means, and what the worker does about it."""

from typing import Any

import pytest

from prewarm.fetcher.response import Response
from prewarm.results.outcome import Outcome, classify

POP = "NRT57-P3"


def response(x_cache: str = "Miss from cloudfront", **more: Any) -> Response:
    given: dict[str, Any] = {"status": 200, "cf_pop": POP, "x_cache": x_cache, "connected": True}
    return Response(**given | more)


@pytest.mark.parametrize(
    ("given", "outcome"),
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
        (response(status=429), Outcome.SERVER_ERROR),
        (response("Error from cloudfront", status=200), Outcome.SERVER_ERROR),
        (response("LimitExceeded from cloudfront"), Outcome.SERVER_ERROR),
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
def test_an_answer_has_one_meaning(given: Response, outcome: Outcome) -> None:
    found, detail = classify(given, POP)
    assert found is outcome
    assert bool(detail) == (outcome not in {Outcome.WARMED, Outcome.ALREADY_WARM})
