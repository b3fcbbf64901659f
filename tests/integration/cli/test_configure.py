"""`prewarm configure`: from a stack, with a function, and by hand; only what has answered is written."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

import prewarm_cli.aws.function_transport
import prewarm_cli.aws.stack
from tests.support.fake_api import FakeApi, error, fake_api, prewarm

REGION, KEY_ID, STACK = "eu-west-1", "k3y1d", "warm"
FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:warm-ApiFunction-1"
CREDENTIALS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
NEWEST = {"run": "r1", "status": "COMPLETED", "startedAt": "2026-01-02T03:04:05Z"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    with fake_api(monkeypatch, tmp_path) as served:
        monkeypatch.delenv("PREWARM_API_URL")
        monkeypatch.delenv("PREWARM_API_KEY")
        served.responses["GET /runs"] = [(200, {"runs": [NEWEST]})]
        yield served


class Aws:
    """Stubbed clients, which check the parameters of each call."""

    def __init__(self) -> None:
        create: Any = boto3.client
        made = {name: create(name, region_name=REGION, **CREDENTIALS) for name in ("cloudformation", "apigateway")}
        self.clients, self.regions = made, list[str | None]()
        self.stubs = {name: Stubber(client) for name, client in made.items()}
        for stub in self.stubs.values():
            stub.activate()

    def client(self, service: str, region: str | None, **_: Any) -> Any:
        self.regions.append(region)
        return self.clients[service]

    def has_stack(self, **outputs: str) -> None:
        listed = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
        stack = {"StackName": STACK, "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": "UPDATE_COMPLETE"}
        self.stubs["cloudformation"].add_response(
            "describe_stacks", {"Stacks": [stack | {"Outputs": listed}]}, {"StackName": STACK}
        )

    def has_key(self, value: str | None, *, enabled: bool = True) -> None:
        key = {"id": KEY_ID, "enabled": enabled} | ({} if value is None else {"value": value})
        self.stubs["apigateway"].add_response("get_api_key", key, {"apiKey": KEY_ID, "includeValue": True})

    def refuses(self, service: str, operation: str, code: str, message: str = "not authorized") -> None:
        self.stubs[service].add_client_error(operation, code, message)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    made = Aws()
    monkeypatch.setattr(prewarm_cli.aws.stack, "client", made.client)
    return made


def written(tmp_path: Path) -> dict[str, Any] | None:
    file = tmp_path / "config" / "prewarm" / "config.toml"
    return tomllib.loads(file.read_text()) if file.exists() else None


def test_stack_gives_address_and_key_which_are_tried_before_they_are_written(
    api: FakeApi, aws: Aws, tmp_path: Path
) -> None:
    aws.has_stack(ApiUrl=f"{api.url}/v1", ApiKeyId=KEY_ID, ApiFunctionArn=FUNCTION)
    aws.has_key("the-secret")
    api.responses["GET /v1/runs"] = [(200, {"runs": [NEWEST]})]
    result = prewarm("configure", "--stack", STACK, "--region", REGION, "--json")
    (call,) = api.calls
    assert (call.path, call.query, call.headers["x-api-key"]) == ("/v1/runs", {"limit": "1"}, "the-secret")
    assert written(tmp_path) == {"api_url": f"{api.url}/v1", "api_key": "the-secret"}
    assert f"stack {STACK} in {REGION} (UPDATE_COMPLETE): API {api.url}/v1" in result.stderr
    assert "the API accepts the key: its newest run is r1 (COMPLETED" in result.stderr
    assert "the-secret" not in result.output
    assert json.loads(result.stdout)["apiUrl"] == f"{api.url}/v1"
    assert aws.regions == [REGION, REGION]


@pytest.mark.parametrize("cause", ["denied", "deleted", "disabled", "no value"])
def test_without_the_key_the_profile_uses_the_function(
    api: FakeApi, aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    aws.has_stack(ApiUrl=f"{api.url}/v1", ApiKeyId=KEY_ID, ApiFunctionArn=FUNCTION)
    if cause in {"denied", "deleted"}:
        aws.refuses(
            "apigateway", "get_api_key", "AccessDeniedException" if cause == "denied" else "NotFoundException"
        )
    else:
        aws.has_key("x" if cause == "disabled" else None, enabled=cause != "disabled")
    invoked: list[dict[str, Any]] = []

    class Invoked:
        def invoke(self, **parameters: Any) -> dict[str, Any]:
            invoked.append(parameters)
            body = json.dumps({"statusCode": 200, "body": '{"runs": []}'}).encode()
            return {"Payload": __import__("io").BytesIO(body)}

    monkeypatch.setattr(prewarm_cli.aws.function_transport, "client", lambda *_, **__: Invoked())
    result = prewarm("configure", "--stack", STACK, "--json")
    assert f"the commands will invoke {FUNCTION} with your AWS credentials instead" in " ".join(result.stderr.split())
    assert "the function answers: no runs yet" in result.stderr
    assert written(tmp_path) == {"api_url": f"{api.url}/v1", "function": FUNCTION}
    assert json.loads(result.stdout)["function"] == FUNCTION
    assert prewarm("list", "--json").stdout == '{"runs": []}\n'
    assert [each["FunctionName"] for each in invoked] == [FUNCTION, FUNCTION]
    assert api.calls == []


def test_wrong_key_or_address_is_not_written(api: FakeApi, aws: Aws, tmp_path: Path) -> None:
    api.responses["GET /runs"] = [(403, error("Forbidden", "not a key of this API"))]
    aws.has_stack(ApiUrl=api.url, ApiKeyId=KEY_ID)
    aws.has_key("of another usage plan")
    prewarm("configure", "--stack", STACK, code=2)
    aws.has_stack(ApiUrl=api.url, ApiKeyId=KEY_ID)
    aws.has_key("of-another-usage-plan")
    shown = prewarm("configure", "--stack", STACK, "--json", code=4)
    assert "check the API key" in shown.stderr
    assert "nothing was written" in shown.stderr
    assert json.loads(shown.stdout)["error"]["code"] == "Forbidden"
    prewarm("configure", "--api-url", api.url, stdin="wrong\n", code=4)
    prewarm("configure", "--api-url", "http://127.0.0.1:9", stdin="key\n", code=4)
    assert written(tmp_path) is None
    prewarm("configure", "--api-url", api.url, "--no-check", stdin="later\n")
    assert written(tmp_path) == {"api_url": api.url, "api_key": "later"}


@pytest.mark.parametrize(
    ("operation", "code", "message", "exit_code"),
    [
        ("cloudformation describe_stacks", "ValidationError", f"no stack {STACK} in {REGION}: check --stack", 2),
        ("cloudformation describe_stacks", "AccessDenied", "lack the permission cloudformation:DescribeStacks", 4),
        ("cloudformation describe_stacks", "ExpiredToken", "AWS does not accept your credentials", 4),
        ("cloudformation describe_stacks", "Throttling", "Throttling: not authorized", 4),
        ("apigateway get_api_key", "TooManyRequestsException", "TooManyRequestsException", 4),
    ],
)
def test_refusal_of_aws_is_named_and_writes_nothing(
    aws: Aws, api: FakeApi, tmp_path: Path, operation: str, code: str, message: str, exit_code: int
) -> None:
    service, name = operation.split()
    if service == "apigateway":
        aws.has_stack(ApiUrl=api.url, ApiKeyId=KEY_ID)
    aws.refuses(service, name, code)
    shown = prewarm("configure", "--stack", STACK, code=exit_code)
    assert message in shown.stderr
    assert written(tmp_path) is None


@pytest.mark.parametrize("outputs", [{}, {"ApiUrl": "https://x.example.com/v1"}, {"BucketName": "b"}])
def test_stack_of_something_else_is_rejected(api: FakeApi, aws: Aws, outputs: dict[str, str]) -> None:
    aws.has_stack(**outputs)
    assert "not a stack of this service" in " ".join(prewarm("configure", "--stack", STACK, code=2).stderr.split())


def test_older_stack_without_a_readable_key_asks_for_an_upgrade(api: FakeApi, aws: Aws) -> None:
    aws.has_stack(ApiUrl=api.url, ApiKeyId=KEY_ID)
    aws.refuses("apigateway", "get_api_key", "AccessDeniedException")
    assert "upgrade the stack" in prewarm("configure", "--stack", STACK, code=2).stderr


def test_missing_region_credentials_and_extra_are_named(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert "no AWS Region; pass --region" in prewarm("configure", "--stack", STACK, code=4).stderr
    located = prewarm("configure", "--stack", STACK, "--region", REGION, code=4)
    assert "no AWS credentials; set AWS_PROFILE" in located.stderr
    assert "--region needs --stack" in prewarm("configure", "--region", REGION, code=2).stderr
    monkeypatch.setenv("AWS_PROFILE", "absent")
    assert "absent" in prewarm("list", "--function", FUNCTION, code=4).stderr
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    shown = " ".join(prewarm("list", "--function", FUNCTION, code=4).stderr.split())
    assert "needs the aws extra: pipx install 'cloudfront-prewarm[aws]'" in shown
