"""Events of callers who invoke the function: a malformed one is a 400, whatever it contains."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import api.handler
from api.http.events import FIELDS, event_problem
from tests.support.handlers import Context

VALID: dict[str, Any] = {
    "httpMethod": "GET",
    "path": "/openapi.json",
    "headers": {"X-A": "1"},
    "multiValueHeaders": {"X-A": ["1"]},
    "queryStringParameters": None,
    "multiValueQueryStringParameters": None,
    "requestContext": {"requestId": "r", "identity": {}},
    "body": None,
    "isBase64Encoded": False,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


def answered(event: object) -> tuple[int, dict[str, Any]]:
    response = api.handler.handler(json.loads(json.dumps(event)), Context())
    return response["statusCode"], json.loads(response["body"])


@pytest.mark.parametrize("name", ["requestContext", "multiValueHeaders", "multiValueQueryStringParameters", "body"])
def test_event_without_an_optional_field_is_served(name: str) -> None:
    for event in (VALID | {name: None}, {each: value for each, value in VALID.items() if each != name}):
        assert answered(event)[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"httpMethod": None},
        {"path": 7},
        {"headers": []},
        {"headers": {"X-A": 1}},
        {"multiValueHeaders": {"X-A": "1"}},
        {"multiValueHeaders": {"X-A": []}},
        {"queryStringParameters": {"a": None}},
        {"multiValueQueryStringParameters": {"a": [1]}},
        {"requestContext": "r"},
        {"requestContext": {"identity": "me"}},
        {"requestContext": {"identity": {"apiKeyId": {}}}},
        {"requestContext": {"path": 1}},
        {"body": {}},
        {"isBase64Encoded": "yes"},
    ],
)
def test_malformed_event_is_answered_with_400(change: dict[str, Any]) -> None:
    status, document = answered(VALID | change)
    assert (status, document["error"]["code"], document["error"]["details"]) == (400, "InvalidEvent", [])
    assert event_problem(VALID | change)
    assert event_problem(VALID) == ""


@given(JSON)
def test_any_event_has_an_answer(event: object) -> None:
    assert answered(event)[0] in {400, 404}


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), JSON, max_size=3))
def test_any_field_has_an_answer(change: dict[str, Any]) -> None:
    assert answered(VALID | {"path": "/absent"} | change)[0] in {400, 404}
