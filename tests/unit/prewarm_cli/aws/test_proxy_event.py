"""A call as API Gateway's event, and the function's result as a response."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import prewarm_cli.aws.proxy_event
from api.http.events import event_problem
from prewarm_cli.aws.proxy_event import event_of, reply_of
from prewarm_cli.errors import CommandFailed
from prewarm_cli.transport import Call

NAME = "arn:aws:lambda:eu-west-1:123456789012:function:api"


def event(call: Call) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(event_of(call))
    assert event_problem(document) == ""
    return document


def test_event_has_query_headers_and_no_api_key() -> None:
    made = event(Call("GET", "/status", {"requestID": "r&=ü", "limit": 3, "nextToken": None}))
    assert made["queryStringParameters"] == {"requestID": "r&=ü", "limit": "3"}
    assert made["multiValueQueryStringParameters"] == {"requestID": ["r&=ü"], "limit": ["3"]}
    assert made["requestContext"]["identity"] == {}
    assert made["body"] is None
    assert event(Call("POST", "/retry", key="k"))["headers"]["Idempotency-Key"] == "k"


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3))
def test_body_arrives_as_it_was(body: dict[str, str]) -> None:
    assert json.loads(event(Call("POST", "/prewarm", body=body))["body"]) == body


def test_body_that_would_be_too_large_in_json_is_sent_as_base64(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"url_list": ['"' * 600]}
    monkeypatch.setattr(prewarm_cli.aws.proxy_event, "MAX_EVENT_BYTES", 2_600)
    made = event(Call("POST", "/prewarm", body=body))
    assert made["isBase64Encoded"] is True
    assert json.loads(base64.b64decode(made["body"])) == body
    monkeypatch.setattr(prewarm_cli.aws.proxy_event, "MAX_EVENT_BYTES", 1_000)
    with pytest.raises(CommandFailed, match=r"limit of an event is 1,000; store the list in S3") as failed:
        event_of(Call("POST", "/prewarm", body=body))
    assert failed.value.code == 2


def test_largest_request_that_the_api_accepts_fits_into_an_event() -> None:
    from prewarm.request.bounds import MAX_BODY_BYTES  # noqa: PLC0415 - next to its use

    quotes = '"' * ((MAX_BODY_BYTES - 100) // 2)
    assert event(Call("POST", "/prewarm", body={"label": quotes}))["isBase64Encoded"] is True


def test_result_becomes_a_response() -> None:
    assert reply_of(b'{"statusCode": 200, "body": "{\\"a\\": 1}"}', NAME) == (200, {"a": 1})
    coded = base64.b64encode(b'{"a": 1}').decode()
    assert reply_of(json.dumps({"statusCode": 404, "body": coded, "isBase64Encoded": True}).encode(), NAME) == (
        404,
        {"a": 1},
    )
    assert reply_of(b'{"statusCode": 502, "body": "<html>"}', NAME) == (502, None)
    assert reply_of(b'{"statusCode": 204}', NAME) == (204, None)


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b'"x"', b'{"plan": {}}', b'{"statusCode": "200"}', b"\xff"])
def test_result_of_another_function_is_reported(payload: bytes) -> None:
    with pytest.raises(CommandFailed, match=r"is not the API's function.*ApiFunctionArn") as failed:
        reply_of(payload, NAME)
    assert failed.value.code == 4
