"""Every command by lambda:InvokeFunction, without an API key."""

import json
from pathlib import Path

import pytest

import prewarm_cli.follow
import prewarm_cli.upload
from prewarm_cli.main import COMMANDS, RUNS
from tests.support.fake_api import CI_VARIABLES, prewarm
from tests.support.service import COMMANDS_SERVICE, HOST, Service, use_function

pytestmark = COMMANDS_SERVICE

URLS = [f"https://{HOST}/page/{number}.html" for number in range(50, 53)]
ABSENT, SLOW = f"https://{HOST}/absent-function.html", f"https://{HOST}/slow.html"
NEAR = ["--country", "singapore"]


@pytest.fixture
def function(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    for name in CI_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(prewarm_cli.follow, "MIN_PAUSE", 0.1)
    arn = use_function(monkeypatch, service, tmp_path)
    monkeypatch.setenv("PREWARM_FUNCTION", arn)
    return arn


def test_every_command_works_without_an_api_key(
    service: Service, function: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    used = set()

    def called(*arguments: str, code: int = 0) -> str:
        used.add(arguments[0])
        return prewarm(*arguments, code=code).stdout

    monkeypatch.setattr(prewarm_cli.upload, "MAX_BODY_BYTES", 10)
    report, junit = tmp_path / "report.html", tmp_path / "junit.xml"
    asked = [*URLS, ABSENT, *NEAR, "--label", "by iam"]
    files = ["--junit", str(junit), "--report", str(report)]
    status = json.loads(called("start", *asked, "--wait", "--json", *files, code=1))
    assert (status["total"], status["failedUrl"]) == (4, [ABSENT])
    assert report.read_text().startswith("<!doctype html>")
    assert ABSENT in junit.read_text()
    run = status["run"]
    (listed,) = json.loads(called("list", "--label", "by iam", "--json"))["runs"]
    assert (listed["run"], listed["startedBy"]) == (run, "iam")
    assert "warm at" in called("list", "--url", URLS[0])
    assert "1 failed" in called("status", run)
    assert "1 failed" in called("watch", run, code=1)
    assert ABSENT in called("report", run, "--format", "csv")
    assert "estimatedBytes" in called("start", *URLS, *NEAR, "--dry-run", "--json")
    again = json.loads(called("retry", run, "--wait", "--json", code=1))
    assert (again["total"], again["failedUrl"]) == (1, [ABSENT])
    slow = called("start", SLOW, *NEAR, "--verify", "none").strip()
    assert called("cancel", slow).startswith("CANCELLED")
    assert used == {name for name, entry in COMMANDS.items() if entry.heading == RUNS}


def test_option_is_used_instead_of_the_key_and_rejected_next_to_it(
    service: Service, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREWARM_FUNCTION")
    assert "runs" in json.loads(prewarm("list", "--function", function, "--json").stdout)
    shown = prewarm("list", "--function", function, "--api-key", "k", code=2)
    assert "both an API key and a function are given" in shown.stderr
    absent = function.rpartition(":")[0] + ":absent"
    assert f"the function {absent} does not exist" in prewarm("list", "--function", absent, code=4).stderr
    assert "is not a function's ARN" in prewarm("list", "--function", "ApiFunction", code=2).stderr


def test_configure_reads_a_stack_and_its_key_and_says_what_it_found(
    service: Service, function: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PREWARM_FUNCTION")
    region = function.split(":")[3]
    key = service.client("apigateway").create_api_key(name="warm", value=service.ready["apiKey"], enabled=True)["id"]
    outputs = {"ApiUrl": service.ready["api"], "ApiKeyId": key, "ApiFunctionArn": function}
    body = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    formation = service.client("cloudformation")
    formation.create_stack(StackName="warm", TemplateBody=json.dumps(body))
    shown = prewarm("configure", "--stack", "warm", "--region", region).stderr
    assert f"stack warm in {region} (CREATE_COMPLETE): API {service.ready['api']}" in shown
    assert "the API accepts the key" in shown
    assert "runs" in json.loads(prewarm("list", "--json").stdout)
    service.client("apigateway").delete_api_key(apiKey=key)
    assert (
        "was deleted; the commands will invoke" in prewarm("configure", "--stack", "warm", "--region", region).stderr
    )
    assert "runs" in json.loads(prewarm("list", "--json").stdout)
    assert "no stack cold" in prewarm("configure", "--stack", "cold", "--region", region, code=2).stderr


def test_another_function_of_the_stack_is_reported(service: Service, function: str) -> None:
    other = function.replace("ApiFunction", "RunEndedFunction")
    assert "the function " in prewarm("list", "--function", other, code=4).stderr
