"""Retry the failed URLs of a run."""

from typing import Any

from api.known_pops import known_pops
from api.runs.damaged import stored_documents
from api.runs.dry_run import Resolver
from api.runs.executions import Execution, Executions
from api.runs.progress import find_progress
from api.runs.start import ANYONE, Caller, start_checked
from prewarm.errors import Conflict, Missing, Problem
from prewarm.request.model import DUPLICATES, SOURCES
from prewarm.request.url_sources import URLS_AT_MOST
from prewarm.request.validation import check_request, stored_request
from prewarm.storage.run_store import Storage


@stored_documents()
def retry(
    execution: Execution, store: Storage, executions: Executions, resolver: Resolver, caller: Caller = ANYONE
) -> dict[str, Any]:
    """Start a run of the failed URLs; return {"requestID", "retryOf", "urls"}.

    The new request is the old one with the failed URLs as its only source. A run that failed before its plan existed
    is repeated as a whole. Path patterns of `invalidate` are repeated only if all URLs failed.

    Raises:
        Conflict: the run is still in progress, or no URL failed.
        Missing: the run's documents have expired.
        InvalidRequest: the old request is invalid.

    """
    if execution.running:
        reason = "the run is still in progress; wait for it to finish or cancel it"
        raise Conflict("RunInProgress", [Problem("requestID", reason)])
    stored = store.get_request(execution.run)
    document = stored or execution.direct_request()
    if document is None:
        raise Missing("RunExpired", [Problem("requestID", "the run's request has expired (RetentionDays)")])
    if document.get("dry_run"):
        raise Conflict("NothingToRetry", [Problem("requestID", "the run was a dry run, which warms nothing")])
    if (plan := store.get_plan(execution.run)) is not None:
        failed = _failed_urls(execution, store)
        # With targets_s3 the failed URLs choose among its pairs.
        document = _without_sources(document) | {"url_list": failed}
        if not isinstance(document.get("invalidate", False), bool) and len(failed) < plan.url_count:
            # Path patterns would remove what the run has warmed; the failed URLs' own paths are enough.
            document["invalidate"] = True
    pops = known_pops(store)[0]
    request = (
        stored_request(document, pops)
        if stored
        else check_request(document, most_urls=URLS_AT_MOST, pop_catalogue=pops)
    )
    started = start_checked(request, store, executions, resolver, caller)
    return started | {"retryOf": execution.arn, "urls": len(request.urls)}


def _without_sources(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in (*SOURCES, DUPLICATES)}


def _failed_urls(execution: Execution, store: Storage) -> list[str]:
    """Return the failed URLs of an ended run with a plan.

    Raises:
        Missing: the run's URLs have expired.
        Conflict: no URL failed.

    """
    progress = find_progress(execution, store)
    if progress.expired:
        raise Missing("RunExpired", [Problem("requestID", "the run's URLs have expired (RetentionDays)")])
    if progress.ending:
        reason = "the run is still ending; try again in a few seconds"
        raise Conflict("RunInProgress", [Problem("requestID", reason)])
    failed = progress.failed_urls()
    if not failed:
        raise Conflict("NothingToRetry", [Problem("requestID", "every URL of the run is warm")])
    return failed
