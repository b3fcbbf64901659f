"""Fuzz targets: each takes any bytes and raises only if the code breaks a promise."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import api.dashboard.page
import api.handler
import api.history_routes
import api.static_routes
from prewarm.errors import InvalidRequest
from prewarm.fetcher.header_lines import CUT, LONGEST_VALUE, read_header_lines
from prewarm.fetcher.response import Response
from prewarm.request.validation import check_request, parse_json
from prewarm.results.classify import classify, is_made_by_function
from prewarm.results.outcome import Outcome
from prewarm.storage.run_store import Storage
from prewarm.urls import redacted
from tests.fuzz.memory import RUN, executions, storage
from warm.copy_lifetime import may_not_be_kept
from warm.cursor import Cursor

HEADERS_OF_ERRORS = {"error"}
# What the page reads of the function's environment.
SETTINGS = {"PREWARM_BUCKET": "bucket", "PREWARM_TABLE": "table"}
ROUTES = [
    *(("GET", "/status"), ("GET", "/report"), ("POST", "/retry"), ("DELETE", "/prewarm")),
    *(("GET", "/runs"), ("GET", "/urls"), ("GET", "/request")),
]
QUERIES = {"/runs": {}, "/urls": {"url": "https://www.example.com/a"}}
# An execution's fields that a stored input may set, and their values.
STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT")


class _Context:
    function_name, memory_limit_in_mb, invoked_function_arn, aws_request_id = "api", 512, "arn", "id"


def request(data: bytes) -> None:
    """Check a body: it is accepted and can be stored and read again, or refused with an encodable response."""
    for direct in (False, True):
        try:
            checked = check_request(parse_json(data), direct=direct)
            json.dumps(checked.as_json(), ensure_ascii=False).encode()
            assert check_request(checked.as_json()).urls == checked.urls
        except InvalidRequest as error:
            json.dumps(error.as_json(), ensure_ascii=False).encode()
    text = data.decode("utf-8", "replace")
    assert redacted(redacted(text)) == redacted(text)


def event(data: bytes) -> None:
    """Send a proxy event to the API's handler: any method, path, query, headers and body."""
    document = _object(data)
    if document is not None:
        with _stores(storage({}, []), {"input": "{}"}):
            _send(document)


@contextmanager
def _stores(kept: Storage, described: dict[str, Any] | None) -> Iterator[None]:
    """Let the API's routes use a storage, and executions of which each is as described."""
    with (
        mock.patch.multiple(
            api.handler,
            storage=lambda: kept,
            _executions=lambda: executions(described),
            _resolver=lambda: mock.Mock(invoke=lambda *_: None),
        ),
        mock.patch.multiple(api.history_routes, storage=lambda: kept, executions=lambda: executions(described)),
        mock.patch.multiple(api.dashboard.page, storage=lambda: kept),
        mock.patch.multiple(api.static_routes, storage=lambda: kept),
        mock.patch.dict(os.environ, SETTINGS),
    ):
        yield


def edge(data: bytes) -> None:
    """Read a response: a line of the client's figures as JSON, then the header lines as the edge sent them."""
    first, _, rest = data.partition(b"\n")
    figures = _object(first) or {}
    numbers = {name: value for name, value in figures.items() if type(value) is int and abs(value) < 2**63}
    lines = rest.splitlines(keepends=True)
    values = read_header_lines(lines)
    assert all(len(value) <= LONGEST_VALUE + len(CUT) for value in values.values())
    status, error, size = (numbers.get(name, 0) for name in ("status", "error", "bytes"))
    response = Response(status=status, error=error, bytes=size)
    for attribute, value in values.items():
        setattr(response, attribute, value)
    outcome, reason = classify(response, "NRT57-P3", "br, gzip")
    assert isinstance(outcome, Outcome)
    assert len(reason) < 2_000
    # What a record and a ledger item hold.
    json.dumps(
        [reason, response.layer, response.length, response.x_cache, response.cf_pop], ensure_ascii=False
    ).encode()
    may_not_be_kept(response.cache_control, response.expires, response.date)
    is_made_by_function(response)
    if outcome in {Outcome.WARMED, Outcome.ALREADY_WARM}:
        assert response.status in {200, 203}
        assert response.x_cache.startswith(("Miss ", "Hit ", "RefreshHit "))
        assert response.cf_pop in {"NRT57-P3", "NRT57"}


def stored(data: bytes) -> None:
    """Ask the API for a run whose documents and ledger items are the input's: an answer or one clear error."""
    document = _object(data)
    if document is None:
        return
    documents, items = document.get("documents"), document.get("items")
    status = document.get("status")
    described = {"status": status if status in STATUSES else "SUCCEEDED", "input": "{}"}
    kept = storage(documents if isinstance(documents, dict) else {}, items if isinstance(items, list) else [])
    with mock.patch("api.runs.damaged.logger"), mock.patch("prewarm.storage.run_end.time.sleep", create=True):
        # Step Functions may have forgotten the run too.
        for found in (described, None):
            with _stores(kept, found):
                for method, path in ROUTES:
                    query = QUERIES.get(path, {"requestID": RUN} | ({"include": "pops"} if path == "/status" else {}))
                    _send({"httpMethod": method, "path": path, "queryStringParameters": query})


def cursor(data: bytes) -> None:
    """Read a worker's cursor: it is read, or refused as a ValueError that says so."""
    document = _object(data)
    try:
        Cursor.from_json(document)
    except ValueError as error:
        if not str(error).startswith("the cursor cannot be read"):
            raise


TARGETS: dict[str, Callable[[bytes], None]] = {
    "request": request,
    "event": event,
    "edge": edge,
    "stored": stored,
    "cursor": cursor,
}


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _texts(value: object) -> dict[str, str] | None:
    """Return a parameter map as API Gateway sends it: texts, or null."""
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, dict) else None


def _send(document: dict[str, Any]) -> None:
    """Send one event in API Gateway's form; check that the response can be sent and is not an unexpected error."""
    method, path = str(document.get("httpMethod") or "GET"), str(document.get("path") or "/status")
    query, headers = _texts(document.get("queryStringParameters")), _texts(document.get("headers"))
    body = document.get("body")
    response = api.handler.handler(
        {
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": headers and {name: [text] for name, text in headers.items()},
            "queryStringParameters": query,
            "multiValueQueryStringParameters": query and {name: [text] for name, text in query.items()},
            "requestContext": {"requestId": "r-1", "stage": "v1", "httpMethod": method, "path": f"/v1{path}"},
            "body": body if body is None or isinstance(body, str) else json.dumps(body),
            "isBase64Encoded": bool(document.get("isBase64Encoded")),
        },
        _Context(),
    )
    json.dumps(response, ensure_ascii=False).encode()
    assert response["statusCode"] != 500, response["body"]
    assert "Traceback" not in response["body"]
    kind = next(iter(response["multiValueHeaders"].get("Content-Type", [""])))
    if kind == "application/json" and response["body"]:
        answer = json.loads(response["body"], parse_constant=_not_json)
        assert response["statusCode"] == 200 or set(answer) == HEADERS_OF_ERRORS


def _not_json(name: str) -> Any:
    raise AssertionError(f"{name} in a response")
