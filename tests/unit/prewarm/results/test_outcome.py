"""The taxonomy: every outcome has words, and odd answers are judged without an accident."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.fetcher.response import Response
from prewarm.results.outcome import IN_WORDS, RETRIED, SILENT, WARM, Outcome, classify
from tests.support.builders import response

POP = "ATL56-C1"


def test_every_outcome_that_is_not_warm_is_told_in_words() -> None:
    assert set(IN_WORDS) == set(Outcome) - WARM


def test_what_is_retried_or_silent_is_never_warm() -> None:
    assert not (RETRIED | SILENT) & WARM


@given(
    st.builds(
        Response,
        status=st.just(200) | st.sampled_from([0, 203, 206, 301, 304, 403, 404, 429, 500, 502, 599]),
        error=st.just(0) | st.just(0) | st.integers(1, 99),
        error_text=st.text(max_size=9),
        connected=st.booleans(),
        bytes=st.integers(0, 99),
        x_cache=st.sampled_from(["", "Hit from cloudfront", "Miss from cloudfront", "Error from cloudfront", "Hit"]),
        cf_pop=st.sampled_from(["", POP, "ATL56", "ATL5", "ATL56-C12", "NRT57-P3"]),
        server=st.sampled_from(["", "CloudFront", "AmazonS3"]),
        content_length=st.just("") | st.text("0129²x-", max_size=3),
    )
)
def test_only_a_whole_copy_from_the_right_pop_is_warm(given_answer: Response) -> None:
    outcome, detail = classify(given_answer, POP)
    assert bool(detail) == (outcome not in WARM)
    if outcome in WARM:
        assert (given_answer.error, given_answer.cf_pop in {POP, "ATL56"}) == (0, True)
        assert given_answer.status < 300
        assert given_answer.x_cache.startswith(("Hit ", "Miss "))
        assert not given_answer.content_length.isdecimal() or int(given_answer.content_length) == given_answer.bytes


@pytest.mark.parametrize(
    ("given_answer", "outcome", "words"),
    [
        (response(cf_pop="NRT57-P3"), Outcome.WRONG_POP, "NRT57-P3"),
        (response(cf_pop=""), Outcome.WRONG_POP, "absent"),
        (response(cf_pop="ATL5"), Outcome.WRONG_POP, "ATL5"),
        (response(status=502, x_cache="Error from cloudfront"), Outcome.SERVER_ERROR, "status 502"),
        (response(bytes=4), Outcome.TRUNCATED, "4 of 10 bytes"),
        (response(error=18, error_text="closed", bytes=4), Outcome.TRUNCATED, "closed after 4 bytes"),
        (Response(error=28), Outcome.CONNECT_ERROR, "curl error 28"),
        (Response(error=28, connected=True, error_text="too slow"), Outcome.TIMEOUT, "too slow"),
        (Response(error=77, error_text="bad bundle"), Outcome.TLS_ERROR, "bad bundle"),
        (response(error=63, error_text="too big"), Outcome.TOO_LARGE, "too big"),
        (Response(error=4), Outcome.CONNECT_ERROR, "curl error 4"),
    ],
)
def test_the_detail_says_what_was_seen(given_answer: Response, outcome: Outcome, words: str) -> None:
    found, detail = classify(given_answer, POP)
    assert found is outcome
    assert words in detail


def test_a_length_in_other_digits_is_no_length() -> None:
    assert classify(response(content_length="\u00b2"), POP) == (Outcome.WARMED, "")
