"""`prewarm doctor` against a fake API: what no healthy or faulty stack of this version shows."""

import datetime as dt
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prewarm import __version__
from prewarm.diagnosis import FAILURE, OK, WARNING, Row
from prewarm_cli.doctor.account import INSTALL, Account
from prewarm_cli.doctor.command import MAX_CONCURRENCY
from prewarm_cli.doctor.output import row_lines, summary_line
from prewarm_cli.output.terminal import echo
from tests.support.fake_api import FakeApi, error, fake_api, prewarm
from tests.support.terminal_widths import terminal_of, too_long

ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:acme-prewarm"
SITE = "https://shop.example.org/app.js"
FORBIDDEN = error("Forbidden", "the x-api-key header is missing or is not a key of this API")


def diagnosis(**changed: Any) -> dict[str, Any]:
    row = {"check": "dns", "result": "ok", "detail": "fine", "meaning": "works", "action": "", "seconds": 0.1}
    return {
        "version": __version__,
        "time": dt.datetime.now(dt.UTC).isoformat(),
        "stateMachineArn": ARN,
        "pops": [],
        "checks": [row],
    } | changed


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    with fake_api(monkeypatch, tmp_path) as served:
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        # The first call has the key; the second one has another.
        served.responses["GET /runs"] = [(200, {"runs": []}), (403, FORBIDDEN)]
        served.responses["GET /diagnose"] = [(200, diagnosis())]
        yield served


def rows(*arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    document = json.loads(prewarm("doctor", *arguments, "--json", code=code).stdout)
    return {row["check"]: row for row in document["checks"]}


def test_service_without_faults_and_without_credentials_has_warnings_only(api: FakeApi) -> None:
    found = rows()
    assert found["credentials"]["detail"].startswith("not checked: no AWS credentials")
    assert {row["result"] for row in found.values()} == {OK, WARNING}


def test_service_of_an_earlier_version_is_found(api: FakeApi) -> None:
    api.responses["GET /diagnose"] = [(404, error("RouteNotFound", "this route does not exist"))]
    found = rows(code=1)["diagnose"]
    assert found["result"] == FAILURE
    assert "deploy the version of this command" in found["action"]
    api.responses["GET /runs"] = [(200, {"runs": []}), (403, FORBIDDEN)]
    api.responses["GET /diagnose"] = [(200, diagnosis(version="0.0.9"))]
    assert rows()["version"]["result"] == WARNING


def test_api_that_accepts_any_key_is_found(api: FakeApi) -> None:
    api.responses["GET /runs"] = [(200, {"runs": []})]
    found = rows(code=1)["api_key"]
    assert (found["result"], "anyone who knows the address" in found["meaning"]) == (FAILURE, True)


def test_answer_of_another_service_is_found(api: FakeApi) -> None:
    api.responses["GET /runs"] = [(200, {"message": "hello"})]
    found = rows(code=1)
    assert list(found) == ["api"]
    assert "field 'runs' is missing" in found["api"]["detail"]


def test_failure_that_the_service_reports_is_the_commands(api: FakeApi) -> None:
    failed = {"check": "bucket", "result": "failure", "detail": "NoSuchBucket", "meaning": "m", "action": "deploy it"}
    api.responses["GET /diagnose"] = [(200, diagnosis(checks=[failed]))]
    assert rows(code=1)["bucket"] == failed | {"seconds": 0.0}


def test_url_is_sent_to_the_service_and_no_run_is_started_where_it_cannot_be_warmed(api: FakeApi) -> None:
    refused = {"check": "distribution", "result": "failure", "detail": "not own", "meaning": "m", "action": "a"}
    api.responses["GET /diagnose"] = [(200, diagnosis(checks=[refused]))]
    found = rows(SITE, code=1)
    assert api.calls_to("GET", "/diagnose")[0].query == {"url": SITE}
    assert api.calls_to("POST", "/prewarm") == []
    assert "`distribution`" in found["run"]["action"]


def test_run_that_cannot_be_planned_is_found(api: FakeApi) -> None:
    api.responses["GET /diagnose"] = [(200, diagnosis(pops=["FRA56-P5"]))]
    detail = {"field": "url_list", "message": "none of its hosts can be warmed", "near": []}
    api.responses["POST /prewarm"] = [(400, error("InvalidRequest", "refused", detail))]
    found = rows(SITE, code=1)
    assert (found["cost"]["result"], found["run"]["result"]) == (FAILURE, WARNING)
    assert "none of its hosts can be warmed" in found["cost"]["detail"]


def test_command_works_without_the_extra_and_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "prewarm_cli.doctor.aws_calls", raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)
    row = Account(ARN).credentials()
    assert (row.result, row.detail, row.action) == (WARNING, "not checked: boto3 is not installed", INSTALL)


def test_report_replaces_what_identifies_the_user(api: FakeApi, tmp_path: Path) -> None:
    leak = f"User: arn:aws:iam::123456789012:user/jane of acme at 203.0.113.7 reads s3://acme-data for {SITE}"
    shown = {"check": "bucket", "result": "warning", "detail": leak, "meaning": leak, "action": leak}
    api.responses["GET /diagnose"] = [(200, diagnosis(checks=[shown]))]
    page = tmp_path / "acceptance.md"
    prewarm("doctor", SITE, "--report", str(page))
    text = page.read_text()
    for secret in ("acme", "123456789012", "jane", "203.0.113.7", "shop.example.org", "app.js", api.url, "the-key"):
        assert secret not in text
    assert page.stat().st_mode & 0o077 == 0
    assert "| bucket | warning |" in text


def test_report_that_cannot_be_written_names_file_and_reason(api: FakeApi) -> None:
    shown = prewarm("doctor", "--report", "/no/such/folder/acceptance.md", code=2).stderr
    assert "--report /no/such/folder/acceptance.md: the file cannot be written: there is no directory" in shown
    assert api.calls == [], "checked before the first call"


def test_url_that_the_service_refuses_is_bad_input(api: FakeApi) -> None:
    detail = {"field": "url", "message": "'x' has no scheme", "near": []}
    api.responses["GET /diagnose"] = [(400, error("InvalidRequest", "refused", detail))]
    result = prewarm("doctor", "x", code=2)
    assert "URL: 'x' has no scheme" in result.stderr
    assert "deploy" not in result.output


@pytest.mark.parametrize("width", [60, 80, 120])
def test_rows_fit_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    terminal_of(monkeypatch, width)
    long = "a text that is longer than the terminal is wide and is divided between two of its words " * 3
    shown = [Row("client_subnets", result, long, long, long, 12.34) for result in (OK, WARNING, FAILURE)]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for row in shown:
        echo(row_lines(row))
    lines = capsys.readouterr().out
    assert too_long(lines, width) == []
    assert lines.splitlines()[0].startswith("ok       client subnets: a text")
    assert all(line.startswith((" " * 9, "ok", "warning", "failure")) for line in lines.splitlines())
    assert summary_line(shown) == "1 failure, 1 warning, 1 ok"


def test_default_concurrency_is_that_of_a_request() -> None:
    from prewarm.request.model import PrewarmRequest  # noqa: PLC0415 - pydantic takes long to import

    assert PrewarmRequest.model_fields["max_concurrency"].default == MAX_CONCURRENCY
