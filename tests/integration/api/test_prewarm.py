"""POST /prewarm: valid and invalid requests, and errors of the service."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

import api.handler
from prewarm.storage.run_store import Storage
from tests.support.edge_urls import HOST
from tests.support.handlers import SYDNEY, document, keys
from tests.support.rest import EXECUTION, call, executions, make_state_machine

URL = f"https://{HOST}/index.html"
GOOD: dict[str, Any] = {"url_list": [URL], "region_type": "region", "region": ["apac", "eu"]}
BAD: list[tuple[object, list[str], str]] = [
    (b"{not json", [""], "not JSON"),
    (b"", [""], "the body is empty"),
    (b'{"max_bytes": ' + b"9" * 5_000 + b"}", [""], "too many digits; use at most 19"),
    (b'{"max_rps": NaN}', [""], "NaN is not a number in JSON"),
    (b"\xff\xfe{", [""], "is not text in UTF-16"),
    (b"[" * 100_000, [""], "nested too deeply"),
    (b'{"url_list": ["a"], "url_list": ["b"]}', ["url_list"], "is given twice; remove one"),
    ([], [""], "JSON object"),
    ("text", [""], "JSON object"),
    (None, [""], "the body is empty"),
    ({"region_type": "pop", "region": "all"}, ["url_list"], "is missing"),
    ({"url_list": [URL]}, ["region_type", "region"], "is missing"),
    (GOOD | {"url_list": []}, ["url_list"], "is empty"),
    (GOOD | {"url_list": URL}, ["url_list"], "list"),
    (GOOD | {"url_list": [URL, 7]}, ["url_list[1]"], "string"),
    (GOOD | {"url_list": [URL, "https://", URL, "//x"]}, ["url_list[1]", "url_list[3]"], "host"),
    (GOOD | {"url_list": [f"https://{HOST}/a\x01b"]}, ["url_list[0]"], "percent-encode"),
    (GOOD | {"url_list": ["ftp://www.example.com/"]}, ["url_list[0]"], "'ftp'; use https:// or http://"),
    (GOOD | {"url_list": ["file:///etc/passwd"]}, ["url_list[0]"], "'file'"),
    (GOOD | {"url_list": ["https://169.254.169.254/latest/"]}, ["url_list[0]"], "IP address"),
    (GOOD | {"url_list": ["https://[::1]/"]}, ["url_list[0]"], "IP address"),
    (GOOD | {"url_list": ["https://localhost/"]}, ["url_list[0]"], "domain name"),
    (GOOD | {"url_list": [f"https://{HOST}:8443/"]}, ["url_list[0]"], "port 8443"),
    (GOOD | {"region": ["apca"]}, ["region[0]"], "did you mean apac"),
    (GOOD | {"region_type": "country", "region": ["japn", "india"]}, ["region[0]"], "did you mean japan"),
    (GOOD | {"region_type": "pop", "region": ["NRT57-P33"]}, ["region[0]"], "NRT57-P3"),
    (GOOD | {"region_type": "continent"}, ["region_type"], "must be pop, country or region"),
    (GOOD | {"region": []}, ["region"], "is empty"),
    (GOOD | {"region": 7}, ["region"], "list"),
    (GOOD | {"invalidate": "yes"}, ["invalidate"], "must be true or false, got 'yes'"),
    (GOOD | {"timeout_minutes": 0}, ["timeout_minutes"], "must be at least 1, got 0"),
    (GOOD | {"timeout_minutes": 1.5}, ["timeout_minutes"], "whole number, got 1.5"),
    (GOOD | {"max_concurrency": True}, ["max_concurrency"], "whole number, got true"),
    (GOOD | {"accept_encodings": []}, ["accept_encodings"], "is empty"),
    (GOOD | {"headers": {"X-A": 1}}, ["headers.X-A"], "string"),
    (GOOD | {"headers": {"Accept-Encoding": "br"}}, ["headers.Accept-Encoding"], "set by the service"),
    (GOOD | {"user_agent": "a\nb"}, ["user_agent"], "character"),
    (GOOD | {"fail_on": "all"}, ["fail_on"], "'any' or 'none'"),
    (GOOD | {"cf_domain": "d1.example.com"}, ["cf_domain"], "d111abcdef8.cloudfront.net"),
    (GOOD | {"urls": [URL], "regoin": 1}, ["urls", "regoin"], "unknown field"),
    (GOOD | {"\ud800": 1}, ["\\ud800"], "lone surrogate"),
    (GOOD | {"headers": {"\ud800": "1"}}, ["headers"], "lone surrogate"),
]


@pytest.fixture
def _rest(account: SimpleNamespace) -> None:
    make_state_machine()


pytestmark = pytest.mark.usefixtures("_rest")


def test_valid_request_is_stored_started_and_returns_its_arn() -> None:
    status, response = call("POST", "/prewarm", GOOD)
    (execution,) = executions()
    assert (status, response) == (200, {"requestID": execution["executionArn"]})
    run = execution["name"]
    assert execution["executionArn"] == f"{EXECUTION}:{run}"
    stored = document(run, "request.json")
    assert {name: stored[name] for name in GOOD} == GOOD
    assert json.loads(execution["input"])["requestKey"] == f"runs/{run}/request.json"


def test_execution_input_is_small_and_has_no_secrets() -> None:
    body = GOOD | {
        "url_list": [f"https://{HOST}/{n}?Signature=s3cret{n}" for n in range(20_000)],
        "headers": {"Authorization": "Bearer s3cret", "Cookie": "id=s3cret"},
        "region_type": "country",
        "region": ["JP", "DE", "FR", "GB", "US", "BR", "IN", "SG", "AU", "KR", "IT", "ES"],
    }
    status, _ = call("POST", "/prewarm", body)
    (execution,) = executions()
    assert status == 200
    assert "s3cret" not in execution["input"]
    assert len(execution["input"]) < 1000
    summary = json.loads(execution["input"])["summary"]
    assert (summary["urls"], summary["region"][-1]) == (20_000, "and 2 more")
    assert document(execution["name"], "request.json")["headers"] == body["headers"]


def test_two_requests_start_two_runs() -> None:
    responses = [call("POST", "/prewarm", GOOD)[1]["requestID"] for _ in range(2)]
    assert len(set(responses)) == 2
    assert len(executions()) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"url_list": [URL], "target_type": "pop", "region": SYDNEY[0]},
        {"url_list": [URL, URL], "region_type": "country", "region": "all"},
        GOOD | {"cf_domain": "D111ABCDEF8.cloudfront.net"},
        GOOD | {"headers": {"Cookie": "a=b"}, "min_warm_percent": 90},
    ],
)
def test_alternative_spellings_of_the_contract_are_accepted(body: dict[str, Any]) -> None:
    assert call("POST", "/prewarm", body)[0] == 200


@pytest.mark.parametrize(("body", "fields", "word"), BAD)
def test_invalid_request_returns_400_with_each_field_and_starts_nothing(
    body: object, fields: list[str], word: str
) -> None:
    status, response = call("POST", "/prewarm", body, encoded=isinstance(body, bytes))
    assert (status, response["error"]["code"]) == (400, "InvalidRequest")
    assert [detail["field"] for detail in response["error"]["details"]] == fields
    assert word in response["error"]["message"]
    assert executions() == []
    assert keys() == []


def test_base64_body_is_decoded() -> None:
    assert call("POST", "/prewarm", GOOD, encoded=True)[0] == 200


def test_a_body_over_four_megabytes_is_a_413_that_starts_nothing() -> None:
    body = GOOD | {"url_list": [f"https://{HOST}/{n:07}/{'x' * 1000}" for n in range(4100)]}
    status, response = call("POST", "/prewarm", body)
    assert (status, response["error"]["code"]) == (413, "RequestTooLarge")
    assert response["error"]["details"][0]["field"] == "url_list"
    assert "4,194,304" in response["error"]["message"]
    assert executions() == []
    assert keys() == []


def test_body_just_under_four_megabytes_is_accepted() -> None:
    body = GOOD | {"url_list": [f"https://{HOST}/{n:07}/{'x' * 1000}" for n in range(4000)]}
    assert call("POST", "/prewarm", body)[0] == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/prewarm"), ("POST", "/status"), ("GET", "/nowhere")])
def test_unknown_route_returns_404(method: str, path: str) -> None:
    status, response = call(method, path)
    assert (status, response["error"]["code"]) == (404, "RouteNotFound")


def test_failing_storage_returns_500_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "s3cret-bucket"}}, "PutObject")

    monkeypatch.setattr(Storage, "put_request", fail)
    status, response = call("POST", "/prewarm", GOOD)
    assert (status, response["error"]["code"]) == (500, "ServiceError")
    assert "s3cret-bucket" not in json.dumps(response)
    assert executions() == []


def test_unreachable_step_functions_returns_503(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://states.invalid/")

    states = api.handler._executions()._client
    monkeypatch.setattr(states, "start_execution", fail)
    monkeypatch.setattr(states, "describe_execution", fail)
    assert call("POST", "/prewarm", GOOD)[0] == 503
    status, response = call("GET", "/status", query={"requestID": "some-run"})
    assert (status, response["error"]["code"]) == (503, "ServiceUnavailable")


def test_missing_setting_returns_500(monkeypatch: pytest.MonkeyPatch) -> None:
    api.handler._executions.cache_clear()
    monkeypatch.delenv("PREWARM_BUCKET")
    status, response = call("POST", "/prewarm", GOOD)
    assert (status, response["error"]["code"]) == (500, "ServiceError")
