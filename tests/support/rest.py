"""API Gateway's side of the REST API: send proxy events, return status and document."""

import base64
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import pytest

import api.handler
from tests.support.handlers import ACCOUNT, MACHINE, Context, client

ROLE = f"arn:aws:iam::{ACCOUNT}:role/states"
API_KEY_ID = "key1234567"
EXECUTION = MACHINE.replace(":stateMachine:", ":execution:")


def make_state_machine() -> None:
    """Create a state machine for the API; moto starts its executions but runs nothing."""
    definition = json.dumps({"StartAt": "S", "States": {"S": {"Type": "Succeed"}}})
    made = client("stepfunctions").create_state_machine(name="prewarm", definition=definition, roleArn=ROLE)
    assert made["stateMachineArn"] == MACHINE


def call(
    method: str,
    path: str,
    body: object = None,
    query: Mapping[str, str | list[str]] | None = None,
    *,
    encoded: bool = False,
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """Send one request, check the response's form, return status and document."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    # A parameter that is given several times is a list; the short form has its last value.
    values = {name: [text] if isinstance(text, str) else text for name, text in (query or {}).items()}
    sent = {"Content-Type": "application/json"} | (headers or {})
    event = {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [text] for name, text in sent.items()},
        "queryStringParameters": None if query is None else {name: texts[-1] for name, texts in values.items()},
        "multiValueQueryStringParameters": None if query is None else values,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "r-1",
            "stage": "v1",
            "httpMethod": method,
            "path": f"/v1{path}",
            "identity": {"apiKeyId": API_KEY_ID},
        },
        "body": None if body is None else base64.b64encode(raw).decode() if encoded else raw.decode(),
        "isBase64Encoded": encoded,
    }
    response = api.handler.handler(json.loads(json.dumps(event)), Context())
    # The Lambda runtime sends the response to API Gateway as UTF-8.
    json.dumps(response, ensure_ascii=False).encode()
    assert response["isBase64Encoded"] is False
    headers_sent = {name: values[0] for name, values in response["multiValueHeaders"].items()}
    assert headers_sent["Content-Type"] == "application/json"
    document = json.loads(response["body"])
    if response["statusCode"] != 200:
        assert set(document) == {"error"}
        assert set(document["error"]) == {"code", "message", "details"}
        assert "Traceback" not in response["body"]
    return response["statusCode"], document


def executions() -> list[dict[str, Any]]:
    """Return all executions of the state machine as DescribeExecution returns them."""
    states = client("stepfunctions")
    listed = states.list_executions(stateMachineArn=MACHINE)["executions"]
    return [states.describe_execution(executionArn=entry["executionArn"]) for entry in listed]


STARTED = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)


def describe_executions_as(patch: pytest.MonkeyPatch, **described: Any) -> None:
    """Replace DescribeExecution's fields for every execution.

    In moto no execution ends.
    """
    states = api.handler._executions()._client

    def describe(executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's own spelling
        running = {"executionArn": executionArn, "status": "RUNNING", "startDate": STARTED, "input": "{}"}
        return running | described

    patch.setattr(states, "describe_execution", describe)


def get_report(form: str | None = None, run: str = "reported") -> tuple[int, dict[str, Any]]:
    """Request a run's report."""
    return call("GET", "/report", query={"requestID": run} | ({} if form is None else {"format": form}))
