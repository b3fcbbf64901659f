"""Calls by lambda:InvokeFunction: what is repeated, and each failure in words."""

import io
import json
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

import prewarm_cli.aws.function_transport
import prewarm_cli.transport
from prewarm_cli.api_client import Client
from prewarm_cli.aws.function_transport import FunctionTransport
from prewarm_cli.errors import CommandFailed
from prewarm_cli.transport import RETRIES, Call

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:api"
READ, START = Call("GET", "/runs"), Call("POST", "/prewarm", body={}, key="k")
ONCE = Call("POST", "/prewarm", body={})


class FakeLambda:
    """Returns or raises the listed results, the last one again and again."""

    def __init__(self, *results: Any) -> None:
        self.results, self.events = list(results), list[dict[str, Any]]()

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        assert parameters["FunctionName"] == ARN
        self.events.append(json.loads(parameters["Payload"]))
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        return dict(result)


def answer(status: int, document: object) -> dict[str, Any]:
    payload = json.dumps({"statusCode": status, "body": json.dumps(document)}).encode()
    return {"StatusCode": 200, "Payload": io.BytesIO(payload)}


def crashed(payload: bytes) -> dict[str, Any]:
    return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(payload)}


def refusal(code: str, status: int, message: str = "the message") -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Invoke")


def transport_of(monkeypatch: pytest.MonkeyPatch, *results: Any) -> tuple[FunctionTransport, FakeLambda]:
    fake = FakeLambda(*results)
    monkeypatch.setattr(prewarm_cli.aws.function_transport, "client", lambda *_, **__: fake)
    monkeypatch.setattr(prewarm_cli.transport, "BACKOFF_SECONDS", 0.0)
    return FunctionTransport(ARN), fake


@pytest.mark.parametrize(
    "first", [refusal("TooManyRequestsException", 429), refusal("ResourceNotReadyException", 502)]
)
@pytest.mark.parametrize("call", [READ, START, ONCE])
def test_call_that_lambda_did_not_start_is_repeated(monkeypatch: pytest.MonkeyPatch, first: Any, call: Call) -> None:
    transport, fake = transport_of(monkeypatch, first, first, answer(200, {"runs": []}))
    assert transport.send(call) == (200, {"runs": []})
    assert len(fake.events) == 3


@pytest.mark.parametrize(
    "first",
    [
        refusal("ServiceException", 500),
        ReadTimeoutError(endpoint_url="https://lambda"),
        ConnectTimeoutError(endpoint_url="https://lambda"),
        EndpointConnectionError(endpoint_url="https://lambda"),
    ],
)
def test_call_that_may_have_run_is_repeated_only_if_that_is_safe(
    monkeypatch: pytest.MonkeyPatch, first: Exception
) -> None:
    for call in (READ, START):
        transport, fake = transport_of(monkeypatch, first, answer(200, {}))
        assert transport.send(call) == (200, {})
        keys = {event["headers"].get("Idempotency-Key") for event in fake.events}
        assert keys == {call.key}
    transport, fake = transport_of(monkeypatch, first)
    with pytest.raises(CommandFailed) as failed:
        transport.send(ONCE)
    assert (failed.value.code, len(fake.events)) == (4, 1)


def test_crash_and_server_errors_are_repeated_like_those_of_api_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    out_of_time = crashed(b'{"errorType": "Sandbox.Timedout", "errorMessage": "timed out after 29.00 seconds"}')
    transport, fake = transport_of(monkeypatch, answer(503, {}), out_of_time, answer(429, {}), answer(200, {}))
    assert transport.send(READ) == (200, {})
    assert len(fake.events) == 4
    transport, fake = transport_of(monkeypatch, answer(503, {}))
    assert transport.send(ONCE) == (503, {})
    assert len(fake.events) == 1
    transport, fake = transport_of(monkeypatch, *[answer(503, {}) for _ in range(RETRIES + 1)])
    assert transport.send(READ) == (503, {})
    assert len(fake.events) == RETRIES + 1


@pytest.mark.parametrize(
    ("result", "message", "code"),
    [
        (crashed(b'{"errorType": "X", "errorMessage": "a\\nb"}'), f"the function {ARN} failed: X: a b; its log", 4),
        (crashed(b"<no json>"), "failed: unknown error; its log", 4),
        (refusal("AccessDeniedException", 403), "lack the permission lambda:InvokeFunction", 4),
        (refusal("ExpiredTokenException", 403), "AWS does not accept your credentials", 4),
        (refusal("ResourceNotFoundException", 404), "does not exist; pass the stack's output ApiFunctionArn", 4),
        (refusal("RequestTooLargeException", 413), "limit of 6 MB", 2),
        (refusal("TooManyRequestsException", 429), "is throttled", 4),
        (refusal("KMSAccessDeniedException", 502), "KMSAccessDeniedException: the message", 4),
        (NoCredentialsError(), "no AWS credentials; set AWS_PROFILE", 4),
        (ReadTimeoutError(endpoint_url="https://lambda"), "no response in time", 4),
    ],
)
def test_failure_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, result: Any, message: str, code: int
) -> None:
    transport, _ = transport_of(monkeypatch, result)
    with pytest.raises(CommandFailed, match=message) as failed:
        transport.send(ONCE)
    assert failed.value.code == code


@pytest.mark.parametrize("result", [refusal("AccessDeniedException", 403), NoCredentialsError()])
def test_failure_that_would_repeat_is_not_repeated(monkeypatch: pytest.MonkeyPatch, result: Exception) -> None:
    transport, fake = transport_of(monkeypatch, result)
    with pytest.raises(CommandFailed):
        transport.send(READ)
    assert len(fake.events) == 1


def test_error_of_the_api_keeps_its_exit_code_and_details(monkeypatch: pytest.MonkeyPatch) -> None:
    details = [{"field": "region", "message": "is missing", "near": []}]
    document = {"error": {"code": "InvalidRequest", "message": "region: is missing", "details": details}}
    transport, _ = transport_of(monkeypatch, answer(400, document))
    client = Client("", transport=transport)
    with pytest.raises(CommandFailed, match="region") as failed:
        client.start({}, "k")
    assert (failed.value.code, failed.value.document) == (2, document)
    assert client.page_of("run") is None


def test_client_calls_the_region_of_the_arn_once_per_try() -> None:
    transport = FunctionTransport(ARN)
    config = transport._lambda.meta.config
    assert (transport._lambda.meta.region_name, config.retries["total_max_attempts"]) == ("eu-west-1", 1)
    assert (config.connect_timeout, config.read_timeout) == prewarm_cli.transport.TIMEOUT
