"""Failed URLs in the terminal: each with what happened, and what to do said once for all URLs that need it."""

from typing import Any

import pytest

from prewarm.results.next_steps import next_steps
from prewarm_cli.output.failures import FAILURES_SHOWN, failure_lines
from prewarm_cli.output.terminal import wrap
from tests.support.failed_status import failed_status

PUBLISH = "publish the file, or take the URL off the list; see https://"
LATER = "retry; if it happens again, "


def url(number: int) -> str:
    return f"https://www.example.com/{number}"


def test_one_failed_url_has_three_lines_from_url_to_next_step() -> None:
    lines = list(failure_lines(failed_status({url(1): {"client_error:404": 297}})))
    assert lines[:2] == [
        f"failed   {url(1)}",
        "         404 Not Found at all 297 POPs, such as FRA56-P5 (x-amz-cf-id Zx9==)",
    ]
    assert lines[2].startswith(f"next     {PUBLISH}")
    assert lines[3:] == ["note     1 URL failed everywhere, so no single POP is the cause"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_texts_below_a_url_begin_where_it_begins_at_every_width(width: int) -> None:
    lines = failure_lines(failed_status({url(1): {"server_error:502:unreachable": 297}}))
    for line in lines:
        shown = wrap(line, width)
        assert [part[:9].strip() for part in shown[1:]] == [""] * len(shown[1:])
        assert {len(part) - len(part.lstrip()) for part in shown if part.startswith(" ")} <= {9}
        assert all(len(part) <= width or " " not in part.strip() for part in shown)


def test_urls_with_the_same_next_step_are_together_and_it_is_said_once() -> None:
    kinds = {url(1): {"timeout": 2}, url(2): {"client_error:404": 3}, url(3): {"client_error:410": 3}}
    lines = [line for line in failure_lines(failed_status(kinds)) if not line.startswith(" ")]
    assert lines[:2] == [f"failed   {url(2)}", f"failed   {url(3)}"]
    assert lines[2].startswith(f"next     for these 2 URLs: {PUBLISH}")
    assert lines[3] == f"failed   {url(1)}"
    assert lines[4].startswith(f"next     {LATER}")
    assert "\n".join(lines).count(PUBLISH) == 1


def test_many_failed_urls_are_counted_with_where_to_find_them() -> None:
    kinds = {url(number): {"client_error:404": 3} for number in range(FAILURES_SHOWN + 3)}
    lines = list(failure_lines(failed_status(kinds)))
    assert "failed   and 3 more: prewarm report the-run --format csv" in lines
    assert f"next     for these {FAILURES_SHOWN + 3} URLs: {PUBLISH}" in "\n".join(lines)
    ended = list(failure_lines(failed_status(kinds), service_stays=False))
    assert "failed   and 3 more: use --report FILE" in ended


def test_each_cause_of_many_is_shown_with_its_step() -> None:
    many = {url(number): {"client_error:404": 3} for number in range(100)}
    lines = list(failure_lines(failed_status(many | {url(100): {"timeout": 1}})))
    assert f"failed   {url(100)}" in lines
    assert [line for line in lines if line.startswith(f"next     {LATER}")]


def test_page_of_a_status_has_the_steps_of_urls_on_other_pages() -> None:
    kinds = {url(1): {"client_error:404": 3}}
    elsewhere = next_steps([(url(1), kinds[url(1)]), (url(2), kinds[url(1)]), (url(7), {"timeout": 2})])
    page: dict[str, Any] = failed_status(kinds) | {"nextToken": "x", "nextSteps": elsewhere}
    lines = list(failure_lines(page))
    assert [line for line in lines if line.startswith(f"next     for these 2 URLs: {PUBLISH}")]
    assert [line for line in lines if line.startswith(f"next     {url(7)}: {LATER}")]
    assert "failed   for the complete list: prewarm report the-run --format csv" in lines
