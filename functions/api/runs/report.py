"""GET /report: a link to the report of an ended run."""

from typing import Any

from api.runs.executions import Execution
from api.runs.status import current_summary
from prewarm.errors import Conflict, InvalidRequest, Missing, Problem, truncate
from prewarm.execution_status import RUNNING
from prewarm.storage.run_store import Storage

FORMATS = ("html", "json", "csv")
# Long enough to be opened, short enough that a link that was passed on is no lasting right. A link ends with the
# function's own credentials in any case (IAM User Guide, "Presigned URLs").
SECONDS = 3_600


def report(execution: Execution, store: Storage, form: str | None) -> dict[str, Any]:
    """Return {"url": …} from which the report can be read for an hour without the API key.

    Raises:
        InvalidRequest: `form` is no format.
        Conflict: the run goes on.
        Missing: the run has no report.

    """
    form = "html" if form is None else form
    if form not in FORMATS:
        raise InvalidRequest([Problem("format", f"{truncate(form)!r} is none of {', '.join(FORMATS)}")])
    if execution.status in RUNNING:
        raise Conflict("RunInProgress", [Problem("requestID", "the run goes on; its report is written when it ends")])
    # That of an attempt before a redrive is none of the run as it is.
    stale = current_summary(execution, store) is None
    link = None if stale else store.report_link(execution.run, f"report.{form}", SECONDS)
    if link is None:
        why = (
            "the run has no report: it was refused, was a dry run, broke off, is older than what is kept, or ended "
            "from outside a moment ago; then ask again"
        )
        raise Missing("ReportNotFound", [Problem("requestID", why)])
    return {
        "requestID": execution.arn,
        "run": execution.run,
        "format": form,
        "url": link,
        "expiresInSeconds": SECONDS,
    }
