"""The API's JSON responses, its CORS configuration, and the one shape of every error."""

import json
import os
from typing import Any

from aws_lambda_powertools.event_handler import CORSConfig, Response, content_types

# Every origin is allowed by default: browsers do not send an API key by themselves, so an origin alone grants no
# access (docs/security.md).
CORS = CORSConfig(
    allow_origin=os.environ.get("PREWARM_CORS_ORIGIN", "*"),
    allow_headers=["x-api-key", "idempotency-key"],
    max_age=600,
)


def json_response(
    status: int, document: dict[str, Any], headers: dict[str, str | list[str]] | None = None
) -> Response[str]:
    """Return a JSON response, which can be encoded whatever the document contains.

    Lone surrogates in stored documents become JSON's escapes, and numbers that JSON does not have null.
    """
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(json.loads(json.dumps(document), parse_constant=lambda _: None), ensure_ascii=False)
    body = text.encode("utf-8", "backslashreplace").decode()
    return Response(status, content_types.APPLICATION_JSON, body, headers)


def error_response(status: int, code: str, message: str) -> Response[str]:
    """Return an error in the shape that the template's gateway responses share."""
    return json_response(status, {"error": {"code": code, "message": message, "details": []}})
