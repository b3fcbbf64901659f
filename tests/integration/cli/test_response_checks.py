"""Unexpected responses and unexpected exceptions: exit code 4 and one line, without a traceback."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import prewarm_cli.commands.manage
from prewarm_cli.errors import issues_url
from tests.support.fake_api import RUN, URL, FakeApi, fake_api, prewarm
from tests.support.statuses import status

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
def test_response_of_another_service_exits_4(api: FakeApi, route: str, response: Any) -> None:
    api.responses[route] = [(200, response)]
    result = prewarm(*COMMANDS[route], "--json", code=4)
    assert f"{api.url} " in result.stderr
    assert json.loads(result.stdout)["error"]["code"] == "Service"


@pytest.mark.parametrize(
    ("route", "response", "missing"),
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
def test_missing_field_is_named(api: FakeApi, route: str, response: Any, missing: str) -> None:
    api.responses[route] = [(200, response)]
    assert f"field '{missing}' is missing" in prewarm(*COMMANDS[route], code=4).stderr


def test_watch_of_another_service_exits_4(api: FakeApi) -> None:
    api.responses["GET /status"] = [(200, {})]
    assert "field 'status' is missing" in prewarm("watch", "the-run", code=4).stderr


def test_error_details_that_are_not_a_list_keep_the_message(api: FakeApi) -> None:
    api.responses["GET /runs"] = [(400, {"error": {"message": "the message", "details": 5}})]
    assert prewarm("list", code=2).stderr == "prewarm: the message\n"


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_unexpected_exception_exits_4_with_one_line(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, as_json: list[str]
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("of\ntwo lines")

    monkeypatch.setattr(prewarm_cli.commands.manage, "exit_code_of", broken)
    monkeypatch.setattr(prewarm_cli.commands.manage, "status_lines", broken)
    api.responses["GET /status"] = [(200, status())]
    result = prewarm("status", "the-run", "--exit-code", *as_json, code=4)
    assert len(result.stderr.splitlines()) == 1
    assert "unexpected error: KeyError" in result.stderr
    assert f"(please report it: {issues_url()})" in result.stderr


def test_closed_pipe_prints_no_error_and_exits_with_141(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: Any, **__: Any) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(prewarm_cli.commands.manage, "status_lines", closed)
    api.responses["GET /status"] = [(200, status())]
    assert prewarm("status", "the-run", code=141).output == ""
