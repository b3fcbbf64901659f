"""A run's progress as one line: what is known so far, and what a target is."""

from typing import Any

import pytest

from prewarm.results.target_texts import target_text
from prewarm_cli.output.progress import not_warm_so_far, progress_line
from tests.support.statuses import BAD, GOOD, running_status, status


def test_ended_run_counts_warm_and_failed_urls() -> None:
    line = "FAILED: 1 of 2 URLs warm, 1 failed · 8 of 1,008 targets tried"
    assert progress_line(status(), define=False) == line
    assert progress_line(status()) == line.removesuffix(" tried") + " (each one URL at one POP) tried"
    assert (
        progress_line(status(nextToken="x"), define=False)
        == "FAILED: 2 of 2 URLs finished · 8 of 1,008 targets tried"
    )
    outcomes = {"warmed": 6, "already_warm": 1, "timeout": 1}
    known = status(targets={"done": 8, "total": 8, "outcomes": outcomes})
    assert progress_line(known, define=False) == "FAILED: 1 of 2 URLs warm, 1 failed · 7 of 8 targets warm"
    warm = status(status="COMPLETED", failedUrl=[], successUrl=[GOOD, BAD])
    assert progress_line(warm, define=False).startswith("COMPLETED: 2 of 2 URLs warm · ")


@pytest.mark.parametrize("paged", [{}, {"nextToken": "x", "failed": 0}])
def test_failures_are_counted_before_any_url_is_decided(paged: dict[str, Any]) -> None:
    targets = {"done": 96, "total": 768, "outcomes": {"warmed": 48, "client_error": 40, "timeout": 8}}
    running = running_status(failing=1, targets=targets, **paged)
    line = "IN_PROGRESS: 0 of 2 URLs warm, 1 failing, 1 in progress · 96 of 768 targets tried, 48 of them not warm"
    assert progress_line(running, define=False, explain=False) == line
    meaning = "1 failing (failed at too many POPs already; final once the others have been tried), 1 in progress"
    assert meaning in progress_line(running)
    assert not_warm_so_far(running) == (1, 48)


def test_page_of_a_large_run_counts_all_of_its_failures() -> None:
    page = running_status(total=5_000, completed=3_000, inProgress=2_000, failed=1_200, nextToken="x", targets={})
    assert progress_line(page) == "IN_PROGRESS: 1,800 of 5,000 URLs warm, 1,200 failed, 2,000 in progress"


def test_cancelled_run_is_not_called_failed() -> None:
    assert progress_line(status(reason="cancelled"), define=False).startswith(
        "CANCELLED: 1 of 2 URLs warm, 1 not warm ·"
    )


def test_completed_run_with_failures_does_not_read_as_a_success() -> None:
    assert progress_line(status(status="COMPLETED"), define=False).startswith(
        "NOT WARM: 1 of 2 URLs warm, 1 failed ·"
    )


@pytest.mark.parametrize(("ended", "head"), [("2026-11-24T01:38:55.2Z", "FAILED after 26 s: "), (None, "FAILED: ")])
def test_ended_run_says_how_long_it_took(ended: str | None, head: str) -> None:
    assert progress_line(status(startedAt="2026-11-24T01:38:29Z", endedAt=ended)).startswith(head)


@pytest.mark.parametrize("state", ["FAILED", "TIMEOUT", "COMPLETED", "IN_PROGRESS"])
@pytest.mark.parametrize("reason", [None, "cancelled"])
def test_nothing_is_called_done_next_to_what_is_not_warm(state: str, reason: str | None) -> None:
    targets = {"done": 96, "total": 768, "outcomes": {"warmed": 48, "client_error": 40, "timeout": 8}}
    assert "done" not in progress_line(status(status=state, reason=reason, targets=targets))


def test_no_zero_failures_while_a_run_is_in_progress() -> None:
    assert "0 failed" not in progress_line(running_status())
    assert progress_line(running_status(targets={"total": 0, "done": 0})) == (
        "IN_PROGRESS: 0 of 2 URLs warm, 2 in progress"
    )


@pytest.mark.parametrize(
    ("targets", "pops", "variants", "text"),
    [
        (1_152, 384, 1, "3 URLs \u00d7 384 POPs"),
        (2, 1, 2, "1 URL \u00d7 1 POP \u00d7 2 encodings"),
        (1_151, 384, 1, "each one URL at one POP"),
        (10, None, 1, "each one URL at one POP"),
        (10, None, 2, "each one URL at one POP, in one encoding"),
        (10, 5, 0, "each one URL at one POP"),
        (10, 0, 1, "each one URL at one POP"),
    ],
)
def test_target_is_defined_by_a_product_or_in_words(targets: int, pops: int | None, variants: int, text: str) -> None:
    assert target_text(targets, pops, variants) == text


def test_progress_line_says_what_the_targets_are() -> None:
    targets = {"done": 0, "total": 768, "outcomes": {}, "popsPerUrl": 384, "variants": 1}
    assert progress_line(running_status(targets=targets)).endswith(
        "· 0 of 768 targets (2 URLs \u00d7 384 POPs) tried"
    )


@pytest.mark.parametrize(
    ("phase", "text"),
    [
        ({"name": "resolving"}, "IN_PROGRESS, resolving: "),
        ({"name": "invalidating", "done": 3, "total": 10}, "IN_PROGRESS, invalidating 3 of 10: "),
        ({"name": "warming", "stage": 1, "stages": 1}, "IN_PROGRESS, warming: "),
        (
            {"name": "warming", "stage": 2, "stages": 2, "secondsLeft": 75},
            "IN_PROGRESS, warming stage 2 of 2, about 1 min 15 s left: ",
        ),
        ({"name": "summing_up"}, "IN_PROGRESS, summing up: "),
        (None, "IN_PROGRESS: "),
    ],
)
def test_progress_line_names_the_phase_where_the_service_returns_it(phase: dict[str, Any] | None, text: str) -> None:
    assert progress_line(status(status="IN_PROGRESS", phase=phase)).startswith(text)
    assert progress_line(status(phase=phase)).startswith("FAILED: ")
