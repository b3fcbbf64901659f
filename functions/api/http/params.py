"""Request parameters: read them from API Gateway's proxy events."""

import base64

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from api.http.pagination import Page, parse_page
from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.validation import parse_json


def body_of(event: APIGatewayProxyEvent) -> bytes:
    """Return the raw body.

    Powertools' decoded_body fails for bytes that are not UTF-8.

    Raises:
        InvalidRequest: the event says that its body is base64, and it is not.

    """
    body = event.body or ""
    try:
        return base64.b64decode(body) if event.is_base64_encoded else body.encode("utf-8", "surrogatepass")
    except ValueError as error:
        raise InvalidRequest([Problem("", "the body is not valid base64")]) from error


def request_id_of(event: APIGatewayProxyEvent) -> str:
    """Return the requestID from the query string or a JSON body.

    The old documentation shows the JSON body.

    Raises:
        InvalidRequest: the event has no requestID.

    """
    request_id = event.query_string_parameters.get("requestID")
    if not request_id and (body := body_of(event)):
        document = parse_json(body)
        request_id = document.get("requestID") if isinstance(document, dict) else None
    if not isinstance(request_id, str) or not request_id:
        raise InvalidRequest([Problem("requestID", "is missing; add it as a query parameter: ?requestID=…")])
    return request_id


def page_of(event: APIGatewayProxyEvent) -> Page:
    """Return the requested page, from `limit` and `nextToken` in the query string."""
    query = event.query_string_parameters
    return parse_page(query.get("limit"), query.get("nextToken"))


def includes_pops(event: APIGatewayProxyEvent) -> bool:
    """Return whether the query string has `include=pops`: statistics per POP.

    Raises:
        InvalidRequest: `include` has another value.

    """
    include = event.query_string_parameters.get("include")
    if include not in {None, "pops"}:
        raise InvalidRequest([Problem("include", f"must be 'pops', got {truncate(include or '')!r}")])
    return include == "pops"


def idempotency_key_of(event: APIGatewayProxyEvent) -> str | None:
    """Return the Idempotency-Key header, or None."""
    return event.headers.get("Idempotency-Key")
