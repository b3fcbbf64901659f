"""The texts about a run as a whole: its state, and its URLs that are not warm. Pure.

The only source of these words, also for the dashboard. The status words of the REST API stay as they are.
"""

# The state of a run that ended as COMPLETED although URLs are not warm, as fail_on: none allows.
NOT_WARM = "NOT WARM"
# The word for URLs of a run in progress that can no longer become warm; they are "failed" in the end.
FAILING = "failing"
FAILING_MEANS = "failed at too many POPs already; final once the others have been tried"
# If a run was stopped, its URLs that are not warm need not have failed: it had not finished with them.
_LEFT_BY_STATE = {
    "CANCELLED": "not warm when the run was cancelled",
    "TIMEOUT": "not warm when the run ran out of time",
}


def shown_state(state: str, failed: int | None) -> str:
    """Return a run's state as it is shown; `state` as in the list of runs, `failed`: its number of failed URLs."""
    return NOT_WARM if state == "COMPLETED" and failed else state


def not_warm_word(state: str) -> str:
    """Return the word for an ended run's URLs that are not warm."""
    return "not warm" if state in _LEFT_BY_STATE else "failed"


def not_warm_heading(state: str) -> str:
    """Return the text that follows the number of an ended run's URLs that are not warm."""
    return _LEFT_BY_STATE.get(state, "failed")
