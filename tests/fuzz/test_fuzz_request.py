"""Fuzz the request and the API's parameters: each input is accepted or refused with a response that can be encoded.

A longer run: `PREWARM_FUZZ=1000000 python -m pytest tests/fuzz`; PREWARM_FUZZ_SEED repeats one.
"""

import json
import os
from typing import Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from api.http.params import body_of, includes_pops, page_of, request_id_of
from api.http.responses import json_response
from prewarm.errors import InvalidRequest
from prewarm.request.validation import check_request, parse_json
from prewarm.urls import redacted
from tests.fuzz.mutate import mutations

COUNT = int(os.environ.get("PREWARM_FUZZ", "3000"))
SEED = int(os.environ.get("PREWARM_FUZZ_SEED", "1"))


def check(data: bytes) -> None:
    for direct in (False, True):
        try:
            document = parse_json(data)
            checked = check_request(document, direct=direct)
            json_response(200, checked.as_json())
            assert check_request(checked.as_json()).urls == checked.urls
        except InvalidRequest as error:
            response = json_response(error.http_status, error.as_json())
            assert response.body
            response.body.encode()


def test_any_body_is_accepted_or_refused() -> None:
    for number, data in enumerate(mutations("request", SEED, COUNT)):
        try:
            check(data)
        except Exception as error:
            raise AssertionError(f"seed {SEED}, input {number}: {data!r}") from error


def read_event(document: dict[str, Any]) -> None:
    event = APIGatewayProxyEvent(document)
    for read in (body_of, request_id_of, page_of, includes_pops):
        try:
            read(event)
        except InvalidRequest as error:
            json_response(400, error.as_json()).body.encode()  # type: ignore[union-attr]


def test_any_event_is_read_or_refused() -> None:
    for number, data in enumerate(mutations("event", SEED, COUNT)):
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            continue
        if not isinstance(document, dict) or not isinstance(document.get("queryStringParameters") or {}, dict):
            continue
        # API Gateway sends texts only.
        query = {str(name): str(value) for name, value in (document.get("queryStringParameters") or {}).items()}
        event = {"body": str(document.get("body") or ""), "queryStringParameters": query}
        try:
            read_event(event | {"isBase64Encoded": bool(document.get("isBase64Encoded"))})
        except Exception as error:
            raise AssertionError(f"seed {SEED}, input {number}: {data!r}") from error


def test_any_text_can_be_redacted() -> None:
    for data in mutations("request", SEED, COUNT):
        text = data.decode("utf-8", "replace")
        assert redacted(redacted(text)) == redacted(text)
