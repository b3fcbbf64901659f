"""GET /report: a link to the report of an ended run."""

from typing import Any

from api.runs.damaged import stored_documents
from api.runs.executions import Execution
from api.runs.progress import current_summary
from prewarm.errors import Conflict, InvalidRequest, Missing, Problem, truncate
from prewarm.storage.run_store import Storage

FORMATS = ("html", "json", "csv")
# Long enough to open the report, short enough that a forwarded link grants no lasting access. A link also expires
# with the function's own credentials (IAM User Guide, "Presigned URLs").
LINK_SECONDS = 3_600


@stored_documents()
def report_link(execution: Execution, store: Storage, form: str | None) -> dict[str, Any]:
    """Return {"url": …}, which serves the report for an hour without the API key.

    `form` is the format, by default html.

    Raises:
        InvalidRequest: the format does not exist.
        Conflict: the run is still in progress.
        Missing: the run has no report.

    """
    form = "html" if form is None else form
    if form not in FORMATS:
        raise InvalidRequest([Problem("format", f"must be one of {', '.join(FORMATS)}, got {truncate(form)!r}")])
    if execution.running:
        reason = "the run is still in progress; its report is written when it ends"
        raise Conflict("RunInProgress", [Problem("requestID", reason)])
    # A report written before a redrive is stale.
    stale = current_summary(execution, store) is None
    link = None if stale else store.report_link(execution.run, f"report.{form}", LINK_SECONDS)
    if link is None:
        reason = (
            "the run has no report: it was rejected, was a dry run, failed before its results were summarized, or "
            "has expired (RetentionDays); after a timeout or a stop, try again in a minute"
        )
        raise Missing("ReportNotFound", [Problem("requestID", reason)])
    return {
        "requestID": execution.arn,
        "run": execution.run,
        "format": form,
        "url": link,
        "expiresInSeconds": LINK_SECONDS,
    }
