"""The API's answers: JSON, one shape for every error, and which pages of other origins may read them."""

import json
import os
from typing import Any

from aws_lambda_powertools.event_handler import CORSConfig, Response, content_types

# No browser sends an API key by itself, so an origin gives no access (docs/security.md).
CORS = CORSConfig(
    allow_origin=os.environ.get("PREWARM_CORS_ORIGIN", "*"),
    allow_headers=["x-api-key", "idempotency-key"],
    max_age=600,
)


def answer(status: int, document: dict[str, Any], headers: dict[str, str | list[str]] | None = None) -> Response[str]:
    """Return a JSON answer."""
    return Response(status, content_types.APPLICATION_JSON, json.dumps(document, ensure_ascii=False), headers)


def error_answer(status: int, code: str, message: str) -> Response[str]:
    """Return an error in the shape that RefusedRequest and the template's gateway responses share."""
    return answer(status, {"error": {"code": code, "message": message, "details": []}})
