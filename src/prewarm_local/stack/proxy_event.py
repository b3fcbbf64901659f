"""API Gateway's Lambda proxy integration (REST, format 1.0): request to event, result to response.

Format: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prewarm_local.stack.intrinsics import Account
    from prewarm_local.stack.routes import Api, Route


@dataclass(frozen=True)
class Request:
    """An HTTP request.

    `path` is percent-encoded and without the stage, `query` without its question mark.
    """

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    source_address: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def header(self, name: str) -> str | None:
        """Return the last header with this name, in any case, or None."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[-1] if values else None


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class MalformedResponseError(ValueError):
    """The function's result is not a valid proxy integration response.

    API Gateway answers 502.
    """


def proxy_event(
    request: Request, route: Route, parameters: Mapping[str, str], api: Api, account: Account, api_key: str | None
) -> dict[str, Any]:
    """Return the event for `request`.

    `parameters` are the path's, `api_key` is None if the route requires no key.
    """
    query = parse_qsl(request.query, keep_blank_values=True)
    body, encoded = _body(request, api.binary_media_types)
    now = time.time()
    host = request.header("Host") or ""
    # API Gateway replaces what the client says of the scheme.
    headers = [(name, value) for name, value in request.headers if name.lower() != "x-forwarded-proto"]
    headers.append(("X-Forwarded-Proto", "http"))
    return {
        "resource": route.path,
        "path": unquote(request.path),
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _multi(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _multi(query),
        "pathParameters": {name: unquote(value) for name, value in parameters.items()} or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": account.account_id,
            "apiId": api.logical_id,
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "extendedRequestId": request.id,
            "httpMethod": request.method,
            "identity": {
                "accessKey": None,
                "accountId": None,
                "apiKey": api_key,
                "apiKeyId": "embedded" if api_key else None,
                "caller": None,
                "sourceIp": request.source_address,
                "user": None,
                "userAgent": request.header("User-Agent"),
                "userArn": None,
            },
            "path": f"/{api.stage}{request.path}",
            "protocol": "HTTP/1.1",
            "requestId": request.id,
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "requestTimeEpoch": int(now * 1000),
            "resourceId": "embedded",
            "resourcePath": route.path,
            "stage": api.stage,
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def _multi(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]] | None:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values or None


def _body(request: Request, binary_types: tuple[str, ...]) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    media_type = (request.header("Content-Type") or "").partition(";")[0].strip()
    if media_type not in binary_types and "*/*" not in binary_types:
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass  # preserved as base64, where API Gateway inserts replacement characters
    return base64.b64encode(request.body).decode(), True


def proxy_response(payload: bytes) -> Response:
    """Return the HTTP response for a function's result.

    May raise MalformedResponseError.
    """
    try:
        result = json.loads(payload)
    except ValueError as error:
        raise MalformedResponseError(f"the result is not JSON: {error}") from error
    if not isinstance(result, dict) or not set(result) <= _RESPONSE_KEYS:
        raise MalformedResponseError(
            f"the result is not an object with only the fields {', '.join(sorted(_RESPONSE_KEYS))}"
        )
    status, body = result.get("statusCode"), result.get("body")
    if not str(status).isdigit() or not (body is None or isinstance(body, str)):
        raise MalformedResponseError("statusCode must be a number and body a string")
    headers = {name: [str(value)] for name, value in (result.get("headers") or {}).items()}
    multi = result.get("multiValueHeaders") or {}
    multi_names = {name.lower() for name in multi}
    headers = {name: values for name, values in headers.items() if name.lower() not in multi_names}
    headers.update({name: [str(value) for value in values] for name, values in multi.items()})
    if "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = ["application/json"]
    content = base64.b64decode(body or "") if result.get("isBase64Encoded") else (body or "").encode()
    return Response(
        int(str(status)), [(name, value) for name, values in headers.items() for value in values], content
    )


_RESPONSE_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "cookies"})
