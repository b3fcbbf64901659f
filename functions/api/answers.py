"""The API's answers: JSON, and one shape for every error."""

import json
from typing import Any

from aws_lambda_powertools.event_handler import Response, content_types


def answer(status: int, document: dict[str, Any], headers: dict[str, str | list[str]] | None = None) -> Response[str]:
    """Return a JSON answer."""
    return Response(status, content_types.APPLICATION_JSON, json.dumps(document, ensure_ascii=False), headers)


def error_answer(status: int, code: str, message: str) -> Response[str]:
    """Return an error in the shape that RefusedRequest and the template's gateway responses share."""
    return answer(status, {"error": {"code": code, "message": message, "details": []}})
