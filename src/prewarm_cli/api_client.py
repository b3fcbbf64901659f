"""The API's client: one method per route, retries where they are safe, and errors with exit codes."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from prewarm import __version__
from prewarm_cli import response_checks
from prewarm_cli.errors import Code, CommandFailed
from prewarm_cli.failure_reasons import connection_reason
from prewarm_cli.options.user_request import UserRequest, problem_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

# (connect, read) in seconds. A dry run may take API Gateway's 29 seconds.
TIMEOUT = (10, 60)
RETRIES, BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 4, 0.5, 30
RETRIED_STATUSES = (429, 500, 502, 503, 504)
# The end of an error's message when the service found more problems than it lists.
MORE_PROBLEMS = re.compile(r"… and [0-9,]+ more problems$")
BAD_INPUT_STATUSES = frozenset({400, 404, 409, 413})
FORBIDDEN, TOO_MANY_REQUESTS, OK = 403, 429, 200
# S3 answers a form with 204 unless the form asks for another status (S3 API Reference, "POST Object").
STORED = frozenset({200, 201, 204})
STATUS_LISTS = ("failedUrl", "inProgressUrl", "successUrl", "failures")
# URLs per response where a command reads only the counts and the first failures.
STATUS_PAGE_LIMIT = 1000


class Client:
    """Call the API at `url` with its key.

    GETs are retried on connection errors, 429 and 5xx. A POST is retried only with an Idempotency-Key: without one, a
    lost response may hide a run that was started.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url, self._key = url, key
        self._single_try, self._retrying = self._session(0), self._session(RETRIES)

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

    def page_of(self, run: str) -> str:
        """Return the address of a run's page in the dashboard."""
        return f"{self.url}/#/run/{quote(run.rpartition(':')[2], safe='')}"

    def create_upload(self, name: str, sha256: str) -> dict[str, Any]:
        """POST /uploads: {"url", "fields", "address", …}, a form for one object with this content."""
        body = {"name": name, "sha256": sha256}
        return self._call("POST", "/uploads", response_checks.missing_in_upload, body=body)

    def store(self, form: dict[str, Any], name: str, body: bytes) -> None:
        """Store an object with a form, without sending the API key; repeating it has no further effect.

        Raises:
            CommandFailed: there is no response, or S3 refuses the object.

        """
        import requests  # noqa: PLC0415 - see _session

        session = self._session(RETRIES, form["url"])
        del session.headers["x-api-key"]
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
        import requests  # noqa: PLC0415 - see _session

        session = self._session(RETRIES, url)
        del session.headers["x-api-key"]
        try:
            response = session.get(url, timeout=TIMEOUT, stream=True)
        except requests.RequestException as error:
            raise CommandFailed(f"cannot download the report: {connection_reason(error)}", Code.SERVICE) from error
        if response.status_code != OK:
            raise CommandFailed(f"cannot download the report: S3 returned {response.status_code}", Code.SERVICE)
        return response

    def _session(self, retries: int, url: str | None = None) -> requests.Session:
        # Imported here, so that `prewarm --help` starts fast.
        import requests  # noqa: PLC0415
        from requests.adapters import HTTPAdapter  # noqa: PLC0415
        from urllib3 import Retry  # noqa: PLC0415

        session = requests.Session()
        session.headers.update({"x-api-key": self._key, "User-Agent": f"prewarm/{__version__}"})
        # Connections to this machine bypass the proxy that the environment names.
        session.trust_env = not (urlsplit(url or self.url).hostname or "").startswith(("127.", "localhost", "::1"))
        retry = Retry(
            total=retries,
            backoff_factor=BACKOFF_SECONDS,
            backoff_jitter=BACKOFF_SECONDS / 2,
            backoff_max=MAX_BACKOFF_SECONDS,
            retry_after_max=MAX_BACKOFF_SECONDS,
            status_forcelist=RETRIED_STATUSES if retries else (),
            allowed_methods=None,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        return session

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
        """Return the document of a route's 200, checked with `missing_field`; raise CommandFailed without a 200."""
        import requests  # noqa: PLC0415 - see _session

        session = self._retrying if method == "GET" or key is not None else self._single_try
        headers = {} if key is None else {"Idempotency-Key": key}
        try:
            # Redirects are not followed: they would send the API key to another host.
            response = session.request(
                method,
                self.url + path,
                params=query,
                json=body,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise CommandFailed(f"cannot reach {self.url}: {connection_reason(error)}", Code.SERVICE) from error
        try:
            document = response.json()
        except ValueError:
            document = None
        if response.status_code == OK and isinstance(document, dict):
            return response_checks.check_response(document, missing_field, f"{method} {path}", self.url)
        raise _error_response(self.url, response.status_code, document)


class RequestRefused(CommandFailed):
    """An error response that lists problems, each with its field: `renamed` puts them into other words."""

    def __init__(self, details: list[dict[str, Any]], message: str, code: Code, document: dict[str, Any]) -> None:
        self.details = details
        found = MORE_PROBLEMS.search(message)
        self._more = found[0] if found else ""
        super().__init__(self.text(problem_texts(details, None)), code, document)

    def text(self, problems: list[str]) -> str:
        """Return the problems as one message: one line each, since each needs its own fix."""
        if len(problems) == 1 and not self._more:
            return problems[0]
        more = f"\n  {self._more}" if self._more else ""
        return "the request has several problems:" + "".join(f"\n  {each}" for each in problems) + more

    def renamed(self, request: UserRequest) -> CommandFailed:
        """Return the same failure with the places where the user wrote the values."""
        return CommandFailed(self.text(problem_texts(self.details, request)), self.code, self.document)


def _error_response(url: str, status: int, document: object) -> CommandFailed:
    """Return the error for a response other than a 200 with a JSON object."""
    body = document.get("error") if isinstance(document, dict) else None
    error = body if isinstance(body, dict) else {}
    problem = "a body that is not JSON" if document is None else "JSON that is not an object" if status == OK else ""
    message = str(error.get("message") or f"{url} returned {status}" + (problem and f" with {problem}"))
    code = Code.BAD_INPUT if status in BAD_INPUT_STATUSES else Code.SERVICE
    listed = error.get("details")
    details = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    if details:
        return RequestRefused(details, message, code, {"error": error})
    if status == FORBIDDEN:
        message += f"; check the API key and the address {url}, which must end with the API's stage"
    if status == TOO_MANY_REQUESTS:
        message += "; rate limit exceeded; try again later"
    return CommandFailed(message, code, {"error": error} if error else None)


def new_idempotency_key() -> str:
    """Return a random Idempotency-Key that starts with the time, as run names do, so that its run is easy to find."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex}"
