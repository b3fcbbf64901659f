"""A run's documents in S3; keys.py lists them, bucket.py reads and writes them.

ledger.py and run_list.py document what is in DynamoDB.
"""

import functools
import os
from typing import Any

from prewarm.settings import Settings
from prewarm.storage.checkpoint_store import CheckpointStore
from prewarm.storage.clients import create_clients, create_rate_client
from prewarm.storage.keys import cursor_key, records_key, run_key, url_index_key
from prewarm.storage.knowledge_store import KnowledgeStore
from prewarm.storage.ledger import Ledger
from prewarm.storage.planned_runs import PlannedRuns
from prewarm.storage.rate_lanes import RateLanes
from prewarm.storage.run_list import RunList
from prewarm.storage.transient import API_PATIENCE, PATIENCE, name_errors_of


class Storage(PlannedRuns, KnowledgeStore, CheckpointStore):
    """The documents of all runs and what they learned, in S3; their `ledger` and the list of `runs` in DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        s3, dynamodb = create_clients(settings)
        super().__init__(s3, settings.bucket, API_PATIENCE if settings.state_machine_arn else PATIENCE)
        self.retention_days, self._table = settings.retention_days, settings.table
        name_errors_of(dynamodb)
        self.runs = RunList(dynamodb, settings.table, settings.retention_days)
        self.ledger = Ledger(dynamodb, settings.table, settings.retention_days, self.runs)

    def rate_lanes(self, run: str) -> RateLanes:
        """Return the lanes of a run's rate."""
        return RateLanes(self._rate_client, self._table, run, self.retention_days)

    @functools.cached_property
    def _rate_client(self) -> Any:  # noqa: ANN401 - a client's type exists for type checkers only
        return create_rate_client()

    def put_request(self, run: str, document: dict[str, Any]) -> str:
        """Store the validated request with its secrets; return its key."""
        return self._put_json(run_key(run, "request.json"), document)

    def put_request_once(self, run: str, document: dict[str, Any]) -> bool:
        """Store the request unless the run has one; return whether it was stored."""
        return self._put_once(run_key(run, "request.json"), document)

    def get_request(self, run: str) -> dict[str, Any] | None:
        """Return the stored request, or None."""
        document: dict[str, Any] | None = self._get_json(run_key(run, "request.json"))
        return document

    def put_records(self, run: str, batch: str, part: int, attempt: str, body: bytes) -> None:
        """Store the records of an attempt at a part of a batch: gzipped JSON lines, one per target."""
        self._put(records_key(run, batch, part, attempt), body)

    def put_cursor(self, run: str, batch: str, part: int, attempt: str, cursor: dict[str, Any]) -> None:
        """Store what an attempt at a part of a batch leaves to the next part."""
        self._put_json(cursor_key(run, batch, part, attempt), cursor)

    def get_cursor(self, run: str, batch: str, part: int, attempt: str) -> dict[str, Any]:
        """Return what an attempt at a part of a batch left to the next part."""
        cursor: dict[str, Any] = self._need_json(cursor_key(run, batch, part, attempt))
        return cursor

    def delete_attempt(self, run: str, batch: str, part: int, attempt: str) -> None:
        """Delete the records and the cursor of an attempt that does not own the part."""
        for key in (records_key(run, batch, part, attempt), cursor_key(run, batch, part, attempt)):
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def put_summary(self, run: str, summary: dict[str, Any]) -> str:
        """Store the run's summary; return its key."""
        return self._put_json(run_key(run, "summary.json"), summary)

    def get_summary(self, run: str) -> dict[str, Any] | None:
        """Return the run's summary, or None."""
        document: dict[str, Any] | None = self._get_json(run_key(run, "summary.json"))
        return document

    def put_report(self, run: str, name: str, body: bytes, content_type: str) -> None:
        """Store one format of the report: report.json, report.csv or report.html."""
        self._put(run_key(run, name), body, ContentType=content_type)

    def report_link(self, run: str, name: str, seconds: int) -> str | None:
        """Return a presigned URL of a report, or None if the report does not exist.

        The URL requires no credentials and is valid for `seconds`.
        """
        key = run_key(run, name)
        if not self._exists(key):
            return None
        # A run's name may contain characters that are not allowed in a header.
        file = f"{run}.{name}".encode("ascii", "replace").decode().replace("?", "_")
        parameters = {"Bucket": self._bucket, "Key": key, "ResponseContentDisposition": f'inline; filename="{file}"'}
        return self._s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)

    def put_url_index(self, run: str, index: bytes) -> None:
        """Store the run's URL index (results/url_index.py)."""
        self._put(url_index_key(run), index)

    def read_url_index(self, run: str, first: int, last: int) -> bytes:
        """Return the bytes of the run's URL index from `first` to before `last`; empty if it has expired."""
        return self._read_range(url_index_key(run), first, last)

    def put_dry_run(self, run: str, document: dict[str, Any]) -> None:
        """Store a dry run's result."""
        self._put_json(run_key(run, "dry_run.json"), document)

    def get_dry_run(self, run: str) -> dict[str, Any] | None:
        """Return a dry run's result, or None."""
        document: dict[str, Any] | None = self._get_json(run_key(run, "dry_run.json"))
        return document


@functools.cache
def storage() -> Storage:
    """Return this process's storage, created from the environment on first use."""
    return Storage(Settings.from_environment(os.environ))
