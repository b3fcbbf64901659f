"""Request parameters: read them from API Gateway's proxy events."""

import base64
import difflib
from collections.abc import Collection

from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

from api.http.pagination import Page, parse_page
from api.runs.start import Caller
from prewarm.errors import PROBLEMS_SHOWN, UNLISTED, InvalidRequest, Problem, truncate
from prewarm.request.validation import parse_json
from prewarm.storage.run_items import INVOKED

# The parameter of routes that concern one run.
RUN = ("requestID",)


def body_of(event: BaseProxyEvent) -> bytes:
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


def check_query(event: BaseProxyEvent, names: Collection[str] = ()) -> None:
    """Check that the query string has only parameters that the route reads, each once.

    Raises:
        InvalidRequest: it has others, or one twice, which would otherwise be left out without notice.

    """
    values = _all_values(event)
    if repeated := [name for name in names if len(values.get(name, [])) > 1]:
        raise InvalidRequest([Problem(name, "is given more than once in the query; remove one") for name in repeated])
    unknown = [name for name in event.query_string_parameters if name not in names]
    if unknown:
        valid = f"this route reads {', '.join(names)}" if names else "this route reads none"
        message = f"unknown query parameter; {valid}"
        near = difflib.get_close_matches
        raise InvalidRequest([Problem(truncate(name), message, tuple(near(name, names, n=2))) for name in unknown])


def _all_values(event: BaseProxyEvent) -> dict[str, list[str]]:
    """Return the query's values by name; API Gateway leaves all but the last one of a name out of the short form."""
    values: dict[str, list[str]] = event.raw_event.get("multiValueQueryStringParameters") or {}
    return values


def check_run(event: BaseProxyEvent, reason: str) -> None:
    """Check query and body of a route that changes a run and reads nothing but its requestID.

    Raises:
        InvalidRequest: one of them has something else, which is named with the `reason` why it has no effect in the
            body, the body is not a JSON object, or it names another run than the query.

    """
    check_query(event, RUN)
    body = body_of(event)
    if not body.strip():
        return
    document = parse_json(body)
    if not isinstance(document, dict):
        raise InvalidRequest([Problem("", "the body must be empty, or a JSON object with requestID")])
    if others := [name for name in document if name not in RUN]:
        shown = [Problem(truncate(name), reason) for name in others[:PROBLEMS_SHOWN]]
        raise InvalidRequest(shown + [UNLISTED] * (len(others) - len(shown)))
    in_query = event.query_string_parameters.get("requestID")
    if in_query and document.get("requestID", in_query) != in_query:
        raise InvalidRequest([Problem("requestID", "is one run in the query and another in the body; remove one")])


def request_id_of(event: BaseProxyEvent) -> str:
    """Return the requestID from the query string or a JSON body.

    The old documentation shows the JSON body.

    Raises:
        InvalidRequest: the event has no requestID, or the query has several.

    """
    if len(set(_all_values(event).get("requestID", []))) > 1:
        raise InvalidRequest([Problem("requestID", "is given more than once in the query; remove one")])
    request_id = event.query_string_parameters.get("requestID")
    if not request_id and (body := body_of(event)):
        document = parse_json(body)
        request_id = document.get("requestID") if isinstance(document, dict) else None
    if not isinstance(request_id, str) or not request_id:
        raise InvalidRequest([Problem("requestID", "is missing; add it as a query parameter: ?requestID=…")])
    return request_id


def page_of(event: BaseProxyEvent) -> Page:
    """Return the requested page, from `limit` and `nextToken` in the query string."""
    query = event.query_string_parameters
    return parse_page(query.get("limit"), query.get("nextToken"))


def includes_pops(event: BaseProxyEvent) -> bool:
    """Return whether the query string has `include=pops`: statistics per POP.

    Raises:
        InvalidRequest: `include` has another value.

    """
    include = event.query_string_parameters.get("include")
    if include not in {None, "pops"}:
        raise InvalidRequest([Problem("include", f"must be 'pops', got {truncate(include or '')!r}")])
    return include == "pops"


def caller_of(event: BaseProxyEvent) -> Caller:
    """Return who calls: the API key's id, which API Gateway has checked, and the Idempotency-Key header.

    An event without a key's id comes from lambda:InvokeFunction, since API Gateway requires a key for these routes.
    """
    identity = (event.raw_event.get("requestContext") or {}).get("identity") or {}
    return Caller(identity.get("apiKeyId") or INVOKED, idempotency_key_of(event), api_url_of(event))


def api_url_of(event: BaseProxyEvent) -> str:
    """Return the address of the API as API Gateway was asked for it, at which the dashboard is; empty if unknown.

    requestContext's path has the stage, or a custom domain's base path, in front of the route (API Gateway Developer
    Guide, "Lambda proxy integration", input format).
    """
    context = event.raw_event.get("requestContext") or {}
    host, path = context.get("domainName") or "", context.get("path") or ""
    if not host or not path:
        return ""
    scheme = "http" if event.headers.get("X-Forwarded-Proto") == "http" else "https"
    return f"{scheme}://{host}{path.rstrip('/').rpartition('/')[0]}"


def idempotency_key_of(event: BaseProxyEvent) -> str | None:
    """Return the Idempotency-Key header, or None."""
    return event.headers.get("Idempotency-Key")
