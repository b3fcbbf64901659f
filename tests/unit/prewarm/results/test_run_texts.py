"""What people read about a run as a whole: no state of success for a run that is not warm."""

import pytest

from prewarm.results.run_texts import not_warm_heading, not_warm_word, shown_state


@pytest.mark.parametrize("failed", [None, 0, 3])
@pytest.mark.parametrize("state", ["IN_PROGRESS", "COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"])
def test_completed_run_with_cold_urls_is_shown_as_not_warm(state: str, failed: int | None) -> None:
    assert shown_state(state, failed) == ("NOT WARM" if state == "COMPLETED" and failed else state)


@pytest.mark.parametrize(
    ("state", "word", "text"),
    [
        ("FAILED", "failed", "failed"),
        ("COMPLETED", "failed", "failed"),
        ("CANCELLED", "not warm", "not warm when the run was cancelled"),
        ("TIMEOUT", "not warm", "not warm when the run ran out of time"),
    ],
)
def test_urls_that_a_stopped_run_left_are_not_called_failed(state: str, word: str, text: str) -> None:
    assert (not_warm_word(state), not_warm_heading(state)) == (word, text)
