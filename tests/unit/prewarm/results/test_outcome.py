"""The outcomes: each has a description, and none is both warm and retried."""

from prewarm.results.outcome import IN_WORDS, RETRIED, SILENT, WARM, Outcome


def test_every_outcome_that_is_not_warm_has_a_description() -> None:
    assert set(IN_WORDS) == set(Outcome) - WARM


def test_retried_and_silent_outcomes_are_never_warm() -> None:
    assert not (RETRIED | SILENT) & WARM
