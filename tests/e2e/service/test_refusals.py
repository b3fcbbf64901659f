"""Rejected requests: no execution is started, and the response names the field and the fix."""

import json
from typing import Any

import pytest

from tests.support.service import HOST, ONE_SERVICE, Service

pytestmark = ONE_SERVICE

URL = f"https://{HOST}/page/1.html"
GOOD: dict[str, Any] = {"url_list": [URL], "region_type": "country", "region": ["singapore"]}


def executions(service: Service) -> int:
    states = service.client("stepfunctions")
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=service.ready["stateMachineArn"])
    return sum(len(page["executions"]) for page in pages)


@pytest.mark.parametrize(
    ("body", "field", "word"),
    [
        (b"{not json", "", "not JSON"),
        (b"[]", "", "JSON object"),
        ({key: value for key, value in GOOD.items() if key != "url_list"}, "url_list", "missing"),
        (GOOD | {"url_list": []}, "url_list", "is empty"),
        (GOOD | {"url_list": [URL, "https://", URL]}, "url_list[1]", "host"),
        (GOOD | {"url_list": ["gopher://www.example.com/"]}, "url_list[0]", "gopher"),
        (GOOD | {"region_type": "region", "region": ["apca"]}, "region[0]", "apac"),
        (GOOD | {"region": ["singapur"]}, "region[0]", "singapore"),
        (GOOD | {"region_type": "pop", "region": ["ATL56-C99"]}, "region[0]", "ATL56-C4"),
        (GOOD | {"region_type": "continent"}, "region_type", "pop, country or region"),
        (GOOD | {"url_list": 7}, "url_list", "list"),
        (GOOD | {"invalidate": "yes"}, "invalidate", "true or false"),
        (GOOD | {"regoin": 1}, "regoin", "region"),
    ],
)
def test_post_prewarm_rejects_bad_input_with_field_and_starts_no_execution(
    service: Service, body: Any, field: str, word: str
) -> None:
    before = executions(service)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = service.post(None, raw=raw)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "InvalidRequest"
    assert [detail["field"] for detail in error["details"]] == [field]
    assert word in error["message"]
    assert executions(service) == before


def test_post_prewarm_with_body_over_4_mb_returns_413(service: Service) -> None:
    urls = [f"https://{HOST}/page/{number:060}.html" for number in range(45_000)]
    response = service.post(GOOD | {"url_list": urls})
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "RequestTooLarge"


def test_post_prewarm_accepts_body_below_4_mb(service: Service) -> None:
    urls = [f"https://{HOST}/page/{number % 60}.html?{number:050}" for number in range(40_000)]
    raw = json.dumps(GOOD | {"url_list": urls}).encode()
    assert 3_000_000 < len(raw) < 4 * 1024 * 1024
    response = service.post(None, raw=raw)
    assert response.status_code == 200
    service.client("stepfunctions").stop_execution(executionArn=response.json()["requestID"])


@pytest.mark.parametrize("key", [None, "wrong"])
def test_missing_or_wrong_api_key_returns_403(service: Service, key: str | None) -> None:
    response = service.post(GOOD, key=key)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "Forbidden"


OTHER_STATE_MACHINE = "arn:aws:states:us-east-1:123456789012:execution:other:run"


@pytest.mark.parametrize("request_id", ["nothing", OTHER_STATE_MACHINE, "a/b"])
def test_unknown_request_id_returns_404(service: Service, request_id: str) -> None:
    response = service.get_status(request_id)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "RunNotFound"


def test_unknown_route_returns_404_with_an_error_document(service: Service) -> None:
    service.ready["api"] += "/nowhere"
    try:
        response = service.get_status("x")
    finally:
        service.ready["api"] = service.ready["api"].removesuffix("/nowhere")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "RouteNotFound"
