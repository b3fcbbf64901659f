"""What an edge's answer means, and what the worker does about it."""

from typing import Any

import pytest

from prewarm.outcome import Answer, Outcome, judge

POP = "NRT57-P3"


def answer(x_cache: str = "Miss from cloudfront", **more: Any) -> Answer:
    given: dict[str, Any] = {"status": 200, "cf_pop": POP, "x_cache": x_cache, "connected": True}
    return Answer(**given | more)


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (answer(), Outcome.WARMED),
        (answer("Hit from cloudfront"), Outcome.ALREADY_WARM),
        (answer("RefreshHit from cloudfront"), Outcome.ALREADY_WARM),
        (answer(cf_pop="NRT57"), Outcome.WARMED),
        (answer(cf_pop="NRT57-P4"), Outcome.WRONG_POP),
        (answer(cf_pop="NRT5"), Outcome.WRONG_POP),
        (answer(cf_pop=""), Outcome.WRONG_POP),
        (answer("Error from cloudfront", status=404), Outcome.CLIENT_ERROR),
        (answer("Error from cloudfront", status=403, server="AmazonS3"), Outcome.CLIENT_ERROR),
        (answer("Error from cloudfront", status=403, server="CloudFront"), Outcome.BLOCKED),
        (answer("Error from cloudfront", status=502), Outcome.SERVER_ERROR),
        (answer(status=429), Outcome.SERVER_ERROR),
        (answer("Error from cloudfront", status=200), Outcome.SERVER_ERROR),
        (answer("LimitExceeded from cloudfront"), Outcome.SERVER_ERROR),
        (answer(status=301), Outcome.REDIRECT),
        (answer("Redirect from cloudfront", status=307), Outcome.REDIRECT),
        (answer("FunctionGeneratedResponse from cloudfront"), Outcome.UNPROVEN),
        (answer(""), Outcome.UNPROVEN),
        (answer(content_length="10", bytes=9), Outcome.TRUNCATED),
        (answer(content_length="10", bytes=10), Outcome.WARMED),
        (answer(error=18, bytes=5), Outcome.TRUNCATED),
        (answer(error=92, bytes=5), Outcome.TRUNCATED),
        (Answer(error=56, connected=True), Outcome.CONNECT_ERROR),
        (Answer(error=7), Outcome.CONNECT_ERROR),
        (Answer(error=28), Outcome.CONNECT_ERROR),
        (answer(error=28), Outcome.TIMEOUT),
        (Answer(error=60), Outcome.TLS_ERROR),
        (answer(error=63), Outcome.TOO_LARGE),
        (Answer(error=999), Outcome.CONNECT_ERROR),
    ],
)
def test_an_answer_has_one_meaning(given: Answer, outcome: Outcome) -> None:
    found, detail = judge(given, POP)
    assert found is outcome
    assert bool(detail) == (outcome not in {Outcome.WARMED, Outcome.ALREADY_WARM})
