"""Answers that no API of this service gives, and failures that nobody thought of: exit 4 and a line, no traceback."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import prewarm_cli.commands.manage
from prewarm_cli.errors import issues_url
from tests.support.fake_api import RUN, URL, FakeApi, fake_api, prewarm
from tests.unit.prewarm_cli.output.test_text import status

COMMANDS = {
    "POST /prewarm": ["start", *URL],
    "GET /status": ["status", "the-run"],
    "DELETE /prewarm": ["cancel", "the-run"],
    "POST /retry": ["retry", "the-run"],
    "GET /runs": ["list"],
    "GET /report": ["report", "the-run"],
}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    with fake_api(monkeypatch, tmp_path) as served:
        yield served


@pytest.mark.parametrize("response", [{}, [], "x", {"runs": None}, {"message": "hello"}])
@pytest.mark.parametrize("route", COMMANDS)
def test_another_service_at_the_address_is_exit_4(api: FakeApi, route: str, response: Any) -> None:
    api.answers[route] = [(200, response)]
    result = prewarm(*COMMANDS[route], "--json", code=4)
    assert f"{api.url} answered" in result.stderr
    assert json.loads(result.stdout)["error"]["code"] == "Service"


@pytest.mark.parametrize(
    ("route", "response", "lacking"),
    [
        ("GET /status", status(status="GREAT"), "status"),
        ("GET /status", status(failedUrl=None), "failedUrl"),
        ("GET /status", status(targets=[]), "targets"),
        ("GET /runs", {"runs": [1]}, "runs[]"),
        ("GET /runs", {"runs": [{"run": "r", "status": "FAILED"}]}, "runs[].startedAt"),
        ("POST /prewarm", {"dryRun": {"urls": 1}}, "dryRun.hosts"),
        ("POST /retry", {"requestID": RUN}, "urls"),
    ],
)
def test_what_an_answer_lacks_is_named(api: FakeApi, route: str, response: Any, lacking: str) -> None:
    api.answers[route] = [(200, response)]
    assert f": {lacking} is missing" in prewarm(*COMMANDS[route], code=4).stderr


def test_a_wait_at_another_service_is_not_said_to_be_not_warm(api: FakeApi) -> None:
    api.answers["GET /status"] = [(200, {})]
    assert "status is missing" in prewarm("watch", "the-run", code=4).stderr


def test_problems_that_are_no_list_do_not_hide_the_message(api: FakeApi) -> None:
    api.answers["GET /runs"] = [(400, {"error": {"message": "what is wrong", "details": 5}})]
    assert prewarm("list", code=2).stderr == "prewarm: what is wrong\n"


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_what_nobody_thought_of_is_exit_4_and_one_line(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, as_json: list[str]
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("of\ntwo lines")

    monkeypatch.setattr(prewarm_cli.commands.manage, "code_of", broken)
    monkeypatch.setattr(prewarm_cli.commands.manage, "end_lines", broken)
    api.answers["GET /status"] = [(200, status())]
    result = prewarm("status", "the-run", "--exit-code", *as_json, code=4)
    assert len(result.stderr.splitlines()) == 1
    assert "unexpected error: KeyError" in result.stderr
    assert f"(please report it: {issues_url()})" in result.stderr


def test_a_reader_that_has_gone_is_no_failure_to_tell_of(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(prewarm_cli.commands.manage, "end_lines", gone)
    api.answers["GET /status"] = [(200, status())]
    assert prewarm("status", "the-run", code=1).output == ""
