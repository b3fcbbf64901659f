"""GET /diagnose: checks of the deployment, most of which the resolve function makes."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from api.runs.dry_run import Resolver
from api.runs.executions import Executions
from prewarm import __version__
from prewarm.diagnosis import Check, Group, Row, Texts, row_of, run_checks
from prewarm.errors import InvalidRequest, Problem
from prewarm.request.url_parser import parse_url

# API Gateway times out after 29 s.
SECONDS = 26.0

STATE_MACHINE = Check(
    "state_machine",
    Texts(
        "the API reaches the state machine",
        "no run can be started, listed or cancelled",
        "deploy the template's state machine and roles as they are; check a permissions boundary or an SCP",
    ),
)
RESOLVE_FUNCTION = Check(
    "resolve_function",
    Texts(
        "the API invokes the resolve function",
        "what the service sees is not known, and runs probably fail in their first state",
        "read the log of the resolve function (log group /cloudfront-prewarm/STACK/functions), and deploy the "
        "template's functions and roles as they are",
    ),
)


def diagnose(url: str | None, executions: Executions, resolver: Resolver) -> dict[str, Any]:
    """Return {"version", "time", "stateMachineArn", "pops", "checks"}.

    `url`: any URL of a site that the service may warm, or None; `time`: the service's clock, in ISO 8601.

    Raises:
        InvalidRequest: the URL cannot be fetched.

    """
    if url is not None:
        try:
            parse_url(url)
        except ValueError as error:
            raise InvalidRequest([Problem("url", str(error))]) from error
    time = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    answer: dict[str, Any] = {"checks": [], "pops": []}

    def invoke() -> Iterator[Row]:
        answer.update(resolver.diagnose(url))
        yield RESOLVE_FUNCTION.ok("it responds")

    def list_runs() -> Iterator[Row]:
        executions.page(1, None)
        yield STATE_MACHINE.ok("its executions can be listed")

    rows = run_checks([Group([STATE_MACHINE], list_runs), Group([RESOLVE_FUNCTION], invoke)], SECONDS)
    return {
        "version": __version__,
        "time": time,
        "stateMachineArn": executions.state_machine_arn,
        "pops": list(answer["pops"]),
        "checks": [row.as_json() for row in [*rows, *map(row_of, answer["checks"])]],
    }
