"""POST /prewarm: check a request, store it, start its run."""

import datetime as dt
import hashlib
import re
import secrets
from typing import Any

from api.runs.dry_run import Resolver, dry_run
from api.runs.executions import Executions
from prewarm.errors import Conflict, InvalidRequest, Problem, RequestTooLarge
from prewarm.request.model import SOURCES, CheckedRequest, check_request, parse_json
from prewarm.storage.run_store import Storage, run_key

# Our own cap, below API Gateway's 10 MB and Lambda's 6 MB (which counts the event around the body, escaped).
BODY_LIMIT = 4 * 1024 * 1024
NAMES_SHOWN = 10
MOMENT = re.compile(r"\d{8}T\d{6}Z-", re.ASCII)
KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


def start(
    body: bytes, store: Storage, executions: Executions, resolver: Resolver, key: str | None = None
) -> dict[str, Any]:
    """Start a run; returns {"requestID": execution ARN}, or for a dry run that is told at once {"dryRun": …}.

    `key`: the caller's Idempotency-Key.

    Raises:
        RequestTooLarge, InvalidRequest, Conflict: nothing was stored, nothing was started.

    """
    if len(body) > BODY_LIMIT:
        limit = f"the body has {len(body):,} bytes, the limit is {BODY_LIMIT:,}"
        fix = "put the list into S3 and name it by url_list_s3"
        raise RequestTooLarge([Problem("url_list", f"{limit}; {fix}")])
    request = check_request(parse_json(body))
    if key is not None:
        return start_once(key, request, store, executions)
    return start_checked(request, store, executions, resolver)


def start_once(key: str, request: CheckedRequest, store: Storage, executions: Executions) -> dict[str, Any]:
    """Start a run under a name made from a caller's Idempotency-Key: the same key and request are the same run.

    Raises:
        Conflict: the key was used for another request.
        InvalidRequest: the key cannot be one.

    """
    if not KEY.fullmatch(key):
        raise InvalidRequest([Problem("Idempotency-Key", "must be 1 to 255 visible ASCII characters")])
    if request.fields.dry_run:
        raise InvalidRequest([Problem("Idempotency-Key", "a dry run starts nothing; leave the header out")])
    # A key that begins as run names do gives the run a name that can be found by eye.
    moment = MOMENT.match(key)
    digest = hashlib.sha256(key.encode()).hexdigest()
    run = f"{moment[0]}{digest[:16]}" if moment else f"key-{digest[:40]}"
    stored = store.get_request(run)
    if stored is not None and stored != request.as_json():
        why = "was used for another request; give each request a key of its own"
        raise Conflict("IdempotencyConflict", [Problem("Idempotency-Key", why)])
    # Looked for again, since the same question may have been answered at the same moment.
    if stored is None and executions.exists(run) and store.get_request(run) is None:
        why = "was used for a run whose request is kept no more; give each request a key of its own"
        raise Conflict("IdempotencyConflict", [Problem("Idempotency-Key", why)])
    if not store.put_request_once(run, request.as_json()) and store.get_request(run) != request.as_json():
        why = "is being used for another request; give each request a key of its own"
        raise Conflict("IdempotencyConflict", [Problem("Idempotency-Key", why)])
    where = run_key(run, "request.json")
    return {"requestID": executions.start_once(run, {"requestKey": where, "summary": summary(request)})}


def start_checked(
    request: CheckedRequest, store: Storage, executions: Executions, resolver: Resolver
) -> dict[str, Any]:
    """Start a run of a request that was checked."""
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
