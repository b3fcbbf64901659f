"""What to do about failures: every outcome has a step, and only repeatable failures suggest a repetition."""

import pytest

from prewarm.results.failures import Kind
from prewarm.results.next_steps import STEPS, next_step, next_steps, remedy_for, step_of, step_text
from prewarm.results.outcome import WARM, Outcome

A, B, C = (f"https://www.example.com/{name}" for name in "abc")
RETRY = {"kind": "retry", "how": "POST /retry?requestID=arn starts a new run of the failed URLs"}


def test_every_outcome_that_is_not_warm_has_a_step() -> None:
    assert set(STEPS) == set(Outcome) - WARM


@pytest.mark.parametrize(
    "key",
    [
        "client_error:404",
        "client_error:410",
        "client_error:403",
        "client_error:401",
        "client_error:431",
        "no_distribution",
        "truncated:200",
        "redirect:301",
        "blocked:403",
        "too_large:200",
        "not_cacheable:200",
        "server_error:502:unreachable",
        "server_error:503:function",
    ],
)
def test_a_repetition_is_not_suggested_where_it_would_fail_again(key: str) -> None:
    step = next_step(Kind.of(key))
    assert step.do == "fix"
    assert "retry" not in step.how
    remedy = remedy_for(RETRY, next_steps([(A, {key: 3})]))
    assert remedy is not None
    assert remedy["kind"] == "fix"
    assert "retry" not in remedy["how"].lower()
    assert step.how in remedy["how"]


@pytest.mark.parametrize(
    "key", ["timeout", "server_error:503:origin", "lost", "deadline", "limited:429", "stale:200"]
)
def test_a_repetition_is_suggested_where_it_can_succeed(key: str) -> None:
    remedy = remedy_for(RETRY, next_steps([(A, {key: 3})]))
    assert remedy is not None
    assert (remedy["kind"], remedy["how"]) == ("retry", RETRY["how"])


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("client_error:404", "publish the file, or take the URL off the list"),
        ("client_error:401", "the Authorization header that the origin asks for"),
        ("client_error:403", "S3 answers 403 for a missing object"),
        ("client_error:414", "shorten the URL"),
        ("client_error:431", "fewer headers"),
        ("client_error:400", "correct the URL"),
        ("blocked:403", "a secret header"),
        ("not_cacheable:200", "raise the TTL"),
        ("no_distribution", "AllowedDistributions"),
        ("too_large:200", "max_bytes"),
        ("deadline", "timeout_minutes"),
    ],
)
def test_each_cause_has_its_own_step(key: str, words: str) -> None:
    assert words in next_step(Kind.of(key)).how


def test_steps_are_counted_by_the_main_failure_of_each_url() -> None:
    steps = next_steps(
        [(A, {"client_error:404": 9, "timeout": 1}), (B, {"client_error:410": 2}), (C, {"timeout": 3}), ("", {})]
    )
    assert [(step["outcome"], step["urls"], step["url"], step["do"]) for step in steps] == [
        ("client_error", 2, A, "fix"),
        ("timeout", 1, C, "retry"),
    ]
    assert steps[0]["link"].endswith("/docs/troubleshooting.md#client_error")
    assert step_of(Kind("timeout")) == {name: steps[1][name] for name in ("outcome", "do", "how", "link")}


def test_other_recommended_actions_are_unchanged() -> None:
    redrive = {"kind": "redrive", "how": "resume"}
    assert remedy_for(redrive, next_steps([(A, {"client_error:404": 1})])) == redrive
    assert remedy_for(None, next_steps([(A, {"client_error:404": 1})])) is None
    assert remedy_for(RETRY, []) == RETRY


def test_step_of_a_run_names_its_first_url_and_how_many_more() -> None:
    what = "publish the file, or take the URL off the list; see "
    kinds = {"client_error:404": 2}
    (one,) = next_steps([(A, kinds)])
    assert step_text(one).startswith(f"{A}: {what}https://")
    (three,) = next_steps([(A, kinds), (B, kinds), (C, kinds)])
    assert step_text(three).startswith(f"{A} and 2 more: {what}https://")
    assert step_text(step_of(Kind("client_error", "404"))).startswith(f"{what}https://")


def test_step_of_a_run_of_an_earlier_version_names_outcome_and_number_of_urls() -> None:
    step = {"outcome": "client_error", "how": "publish it", "link": "https://docs.example/", "urls": 2}
    assert step_text(step) == "client_error, 2 URLs: publish it; see https://docs.example/"
