"""What API Gateway's events ask."""

import base64

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from api.http.pagination import Page, read_page
from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.model import parse_json


def body_of(event: APIGatewayProxyEvent) -> bytes:
    """Return the request's body as it came; Powertools' decoded_body takes no bytes that are not UTF-8."""
    body = event.body or ""
    return base64.b64decode(body) if event.is_base64_encoded else body.encode()


def request_id_of(event: APIGatewayProxyEvent) -> str:
    """Return the requestID: from the query or, as the old documentation shows, from a JSON body.

    Raises:
        InvalidRequest: there is none.

    """
    request_id = event.query_string_parameters.get("requestID")
    if not request_id and (body := body_of(event)):
        document = parse_json(body)
        request_id = document.get("requestID") if isinstance(document, dict) else None
    if not isinstance(request_id, str) or not request_id:
        raise InvalidRequest([Problem("requestID", "is missing; give it as /status?requestID=…")])
    return request_id


def page_of(event: APIGatewayProxyEvent) -> Page:
    """Return which page of a list is asked for, by `limit` and `nextToken` in the query."""
    query = event.query_string_parameters
    return read_page(query.get("limit"), query.get("nextToken"))


def with_pops(event: APIGatewayProxyEvent) -> bool:
    """Say whether a status is to have the POPs' sums, by `include=pops` in the query.

    Raises:
        InvalidRequest: something else is to be included.

    """
    wanted = event.query_string_parameters.get("include")
    if wanted not in {None, "pops"}:
        raise InvalidRequest([Problem("include", f"{truncate(wanted or '')!r} cannot be included; pops can")])
    return wanted == "pops"


def idempotency_key_of(event: APIGatewayProxyEvent) -> str | None:
    """Return the Idempotency-Key header, or None."""
    return event.headers.get("Idempotency-Key")
