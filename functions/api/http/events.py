"""The form of an event: API Gateway's are always valid, those of callers who invoke the function may not be."""

import json
from typing import Any

NOTHING = type(None)
# The fields that the routes read, each with its types (API Gateway Developer Guide, "Lambda proxy integrations").
FIELDS: dict[str, tuple[type, ...]] = {
    "httpMethod": (str,),
    "path": (str,),
    "headers": (dict, NOTHING),
    "multiValueHeaders": (dict, NOTHING),
    "queryStringParameters": (dict, NOTHING),
    "multiValueQueryStringParameters": (dict, NOTHING),
    "requestContext": (dict, NOTHING),
    "body": (str, NOTHING),
    "isBase64Encoded": (bool, NOTHING),
}
CONTEXT_FIELDS: dict[str, tuple[type, ...]] = {
    "identity": (dict, NOTHING),
    "requestId": (str, NOTHING),
    "domainName": (str, NOTHING),
    "path": (str, NOTHING),
}
SINGLE, MULTIPLE = ("headers", "queryStringParameters"), ("multiValueHeaders", "multiValueQueryStringParameters")


def event_problem(event: object) -> str:
    """Return what an event lacks to be a request, or ""."""
    if not isinstance(event, dict):
        return "the event is not an object"
    problem = _wrong_type(event, FIELDS, "") or _wrong_type(
        event.get("requestContext") or {}, CONTEXT_FIELDS, "requestContext."
    )
    identity = (event.get("requestContext") or {}).get("identity") or {} if not problem else {}
    problem = problem or _wrong_type(identity, {"apiKeyId": (str, NOTHING)}, "requestContext.identity.")
    if problem:
        return problem
    for name in SINGLE:
        if not all(isinstance(value, str) for value in (event.get(name) or {}).values()):
            return f"{name} is not an object of texts"
    for name in MULTIPLE:
        if not all(isinstance(values, list) and _texts(values) for values in (event.get(name) or {}).values()):
            return f"{name} is not an object of lists of texts"
    return ""


def bad_event(problem: str) -> dict[str, Any]:
    """Return a 400, in the form of the API's other errors."""
    message = f"{problem}; send the event of a Lambda proxy integration (docs/api.md)"
    body = {"error": {"code": "InvalidEvent", "message": message, "details": []}}
    headers = {"Content-Type": ["application/json"]}
    return {"statusCode": 400, "multiValueHeaders": headers, "body": json.dumps(body), "isBase64Encoded": False}


def _wrong_type(values: dict[str, Any], fields: dict[str, tuple[type, ...]], prefix: str) -> str:
    wrong = (name for name, kinds in fields.items() if not isinstance(values.get(name), kinds))
    return next((f"{prefix}{name} is missing or has the wrong type" for name in wrong), "")


def _texts(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, str) for value in values)
