"""What a route does not read is refused: options in a retry's body, and parameters that are given twice."""

from typing import Any

import pytest

from tests.support.rest import call, executions
from tests.support.run_starts import GOOD

pytestmark = pytest.mark.usefixtures("rest")
RETRY = "a retry takes the old run's options; start a run to change them"


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({"max_rps": 5, "bogus": 1}, [("max_rps", RETRY), ("bogus", RETRY)]),
        ({"requestID": "run", "dry_run": True}, [("dry_run", RETRY)]),
        (b"garbage", [("", "the body is not JSON: Expecting value: line 1 column 1 (char 0)")]),
        ([], [("", "the body must be empty, or a JSON object with requestID")]),
        ({"requestID": "other"}, [("requestID", "is one run in the query and another in the body; remove one")]),
    ],
)
def test_body_of_a_retry_that_has_no_effect_is_refused(body: Any, problems: list[tuple[str, str]]) -> None:
    status, answer = call("POST", "/retry", body, {"requestID": "run"})
    assert status == 400
    assert [(each["field"], each["message"]) for each in answer["error"]["details"]] == problems


@pytest.mark.parametrize("body", [None, {}, {"requestID": "run"}])
def test_retry_reads_the_requestid_in_query_and_body(body: Any) -> None:
    assert call("POST", "/retry", body, {"requestID": "run"})[0] == 404


def test_body_of_a_cancel_that_has_no_effect_is_refused_and_nothing_is_cancelled() -> None:
    run = call("POST", "/prewarm", GOOD)[1]["requestID"]
    status, answer = call("DELETE", "/prewarm", {"url_list": ["https://www.example.com/"]}, {"requestID": run})
    assert (status, answer["error"]["details"][0]["field"]) == (400, "url_list")
    assert executions()[0]["status"] == "RUNNING"


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("DELETE", "/prewarm", "requestID"),
        ("POST", "/retry", "requestID"),
        ("GET", "/status", "requestID"),
        ("GET", "/report", "requestID"),
        ("GET", "/request", "requestID"),
        ("GET", "/urls", "url"),
        ("GET", "/runs", "status"),
        ("GET", "/diagnose", "url"),
    ],
)
def test_parameter_that_is_given_twice_is_refused(method: str, path: str, name: str) -> None:
    status, answer = call(method, path, query={name: ["https://www.example.com/a", "COMPLETED"]})
    assert status == 400
    assert [(each["field"], each["message"]) for each in answer["error"]["details"]] == [
        (name, "is given more than once in the query; remove one")
    ]


def test_status_reads_other_parameters_as_tolerantly_as_the_contract_does() -> None:
    run = call("POST", "/prewarm", GOOD)[1]["requestID"]
    assert call("GET", "/status", query={"requestID": [run, run], "x": ["1", "2"]})[0] == 200
