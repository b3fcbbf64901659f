"""The API's client: one method per route, retries where they are safe, and errors with exit codes."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from prewarm_cli import response_checks
from prewarm_cli.api_errors import OK, failure_of
from prewarm_cli.errors import Code, CommandFailed
from prewarm_cli.failure_reasons import connection_reason
from prewarm_cli.http_transport import HttpTransport, new_session
from prewarm_cli.transport import TIMEOUT, Call, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

# S3 answers a form with 204 unless the form asks for another status (S3 API Reference, "POST Object").
STORED = frozenset({200, 201, 204})
STATUS_LISTS = ("failedUrl", "inProgressUrl", "successUrl", "failures")


class Client:
    """Call the API at `url` with its key, or by another transport; then `key` is empty, and `url` if it is unknown.

    `name`: the API's address, or its function's ARN.
    """

    def __init__(self, url: str, key: str = "", transport: Transport | None = None) -> None:
        self.url, self.key = url, key
        self._transport = transport or HttpTransport(url, key)
        self.name = self._transport.name

    def start(self, request: dict[str, Any], key: str | None) -> dict[str, Any]:
        """POST /prewarm: {"requestID": …}, or {"dryRun": …} for a dry run; `key`: the Idempotency-Key."""
        return self._call("POST", "/prewarm", response_checks.missing_in_start, body=request, key=key)

    def status(self, run: str, limit: int | None = None, token: str | None = None) -> dict[str, Any]:
        """GET /status: one response, complete or the page selected by `limit` and `token`."""
        query = {"requestID": run, "limit": limit, "nextToken": token}
        return self._call("GET", "/status", response_checks.missing_in_status, query)

    def full_status(self, run: str) -> dict[str, Any]:
        """Return a status with complete lists, reading as many pages as needed."""
        while True:
            first = page = self.status(run)
            if "nextToken" not in first:
                return first
            lists = {name: list(first[name]) for name in STATUS_LISTS if name in first}
            fetched = dict(first.get("fetched") or {})
            while token := page.get("nextToken"):
                page = self.status(run, token=token)
                for name, entries in lists.items():
                    entries.extend(page.get(name, []))
                fetched |= page.get("fetched") or {}
            # If the run ended between two pages, its URLs have moved to other lists: read all pages again.
            if page["status"] != first["status"]:
                continue
            # If the run is in progress, it has advanced since the first page: make the counts match the lists.
            in_progress = len(lists["inProgressUrl"])
            counts = {"inProgress": in_progress, "completed": page["total"] - in_progress}
            whole = counts | lists | ({"fetched": fetched} if "fetched" in first else {})
            return {name: value for name, value in page.items() if name != "nextToken"} | whole

    def cancel(self, run: str) -> dict[str, Any]:
        """DELETE /prewarm: the status of the cancelled run."""
        return self._call("DELETE", "/prewarm", response_checks.missing_in_status, {"requestID": run})

    def retry(self, run: str) -> dict[str, Any]:
        """POST /retry: {"requestID": …, "retryOf": …, "urls": n}."""
        query, key = {"requestID": run}, new_idempotency_key()
        return self._call("POST", "/retry", response_checks.missing_in_retry, query, key=key)

    def runs(self, query: dict[str, Any], limit: int, token: str | None) -> dict[str, Any]:
        """GET /runs: {"runs": […], "nextToken"?}; `query`: the filters, of which None are not sent."""
        page = {"limit": limit, "nextToken": token}
        return self._call("GET", "/runs", response_checks.missing_in_runs, query | page)

    def url_history(self, url: str, days: int | None) -> dict[str, Any]:
        """GET /urls: {"url", "fetched", "last", "lastWarm", "looked"}."""
        return self._call("GET", "/urls", response_checks.missing_in_history, {"url": url, "days": days})

    def diagnose(self, url: str | None) -> dict[str, Any]:
        """GET /diagnose: {"version", "time", "stateMachineArn", "pops", "checks"}."""
        return self._call("GET", "/diagnose", response_checks.missing_in_diagnosis, {"url": url})

    def page_of(self, run: str) -> str | None:
        """Return the address of a run's page in the dashboard; None if the API's address is unknown."""
        return f"{self.url}/#/run/{quote(run.rpartition(':')[2], safe='')}" if self.url else None

    def create_upload(self, name: str, sha256: str) -> dict[str, Any]:
        """POST /uploads: {"url", "fields", "address", …}, a form for one object with this content."""
        body = {"name": name, "sha256": sha256}
        return self._call("POST", "/uploads", response_checks.missing_in_upload, body=body)

    def store(self, form: dict[str, Any], name: str, body: bytes) -> None:
        """Store an object with a form, without sending the API key; repeating it has no further effect.

        Raises:
            CommandFailed: there is no response, or S3 refuses the object.

        """
        import requests  # noqa: PLC0415 - see new_session

        session = new_session(form["url"])
        try:
            # The file is the form's last field: S3 ignores what follows it.
            files = {"file": (name, body)}
            response = session.post(
                form["url"], data=form["fields"], files=files, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            raise CommandFailed(f"cannot upload the list: {connection_reason(error)}", Code.SERVICE) from error
        if response.status_code not in STORED:
            raise CommandFailed(f"cannot upload the list: S3 returned {response.status_code}", Code.SERVICE)

    def report(self, run: str, file_format: str) -> dict[str, Any]:
        """GET /report: {"requestID", "format", "url", "expiresInSeconds"}."""
        query = {"requestID": run, "format": file_format}
        return self._call("GET", "/report", response_checks.missing_in_report, query)

    def download(self, url: str) -> requests.Response:
        """Open a presigned URL as a stream, without sending the API key.

        Raises:
            CommandFailed: there is no response, or its status is not 200.

        """
        import requests  # noqa: PLC0415 - see new_session

        session = new_session(url)
        try:
            response = session.get(url, timeout=TIMEOUT, stream=True)
        except requests.RequestException as error:
            raise CommandFailed(f"cannot download the report: {connection_reason(error)}", Code.SERVICE) from error
        if response.status_code != OK:
            raise CommandFailed(f"cannot download the report: S3 returned {response.status_code}", Code.SERVICE)
        return response

    def _call(
        self,
        method: str,
        path: str,
        missing_field: Callable[[dict[str, Any]], str],
        query: dict[str, Any] | None = None,
        *,
        body: dict[str, Any] | None = None,
        key: str | None = None,
    ) -> dict[str, Any]:
        """Call a route and return the document of its 200, checked with `missing_field`.

        Raises:
            CommandFailed: any other response, or no response.

        """
        reply = self._transport.send(Call(method, path, query, body, key))
        if reply.status == OK and isinstance(reply.document, dict):
            route, name = f"{method} {path}", self._transport.name
            return response_checks.check_response(reply.document, missing_field, route, name)
        raise failure_of(reply, self._transport.name, self._transport.forbidden_hint)


def new_idempotency_key() -> str:
    """Return a random Idempotency-Key that starts with the time, as run names do, so that its run is easy to find."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex}"
