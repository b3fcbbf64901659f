"""A run's documents in S3. This is the only module that calls S3; keys.py lists the documents.

ledger.py documents the ledger in DynamoDB.
"""

import functools
import gzip
import json
import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from prewarm.settings import Settings
from prewarm.storage.clients import create_clients
from prewarm.storage.keys import cursor_key, records_key, run_key
from prewarm.storage.ledger import Ledger
from prewarm.storage.plan_documents import PlanDocuments
from prewarm.storage.transient import API_PATIENCE, PATIENCE, name_errors_of, named_errors, read_whole, unpacked

if TYPE_CHECKING:
    from botocore.response import StreamingBody

# The fastest level still compresses to a tenth; compression must not take longer than the fetch that it records.
GZIP_LEVEL = 1


class Storage(PlanDocuments):
    """The documents of all runs in S3, and their `ledger` in DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._s3, dynamodb = create_clients(settings)
        self._bucket = settings.bucket
        self.retention_days = settings.retention_days
        self._patience = API_PATIENCE if settings.state_machine_arn else PATIENCE
        name_errors_of(dynamodb)
        self.ledger = Ledger(dynamodb, settings.table, settings.retention_days)

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

    def get_list(self, bucket: str, key: str, most_bytes: int) -> bytes:
        """Return the bytes of a URL list or a sitemap in any bucket.

        Raises:
            ValueError: the object does not exist, is not readable, or is larger than `most_bytes`.

        """
        what = f"read s3://{bucket}/{key}"

        def request() -> "StreamingBody":
            response = self._s3.get_object(Bucket=bucket, Key=key)
            if response["ContentLength"] > most_bytes:
                raise ValueError(f"has {response['ContentLength']:,} bytes; at most {most_bytes:,} are read")
            return response["Body"]

        try:
            return read_whole(request, what, patience=self._patience)
        except ClientError as error:
            raise ValueError(f"cannot be read: {error.response['Error'].get('Code', 'unknown error')}") from error

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

    def _exists(self, key: str) -> bool:
        try:
            with named_errors(f"look for {self.location(key)}"):
                self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def put_dry_run(self, run: str, document: dict[str, Any]) -> None:
        """Store a dry run's result."""
        self._put_json(run_key(run, "dry_run.json"), document)

    def get_dry_run(self, run: str) -> dict[str, Any] | None:
        """Return a dry run's result, or None."""
        document: dict[str, Any] | None = self._get_json(run_key(run, "dry_run.json"))
        return document

    def location(self, key: str) -> str:
        """Return a key's s3:// address for display."""
        return f"s3://{self._bucket}/{key}"

    def _put_json(self, key: str, document: object, **options: Any) -> str:  # noqa: ANN401 - put_object's own
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        body = gzip.compress(text, GZIP_LEVEL) if key.endswith(".gz") else text
        self._put(key, body, ContentType="application/json", **options)
        return key

    def _put_once(self, key: str, document: object, *, again: bool = True) -> bool:
        """Store a document unless the key has one; return whether it was stored. `again`: retry a conflict."""
        try:
            self._put_json(key, document, IfNoneMatch="*")
        except ClientError as error:
            code = error.response["Error"].get("Code")
            if code == "PreconditionFailed":
                return False
            # A simultaneous write of the same key; the retry shows which one was first (S3 API Reference, PutObject).
            if code == "ConditionalRequestConflict" and again:
                return self._put_once(key, document, again=False)
            raise
        return True

    def _put(self, key: str, body: bytes, **options: Any) -> None:  # noqa: ANN401 - put_object's own
        with named_errors(f"write {self.location(key)}"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, **options)

    def _get_json(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        what = f"read {self.location(key)}"

        def request() -> "StreamingBody":
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]

        try:
            body = read_whole(request, what, patience=self._patience)
        except ClientError as error:
            # A 404 whose body was cut off has no other code.
            if error.response["Error"].get("Code") in {"NoSuchKey", "404"}:
                return None
            raise
        return json.loads(unpacked(body, what) if key.endswith(".gz") else body)

    def _need_json(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        document = self._get_json(key)
        if document is None:
            raise FileNotFoundError(f"{self.location(key)} is missing")
        return document


@functools.cache
def storage() -> Storage:
    """Return this process's storage, created from the environment on first use."""
    return Storage(Settings.from_environment(os.environ))
