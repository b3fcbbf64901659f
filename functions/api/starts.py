"""POST /prewarm: check a request, store it, start its run."""

import datetime as dt
import secrets
from typing import Any

from api.dry_runs import Resolver, dry_run
from api.executions import Executions
from prewarm.errors import Problem, RequestTooLarge
from prewarm.request import SOURCES, CheckedRequest, check_request, parse_json
from prewarm.storage import Storage

# Our own cap, below API Gateway's 10 MB and Lambda's 6 MB (which counts the event around the body, escaped).
BODY_LIMIT = 4 * 1024 * 1024
NAMES_SHOWN = 10


def start(body: bytes, store: Storage, executions: Executions, resolver: Resolver) -> dict[str, Any]:
    """Start a run; returns {"requestID": execution ARN}, or for a dry run that is told at once {"dryRun": …}.

    Raises:
        RequestTooLarge, InvalidRequest: nothing was stored, nothing was started.

    """
    if len(body) > BODY_LIMIT:
        limit = f"the body has {len(body):,} bytes, the limit is {BODY_LIMIT:,}"
        fix = "put the list into S3 and name it by url_list_s3"
        raise RequestTooLarge([Problem("url_list", f"{limit}; {fix}")])
    request = check_request(parse_json(body))
    run = run_name()
    key = store.put_request(run, request.as_json())
    if request.fields.dry_run and (answer := dry_run(run, key, resolver, store)):
        return answer
    return {"requestID": executions.start(run, {"requestKey": key, "summary": summary(request)})}


def run_name() -> str:
    """Return a new run's name: when it was asked for, to be found by eye, and something unique."""
    now = dt.datetime.now(dt.UTC)
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def summary(request: CheckedRequest) -> dict[str, Any]:
    """Return what of a request may be seen by everybody who sees the execution: counts and selection."""
    names = request.fields.region
    more = [f"and {len(names) - NAMES_SHOWN} more"] if len(names) > NAMES_SHOWN else []
    sources = {name: len(given) for name in SOURCES[1:] if (given := getattr(request.fields, name))}
    return {
        "urls": len(request.urls),
        **sources,
        "pops": len(request.pops),
        "region_type": request.fields.region_type,
        "region": names[:NAMES_SHOWN] + more,
    }
