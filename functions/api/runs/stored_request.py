"""GET /request: a run's request, without its secrets, so that it can be read and started again with changes."""

from typing import Any

from api.http.pagination import MAX_RESPONSE_BYTES, Page, UrlStatus, escaped_bytes, paginate
from api.runs.executions import Execution
from prewarm.errors import Missing, Problem
from prewarm.request.headers import SECRET_HEADERS
from prewarm.request.model import DUPLICATES
from prewarm.storage.run_store import Storage
from prewarm.urls import is_secret_name, redacted

PARAMETERS = ("requestID", "limit", "nextToken")
HIDDEN = "…"
# Fields that `hidden` names; more of them are URLs with the same parameters.
MAX_HIDDEN = 100


def stored_request(execution: Execution, store: Storage, page: Page) -> dict[str, Any]:
    """Return {"requestID", "run", "request", "urls", "hidden", "nextToken"?}.

    `request` is in the form of POST /prewarm, with a page of `url_list`; `urls` is the number of its entries. Secrets
    are replaced by `…`, and `hidden` names their fields, up to a hundred: such a request cannot be sent as it is.

    Raises:
        Missing: the request has expired, or the run was started directly with something else than a request.

    """
    document = store.get_request(execution.run) or execution.direct_request()
    if document is None:
        raise Missing("RunExpired", [Problem("requestID", "the run's request has expired (RetentionDays)")])
    document = {name: value for name, value in document.items() if name != DUPLICATES}
    urls = document.pop("url_list", None)
    listed = [url for url in urls if isinstance(url, str)] if isinstance(urls, list) else []
    hidden: list[str] = []
    shown = {name: _without_secrets(name, value, hidden) for name, value in document.items()}
    available = MAX_RESPONSE_BYTES - escaped_bytes(shown)
    entries, token = paginate([UrlStatus(redacted(url), "") for url in listed], page, available)
    first = page.start
    hidden += [
        f"url_list[{first + number}]" for number, entry in enumerate(entries) if entry.url != listed[first + number]
    ]
    if listed:
        shown["url_list"] = [entry.url for entry in entries]
    answer = {"requestID": execution.arn, "run": execution.run, "request": shown, "urls": len(listed)}
    return answer | {"hidden": hidden[:MAX_HIDDEN]} | ({"nextToken": token} if token else {})


def _without_secrets(field: str, value: Any, hidden: list[str]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a field's value with its secrets replaced; the names of the fields that had one go to `hidden`."""
    if isinstance(value, dict):
        return {name: _without_secrets(f"{field}.{name}", each, hidden) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_secrets(f"{field}[{number}]", each, hidden) for number, each in enumerate(value)]
    if not isinstance(value, str):
        return value
    header = field.removeprefix("headers.")
    secret = header != field and (header.lower() in SECRET_HEADERS or is_secret_name(header))
    shown = HIDDEN if secret else redacted(value)
    if shown != value:
        hidden.append(field)
    return shown
