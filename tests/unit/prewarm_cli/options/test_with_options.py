"""Texts of the service in the command's own terms: its options for the request's fields."""

import re
from pathlib import Path

import pytest

from prewarm.results.next_steps import STEPS, next_steps
from prewarm.results.outcome import IN_WORDS, Outcome
from prewarm_cli.ci.github import annotation_lines, step_summary
from prewarm_cli.options.user_request import FIELDS, option_of, with_options
from prewarm_cli.output.junit import junit_xml
from prewarm_cli.output.text import status_lines
from tests.support.statuses import status

FIELD = re.compile(r"(?<![\w-])(?:" + "|".join(sorted(name for name in FIELDS if "_" in name)) + r")(?!\w)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("set a lower max_rps, or raise the limit", "set a lower --max-rps, or raise the limit"),
        ("a longer timeout_minutes, a higher max_rps", "a longer --timeout-minutes, a higher --max-rps"),
        ("set nearest: true to warm them", "pass --nearest to warm them"),
        ("set nearest, so that another", "pass --nearest, so that another"),
        ("the headers that the origin requires (headers)", "the headers that the origin requires (--header)"),
        ("add it to the cache key, or to headers", "add it to the cache key, or to --header"),
        ("or use tier edge", "or use --tier edge"),
        ("--max-rps and --tier edge", "--max-rps and --tier edge"),
        ("https://x.example/max_rps?dry_run=1 max_bytes", "https://x.example/max_rps?dry_run=1 --max-bytes"),
        ("'{\"url_list\": [1]' is not JSON", "'{\"url_list\": [1]' is not JSON"),
        ("must be 'max_rps', got 'max_bytes'", "must be 'max_rps', got 'max_bytes'"),
        ("the nearest POP; its headers", "the nearest POP; its headers"),
    ],
)  # fmt: skip
def test_field_is_named_by_its_option_and_nothing_else_changes(text: str, expected: str) -> None:
    assert with_options(text) == expected
    assert with_options(expected) == expected


@pytest.mark.parametrize("outcome", STEPS)
def test_no_output_of_the_command_names_a_field_of_the_api(outcome: Outcome) -> None:
    (step,) = next_steps([("https://www.example.com/a", {outcome.value: 1})])
    failed = {"url": "https://www.example.com/a", "what": IN_WORDS[outcome], "nextStep": step}
    given = status(
        failures=[failed], failedUrl=[failed["url"]], nextSteps=[step], warnings=["set nearest: true; raise max_rps"]
    )
    printed = "\n".join(
        [*status_lines(given), *annotation_lines(given, None), step_summary(given, None), junit_xml(given).decode()]
    )
    assert not FIELD.search(printed)
    assert "nearest: true" not in printed


def test_options_that_texts_name_are_those_of_the_command() -> None:
    named = {option_of(field) for field in ("max_rps", "timeout_minutes", "max_bytes", "nearest", "headers", "tier")}
    # The reference is compared with the command by tests/contract/docs.
    reference = (Path(__file__).parents[4] / "docs" / "cli.md").read_text()
    assert {option for option in named if f"`{option}" not in reference} == set()
