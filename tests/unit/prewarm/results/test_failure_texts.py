"""What happened to a failed URL, as a person reads it and as fields."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.results.failure_texts import (
    example_as_json,
    example_from_json,
    failure_fields,
    heading,
    label,
    what_happened,
)
from prewarm.results.failures import (
    ID_IN_RECORDS,
    UNKNOWN_STATUS,
    Example,
    Kind,
    by_outcome,
    by_status,
    without_statuses,
)
from prewarm.results.outcome import IN_WORDS, Outcome
from prewarm.results.regional_causes import IN_WORDS as REGIONAL_CAUSES
from prewarm.results.server_errors import IN_WORDS as CAUSES

NOT_FOUND = Example(7, "FRA56-P5", "client_error", 404, "Error from cloudfront", "Zx9==")
KINDS = st.builds(
    Kind,
    st.sampled_from(sorted(IN_WORDS)),
    st.sampled_from(["", "?", "200", "404", "502", "799"]),
    st.sampled_from(["", *CAUSES]),
).map(lambda kind: kind if kind.status else Kind(kind.outcome))


@pytest.mark.parametrize(
    ("kinds", "example", "variants", "text"),
    [
        (
            {"client_error:404": 297},
            NOT_FOUND,
            1,
            "404 Not Found at 297 POPs, such as FRA56-P5 (x-amz-cf-id Zx9==)",
        ),
        ({"client_error:404": 594}, None, 2, "404 Not Found at 594 targets"),
        ({"client_error:404": 1}, None, 0, "404 Not Found at 1 target"),
        (
            {"server_error:502:unreachable": 3, "timeout": 1},
            Example(1, "NRT57-P3", "server_error", 502, "Error from cloudfront", ID_IN_RECORDS, "unreachable"),
            1,
            (
                "502 (the edge could not connect to the origin) at 3 POPs; no complete response in time at "
                "1 POP, such as NRT57-P3 (its request id is in the run's records)"
            ),
        ),
        (
            {"server_error:503:function": 2},
            Example(1, "A", "server_error", 503, "FunctionExecutionError from cloudfront", "", "function"),
            1,
            (
                "503 (a function at the edge failed) at 2 POPs, such as A (X-Cache: FunctionExecutionError from "
                "cloudfront)"
            ),
        ),
        ({"client_error:799": 2}, None, 1, "status 799 at 2 POPs"),
        (
            {"no_distribution": 1},
            None,
            1,
            "no distribution of this account serves the URL's host",
        ),
        ({"truncated:200": 2}, None, 1, "the body ended early (status 200 received) at 2 POPs"),
        ({"timeout:200": 2}, None, 1, "no complete response in time (status 200 received) at 2 POPs"),
        ({"timeout": 2}, None, 1, "no complete response in time at 2 POPs"),
        ({"redirect:301": 2}, None, 1, "301 Moved Permanently (a redirect, which is not followed) at 2 POPs"),
        ({"blocked:405": 2}, None, 1, "405 Method Not Allowed (an AWS WAF CAPTCHA) at 2 POPs"),
        ({"deadline:503": 2}, None, 1, "not finished (the run's deadline passed; status 503 received) at 2 POPs"),
        # A target that was fetched waits for its proof when the circuit breaker opens, so it was not "not fetched".
        (
            {"origin_overload:200": 2},
            None,
            1,
            "not finished (the host's origin was overloaded; status 200 received) at 2 POPs",
        ),
        ({"server_error:502:origin": 1}, None, 1, "502 (sent by the origin) at 1 POP"),
        ({"unreachable": 1}, None, 1, "not fetched (none of its POPs can be reached)"),
        # Before the plan it is not known at how many POPs a URL would have been warmed.
        ({"cancelled": 1}, None, 0, "not finished (the run was cancelled)"),
        ({"cancelled": 1}, None, 1, "not finished (the run was cancelled) at 1 POP"),
        (
            {"timeout": 9, "lost": 8, "client_error:404": 7, "client_error:410": 1, "client_error:400": 1},
            None,
            1,
            (
                "no complete response in time at 9 POPs; no result (the run or its worker failed before it reported "
                "one) at 8 POPs; 404 Not Found at 7 POPs; 2 other kinds of failure at 2 POPs"
            ),
        ),
        (
            {"server_error:?": 5},
            None,
            1,
            f"{IN_WORDS[Outcome.SERVER_ERROR]} (with several HTTP statuses) at 5 POPs",
        ),
    ],
)
def test_text_names_status_number_and_example(
    kinds: dict[str, int], example: Example | None, variants: int, text: str
) -> None:
    assert what_happened(kinds, example, variants=variants) == text


# Their texts begin with the status; none of them occurs with 200.
NAMED_BY_STATUS = {"client_error", "blocked", "redirect", "limited", "server_error"}
STATUSES = ["", UNKNOWN_STATUS, "200", "202", "204", "301", "403", "404", "405", "429", "502", "799"]


@pytest.mark.parametrize("outcome", sorted(IN_WORDS))
def test_every_kind_of_failure_reads_as_words(outcome: str) -> None:
    """Each outcome with each status and cause: no code, no doubled parentheses, no status that looks like success."""
    for status, cause in product(STATUSES, ["", *CAUSES, *REGIONAL_CAUSES]):
        text = label(Kind(outcome, status, cause if status else ""))
        assert "_" not in text.replace("max_bytes", ""), text
        assert ") (" not in text, text
        assert not text.startswith("200,"), text
        assert text.count("(") == text.count(")") <= 2, text
        assert (status in text) is (status != UNKNOWN_STATUS), text
        if status == "200" and outcome not in NAMED_BY_STATUS:
            assert "status 200 received" in text


def test_x_cache_of_a_body_that_ended_early_is_left_out() -> None:
    """It was sent before the body, and a reader would take it for a copy in the cache."""
    example = Example(1, "BOM78-P11", "truncated", 200, "Hit from cloudfront", "vx==")
    text = what_happened({"truncated:200": 2}, example, variants=1)
    assert text == "the body ended early (status 200 received) at 2 POPs, such as BOM78-P11 (x-amz-cf-id vx==)"


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        (["client_error"], "3 URLs failed"),
        (["cancelled"], "3 URLs not warm"),
        (["deadline", "cancelled"], "3 URLs not warm"),
        (["lost"], "3 URLs failed"),
        (["cancelled", "timeout"], "3 URLs failed"),
    ],
)
def test_heading_does_not_call_unfinished_urls_failed(outcomes: list[str], text: str) -> None:
    assert heading(3, map(Kind, outcomes)) == text


def test_single_failure_at_every_pop_says_all() -> None:
    assert what_happened({"client_error:404": 9}, None, variants=1, everywhere=True) == "404 Not Found at all 9 POPs"
    assert what_happened({"client_error:404": 1}, None, variants=1, everywhere=True) == "404 Not Found at 1 POP"
    both = {"client_error:404": 5, "client_error:410": 4}
    assert what_happened(both, None, variants=1, everywhere=True) == "404 Not Found at 5 POPs; 410 Gone at 4 POPs"


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_a_server_error_says_which_of_its_causes_it_was(cause: str) -> None:
    assert CAUSES[cause] in what_happened({f"server_error:502:{cause}": 1}, None, variants=1)


def test_fields_have_a_histogram_and_an_example() -> None:
    assert failure_fields({"client_error:404": 2, "client_error:410": 1, "timeout": 4, "lost": 1}, NOT_FOUND) == {
        "kinds": {"client_error:404": 2, "client_error:410": 1, "timeout": 4, "lost": 1},
        "statuses": {"404": 2, "410": 1, "none": 5},
        "example": {
            "pop": "FRA56-P5",
            "outcome": "client_error",
            "status": 404,
            "cause": None,
            "xCache": "Error from cloudfront",
            "requestId": "Zx9==",
            "inRecords": False,
        },
    }


@bounded(max_examples=200, deadline=None)
@given(counts=st.dictionaries(KINDS, st.integers(1, 999), max_size=6))
def test_no_failure_is_lost_by_statuses_or_outcomes(counts: dict[Kind, int]) -> None:
    kinds = {kind.key: count for kind, count in counts.items()}
    assert {Kind.of(key) for key in kinds} == {Kind(*kind) for kind in counts if kind.key in kinds}
    assert sum(by_status(kinds).values()) == sum(by_outcome(kinds).values()) == sum(kinds.values())
    assert by_outcome(without_statuses(kinds)) == by_outcome(kinds)
    assert what_happened(kinds, None, variants=1) or not kinds


@bounded(max_examples=100, deadline=None)
@given(
    status=st.integers(0, 999),
    x_cache=st.text(max_size=9),
    cf_id=st.text(max_size=9),
    cause=st.sampled_from(["", *CAUSES]),
)
def test_example_survives_the_summary(status: int, x_cache: str, cf_id: str, cause: str) -> None:
    example = Example(-1, "ATL56-C1", "server_error", status, x_cache, cf_id, cause)
    assert example_from_json(example_as_json(example)) == example
