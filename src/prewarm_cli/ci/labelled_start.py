"""Start a run with a label from the CI server's variables; an older service, which knows no labels, gets none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from prewarm_cli.api_errors import RequestRefused
from prewarm_cli.ci.label import ci_label
from prewarm_cli.options.user_request import UserRequest

if TYPE_CHECKING:
    from prewarm_cli.api_client import Client

LABEL = "label"


def with_ci_label(request: dict[str, Any], *, repeatable: bool) -> dict[str, Any]:
    """Return the request with a label, unless it has one or this machine is not a CI server.

    `repeatable`: whether the request carries an Idempotency-Key of the user. It must then be the same in each
    repetition, so that the label does not name the pipeline.
    """
    if request.get(LABEL) == "":
        del request[LABEL]
        return request
    if LABEL in request or not (label := ci_label(os.environ, pipeline=not repeatable)):
        return request
    request[LABEL] = label
    if isinstance(request, UserRequest):
        request.options[LABEL] = CI_LABEL
    return request


# The place of an automatic label in messages; a label that the user gave has another one.
CI_LABEL = "the label from the CI server"


def start_labelled(client: Client, request: dict[str, Any], key: str | None) -> dict[str, Any]:
    """Start a run; if the service refuses only an automatic label, start it without.

    Raises:
        CommandFailed: the run did not start.

    """
    try:
        return client.start(request, key)
    except RequestRefused as refused:
        automatic = isinstance(request, UserRequest) and request.options.get(LABEL) == CI_LABEL
        if not automatic or not all(entry.get("field") == LABEL for entry in refused.details):
            raise
        return client.start({name: value for name, value in request.items() if name != LABEL}, key)
