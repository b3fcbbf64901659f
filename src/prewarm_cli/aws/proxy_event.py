"""A call of a route as the event that API Gateway would send to the API's function, and the response to it.

Format 1.0 of Lambda proxy integrations: API Gateway Developer Guide, "Lambda proxy integrations in API Gateway".
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING, Any

from prewarm import __version__
from prewarm_cli.errors import Code, CommandFailed
from prewarm_cli.transport import Call, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

# Lambda's limit of a synchronous invocation's event, in bytes (Lambda Developer Guide, "Lambda quotas").
MAX_EVENT_BYTES = 6 * 1024 * 1024


def event_of(call: Call) -> bytes:
    """Return the event; it names no API key, so the service records that IAM has admitted the caller.

    Raises:
        CommandFailed: the request is larger than Lambda accepts.

    """
    headers = {"User-Agent": f"prewarm/{__version__}", "Content-Type": "application/json"}
    if call.key is not None:
        headers["Idempotency-Key"] = call.key
    query = {name: str(value) for name, value in (call.query or {}).items() if value is not None}
    event: dict[str, Any] = {
        "resource": call.path,
        "path": call.path,
        "httpMethod": call.method,
        "headers": headers,
        "multiValueHeaders": _lists(headers),
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": _lists(query) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "resourcePath": call.path,
            "httpMethod": call.method,
            "identity": {},
        },
        "body": None,
        "isBase64Encoded": False,
    }
    if call.body is None:
        return json.dumps(event).encode()
    body = json.dumps(call.body)
    encoded = json.dumps(event | {"body": body}).encode()
    if len(encoded) > MAX_EVENT_BYTES:
        # JSON in JSON doubles each quotation mark; base64 adds a third.
        text = base64.b64encode(body.encode()).decode()
        encoded = json.dumps(event | {"body": text, "isBase64Encoded": True}).encode()
    if len(encoded) > MAX_EVENT_BYTES:
        raise CommandFailed(
            f"the request has {len(body):,} bytes, and Lambda's limit of an event is {MAX_EVENT_BYTES:,}; "
            "store the list in S3 and pass --url-list-s3"
        )
    return encoded


def reply_of(payload: bytes, name: str) -> Reply:
    """Return the response in the function's result.

    Raises:
        CommandFailed: it is not a response of an API's function.

    """
    try:
        result = json.loads(payload)
        status, body = result["statusCode"], result.get("body")
        raw = base64.b64decode(body or "") if result.get("isBase64Encoded") else str(body or "").encode()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _foreign(name) from error
    if type(status) is not int:
        raise _foreign(name)
    try:
        return Reply(status, json.loads(raw))
    except ValueError:
        return Reply(status, None)


def _foreign(name: str) -> CommandFailed:
    return CommandFailed(
        f"{name} is not the API's function: it returned no HTTP response; pass the stack's output ApiFunctionArn",
        Code.SERVICE,
    )


def _lists(values: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in values.items()}
