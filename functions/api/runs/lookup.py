"""Find a run: in Step Functions or, after its execution has expired there, by its stored summary."""

import datetime as dt

from api.runs.damaged import stored_documents
from api.runs.executions import Execution, Executions, iso
from prewarm.errors import RunNotFound
from prewarm.storage.run_store import Storage


@stored_documents()
def find_run(request_id: str, executions: Executions, store: Storage) -> Execution:
    """Return a run by its execution ARN or its bare name.

    Step Functions keeps an execution for 90 days after its end (Step Functions Developer Guide, "Quotas"). The stored
    documents may be kept longer (the stack's RetentionDays).

    Raises:
        RunNotFound: neither Step Functions nor the storage has the run.

    """
    try:
        return executions.describe(request_id)
    except RunNotFound:
        run, arn = executions.name_and_arn(request_id)
        summary = store.get_summary(run)
        if summary is None:
            if store.get_dry_run(run) is None:
                raise
            return Execution(run, arn, "SUCCEEDED", "", "", "")
        return Execution(
            run=run,
            arn=arn,
            status=summary["executionStatus"],
            input="",
            error=summary.get("error", ""),
            cause=summary.get("cause", ""),
            started_at=iso(dt.datetime.fromtimestamp(summary["startedAt"], dt.UTC)),
            ended_at=iso(dt.datetime.fromtimestamp(summary["endedAt"], dt.UTC)),
        )
