"""GET /request, labels, and the parameters that routes accept."""

import pytest

from tests.support.handlers import (
    BUCKET,
    TOKYO,
    client,
)
from tests.support.rest import call
from tests.support.run_starts import GOOD, URL, started

pytestmark = pytest.mark.usefixtures("rest")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/runs"), ("GET", "/urls"), ("GET", "/request"), ("GET", "/report"), ("GET", "/pops"),
        ("GET", "/openapi.json"), ("POST", "/prewarm"), ("POST", "/retry"), ("POST", "/uploads"),
        ("DELETE", "/prewarm"),
    ],
)  # fmt: skip
def test_unknown_query_parameter_is_refused(method: str, path: str) -> None:
    status, response = call(method, path, GOOD if path == "/prewarm" else None, query={"requestId": "x"})
    (problem,) = response["error"]["details"]
    assert (status, problem["field"]) == (400, "requestId")
    assert problem["message"].startswith("unknown query parameter")


def test_unknown_query_parameter_has_a_suggestion_and_status_accepts_it() -> None:
    problem = call("GET", "/runs", query={"labl": "x"})[1]["error"]["details"][0]
    assert problem["near"] == ["label"]
    assert call("GET", "/status", query={"requestID": started(), "utm": "x"})[0] == 200


@pytest.mark.parametrize("label", ["", " a", "a\nb", "a\u202eb", "x" * 201, 7])
def test_label_that_cannot_be_shown_is_refused(label: object) -> None:
    status, response = call("POST", "/prewarm", GOOD | {"label": label})
    assert (status, response["error"]["details"][0]["field"]) == (400, "label")


def test_request_is_readable_without_its_secrets() -> None:
    signed = f"{URL}?Signature=s3cr3t"
    headers = {"Cookie": "s3cr3t", "X-Session-Token": "s3cr3t", "Accept-Language": "en"}
    run = started(url_list=[URL, signed], headers=headers, label="x", staged=True)
    status, response = call("GET", "/request", query={"requestID": run})
    assert status == 200
    request = response["request"]
    assert request["url_list"] == [URL, f"{URL}?Signature=…"]
    assert request["headers"] == {"Cookie": "…", "X-Session-Token": "…", "Accept-Language": "en"}
    assert (request["label"], request["staged"], request["region"]) == ("x", True, [TOKYO])
    assert sorted(response["hidden"]) == ["headers.Cookie", "headers.X-Session-Token", "url_list[1]"]
    assert response["urls"] == 2
    page = call("GET", "/request", query={"requestID": run, "limit": "1"})[1]
    rest = call("GET", "/request", query={"requestID": run, "limit": "1", "nextToken": page["nextToken"]})[1]
    assert page["request"]["url_list"] + rest["request"]["url_list"] == request["url_list"]
    assert rest["hidden"][-1] == "url_list[1]"


def test_expired_request_is_not_found() -> None:
    run = started()
    client("s3").delete_object(Bucket=BUCKET, Key=f"runs/{run}/request.json")
    status, response = call("GET", "/request", query={"requestID": run})
    assert (status, response["error"]["code"]) == (404, "RunExpired")
