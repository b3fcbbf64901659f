"""POST /prewarm: validate a request, store it, start its run."""

import datetime as dt
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any

from api.known_pops import known_pops
from api.runs.dry_run import Resolver, dry_run
from api.runs.executions import Executions
from prewarm.errors import Conflict, InvalidRequest, Problem, RequestTooLarge
from prewarm.planning.plan import PAIRS
from prewarm.request.bounds import MAX_BODY_BYTES
from prewarm.request.model import SOURCES, CheckedRequest
from prewarm.request.validation import check_request, parse_json
from prewarm.storage.keys import run_key
from prewarm.storage.run_items import start_facts
from prewarm.storage.run_store import Storage

NAMES_SHOWN = 10
TIMESTAMP = re.compile(r"\d{8}T\d{6}Z-", re.ASCII)
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who starts a run: the id of the API key, the Idempotency-Key, if one was sent, and the API's address."""

    api_key_id: str = ""
    idempotency_key: str | None = None
    api_url: str = ""


ANYONE = Caller()


def start(
    body: bytes, store: Storage, executions: Executions, resolver: Resolver, caller: Caller = ANYONE
) -> dict[str, Any]:
    """Start a run; return {"requestID": ARN}, or {"dryRun": …} for a dry run.

    A dry run that takes too long for one response becomes an execution, whose ARN is returned.

    Raises:
        RequestTooLarge, InvalidRequest, Conflict: nothing was stored or started.

    """
    if len(body) > MAX_BODY_BYTES:
        problem = f"the body has {len(body):,} bytes, the limit is {MAX_BODY_BYTES:,}"
        fix = "upload the list (POST /uploads) and pass its address as url_list_s3"
        raise RequestTooLarge([Problem("url_list", f"{problem}; {fix}")])
    document = parse_json(body)
    request = check_request(document, pop_catalogue=known_pops(store)[0])
    return start_checked(request, store, executions, resolver, caller)


def start_checked(
    request: CheckedRequest, store: Storage, executions: Executions, resolver: Resolver, caller: Caller
) -> dict[str, Any]:
    """Start a run of a validated request, at most once per Idempotency-Key if the caller sent one.

    Raises:
        InvalidRequest, Conflict: nothing was stored or started.

    """
    if caller.idempotency_key is not None:
        return start_once(caller.idempotency_key, request, store, executions, caller)
    return start_run(request, store, executions, resolver, caller)


def start_once(
    key: str, request: CheckedRequest, store: Storage, executions: Executions, caller: Caller
) -> dict[str, Any]:
    """Start a run at most once per Idempotency-Key.

    The run's name is derived from the key.

    Raises:
        Conflict: the key was used for another request.
        InvalidRequest: the key is invalid, or the request is a dry run.

    """
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise InvalidRequest([Problem("Idempotency-Key", "must be 1 to 255 visible ASCII characters")])
    if request.fields.dry_run:
        raise InvalidRequest([Problem("Idempotency-Key", "does not apply to a dry run; remove it")])
    # A key that starts like a run name makes the run easy to recognise.
    timestamp = TIMESTAMP.match(key)
    digest = hashlib.sha256(key.encode()).hexdigest()
    run = f"{timestamp[0]}{digest[:16]}" if timestamp else f"key-{digest[:40]}"
    stored = store.get_request(run)
    if stored is not None and stored != request.as_json():
        raise _key_conflict("was used for another request")
    # The request is read again, because an identical start may have stored it since.
    if stored is None and executions.exists(run) and store.get_request(run) is None:
        raise _key_conflict("was used for a run whose request has expired (RetentionDays)")
    if not store.put_request_once(run, request.as_json()) and store.get_request(run) != request.as_json():
        raise _key_conflict("is in use by another request")
    document = {"requestKey": run_key(run, "request.json"), "summary": request_summary(request)}
    store.runs.start(run, start_facts(request, caller.api_key_id, caller.api_url))
    return {"requestID": executions.start_once(run, document)}


def _key_conflict(problem: str) -> Conflict:
    return Conflict("IdempotencyConflict", [Problem("Idempotency-Key", f"{problem}; use a new key for each request")])


def start_run(
    request: CheckedRequest, store: Storage, executions: Executions, resolver: Resolver, caller: Caller
) -> dict[str, Any]:
    """Store a validated request and start its run, or return its dry run.

    The run is listed first, so that no run is missing in the list: an entry without an execution is not shown.
    """
    run = run_name()
    key = store.put_request(run, request.as_json())
    if request.fields.dry_run and (result := dry_run(run, key, resolver)):
        return result
    store.runs.start(run, start_facts(request, caller.api_key_id, caller.api_url))
    return {"requestID": executions.start(run, {"requestKey": key, "summary": request_summary(request)})}


def run_name() -> str:
    """Return a new run's name: the current UTC time and a random suffix."""
    now = dt.datetime.now(dt.UTC)
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def request_summary(request: CheckedRequest) -> dict[str, Any]:
    """Return counts and selection of a request, without secrets.

    The console displays them as the execution's input.
    """
    names = request.fields.region
    more = [f"and {len(names) - NAMES_SHOWN} more"] if len(names) > NAMES_SHOWN else []
    sources = {name: len(entries) for name in SOURCES[1:] if (entries := getattr(request.fields, name))}
    return ({"label": request.fields.label} if request.fields.label else {}) | {
        "urls": len(request.urls),
        **sources,
        **({"targets_s3": 1} if request.fields.targets_s3 else {}),
        "pops": len(request.pops),
        "region_type": request.fields.region_type or PAIRS,
        "region": names[:NAMES_SHOWN] + more,
    }
