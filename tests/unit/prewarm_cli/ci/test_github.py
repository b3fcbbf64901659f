"""Annotations and summaries for GitHub Actions, with texts that would break out of them."""

import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from prewarm_cli.ci.github import (
    MAX_ANNOTATIONS,
    MAX_SUMMARY_BYTES,
    annotation_lines,
    step_summary,
)
from prewarm_cli.ci.workflow_commands import escape_data, escape_property
from tests.support.statuses import status, warm_status

PAGE = "https://api.example.com/v1/#/run/the-run"
COMMAND = re.compile(r"::(error|warning) title=[^:,\n\r]*::[^\n\r]*")


def unescaped(text: str) -> str:
    """Return what the runner reads: the replacements of its ActionCommand, the percent sign last."""
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, character)
    return text


@given(st.text())
def test_escaped_text_is_one_line_and_is_read_back(text: str) -> None:
    for escaped in (escape_data(text), escape_property(text)):
        assert not {"\n", "\r"} & set(escaped)
        assert unescaped(escaped) == text
    assert not {":", ","} & set(escape_property(text))


def test_failed_run_has_an_error_per_url_with_its_page_and_without_secrets() -> None:
    (line,) = annotation_lines(status(), PAGE)
    assert line.startswith("::error title=Not warm::https://www.example.com/bad.html?token=")
    assert "secret" not in line
    assert "server_error at 3 targets" in line
    assert line.endswith(f"%0A{PAGE}")


def test_completed_run_with_failed_urls_has_warnings() -> None:
    lines = list(annotation_lines(status(status="COMPLETED", warnings=["mind\nthe gap"]), PAGE))
    assert [line.partition(" ")[0] for line in lines] == ["::warning", "::warning"]
    assert lines[1] == "::warning title=prewarm::mind%0Athe gap"


def test_run_without_failed_urls_has_an_error_with_its_cause() -> None:
    rejected = status(failedUrl=[], failures=[], error="Prewarm.InvalidRequest", cause="no\n::add-mask::x")
    (line,) = annotation_lines(rejected, None)
    assert line == "::error title=Not warm::Prewarm.InvalidRequest: no%0A::add-mask::x"
    assert list(annotation_lines(warm_status(), PAGE)) == []


def test_more_failures_than_github_shows_are_counted() -> None:
    many = [f"https://www.example.com/{number}" for number in range(25)]
    lines = list(annotation_lines(status(failedUrl=many, failures=[]), PAGE))
    assert len(lines) == MAX_ANNOTATIONS
    assert "16more URLs are not warm" in lines[-1]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(document: str) -> _Tags:
    parser = _Tags()
    parser.feed(document)
    return parser


def test_summary_has_result_page_failures_and_warnings() -> None:
    summary = step_summary(status(warnings=["<b>bold</b>"], error="Odd", cause="a\n\n# title"), PAGE)
    assert f'<a href="{PAGE}">the-run</a>' in summary
    page = parsed(summary)
    assert "Prewarm: FAILED" in page.text
    assert "server_error at 3 targets" in page.text
    assert "<b>bold</b>" in page.text
    assert "secret" not in summary
    assert {"b", "script"} & set(page.tags) == set()
    assert "\n\n" not in summary.rstrip("\n"), "an empty line ends the HTML"


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_of_a_run_becomes_markup(url: str, cause: str) -> None:
    page = parsed(step_summary(status(failedUrl=[url], failures=[], error="E", cause=cause, warnings=[url]), PAGE))
    assert set(page.tags) <= {"h3", "p", "a", "table", "tr", "th", "td", "code"}


def test_summary_stays_below_githubs_limit() -> None:
    many = ["https://www.example.com/" + "x" * 8_000 + str(number) for number in range(300)]
    summary = step_summary(status(failedUrl=many, failures=[], warnings=many), PAGE)
    assert len(summary.encode()) <= MAX_SUMMARY_BYTES + 100
    assert "The rest is in the run's report" in summary


def test_summary_has_the_gain_as_text() -> None:
    summary = step_summary(warm_status() | {"gain": {"text": "spared <b>\n\n182 ms"}}, PAGE)
    assert "<p>spared &lt;b&gt; 182 ms</p>" in summary
    assert "spared" not in step_summary(warm_status(), PAGE)
