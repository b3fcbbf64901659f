"""The API's client: one method a route, retries where they can do no harm, and errors as exit codes."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from prewarm import __version__
from prewarm_cli import response_checks
from prewarm_cli.errors import Code, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

# A dry run may take API Gateway's 29 seconds.
TIMEOUT = (10, 60)
RETRIES, BACKOFF_SECONDS, LONGEST_PAUSE_SECONDS = 4, 0.5, 30
WORTH_A_RETRY = (429, 500, 502, 503, 504)
CALLERS_FAULT = frozenset({400, 404, 409, 413})
FORBIDDEN, TOO_MANY, OK = 403, 429, 200
LISTS = ("failedUrl", "inProgressUrl", "successUrl", "failures")
# URLs of one response where only the counts and the first failures are looked at.
GLANCE = 1000


class Client:
    """Calls the API at `url` with its key.

    GETs are retried on connection errors, 429 and 5xx, a POST /prewarm only with an Idempotency-Key: without one, an
    response that got lost may hide a run that was started.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url, self._key = url, key
        self._once, self._again = self._session(0), self._session(RETRIES)

    def start(self, request: dict[str, Any], key: str | None) -> dict[str, Any]:
        """POST /prewarm: {"requestID": …}, or {"dryRun": …} of a dry run; `key`: the Idempotency-Key."""
        return self._call("POST", "/prewarm", response_checks.started, body=request, key=key)

    def status(self, run: str, limit: int | None = None, token: str | None = None) -> dict[str, Any]:
        """GET /status: one response, whole or the page that `limit` and `token` ask for."""
        query = {"requestID": run, "limit": limit, "nextToken": token}
        return self._call("GET", "/status", response_checks.status_of, query)

    def whole_status(self, run: str) -> dict[str, Any]:
        """Return a status with all of its lists, however many answers they take."""
        while True:
            first = page = self.status(run)
            if "nextToken" not in first:
                return first
            whole = {name: list(first[name]) for name in LISTS if name in first}
            while token := page.get("nextToken"):
                page = self.status(run, token=token)
                for name, found in whole.items():
                    found.extend(page.get(name, []))
            # A run that ended between two pages has URLs in other lists now: read it anew.
            if page["status"] != first["status"]:
                continue
            # One that went on has moved since the first page: what is counted is what is listed.
            inside = len(whole["inProgressUrl"])
            counts = {"inProgress": inside, "completed": page["total"] - inside}
            return {name: value for name, value in page.items() if name != "nextToken"} | counts | whole

    def cancel(self, run: str) -> dict[str, Any]:
        """DELETE /prewarm: the status of the cancelled run."""
        return self._call("DELETE", "/prewarm", response_checks.status_of, {"requestID": run})

    def retry(self, run: str) -> dict[str, Any]:
        """POST /retry: {"requestID": …, "retryOf": …, "urls": n}."""
        return self._call("POST", "/retry", response_checks.retried, {"requestID": run}, key=new_key())

    def runs(self, status: str | None, limit: int, token: str | None) -> dict[str, Any]:
        """GET /runs: {"runs": […], "nextToken"?}."""
        query = {"status": status, "limit": limit, "nextToken": token}
        return self._call("GET", "/runs", response_checks.listed, query)

    def report(self, run: str, form: str) -> dict[str, Any]:
        """GET /report: {"requestID", "format", "url", "expiresInSeconds"}."""
        return self._call("GET", "/report", response_checks.reported, {"requestID": run, "format": form})

    def download(self, url: str) -> requests.Response:
        """Open what a presigned URL leads to, to be read as a stream; the API key stays here.

        Raises:
            CommandFailed: there is no 200.

        """
        import requests  # noqa: PLC0415 - see _session

        bare = self._session(RETRIES, url)
        del bare.headers["x-api-key"]
        try:
            response = bare.get(url, timeout=TIMEOUT, stream=True)
        except requests.RequestException as error:
            raise CommandFailed(f"cannot fetch the report: {_reason(error)}", Code.SERVICE) from error
        if response.status_code != OK:
            raise CommandFailed(f"cannot fetch the report: its store answered {response.status_code}", Code.SERVICE)
        return response

    def _session(self, retries: int, url: str | None = None) -> requests.Session:
        # Imported here: `prewarm --help` need not wait for it.
        import requests  # noqa: PLC0415
        from requests.adapters import HTTPAdapter  # noqa: PLC0415
        from urllib3 import Retry  # noqa: PLC0415

        session = requests.Session()
        session.headers.update({"x-api-key": self._key, "User-Agent": f"prewarm/{__version__}"})
        # A proxy has no business between a process and its own machine.
        session.trust_env = not (urlsplit(url or self.url).hostname or "").startswith(("127.", "localhost", "::1"))
        patient = Retry(
            total=retries,
            backoff_factor=BACKOFF_SECONDS,
            backoff_jitter=BACKOFF_SECONDS / 2,
            backoff_max=LONGEST_PAUSE_SECONDS,
            retry_after_max=LONGEST_PAUSE_SECONDS,
            status_forcelist=WORTH_A_RETRY if retries else (),
            allowed_methods=None,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=patient))
        return session

    def _call(
        self,
        method: str,
        path: str,
        lacking: Callable[[dict[str, Any]], str],
        query: dict[str, Any] | None = None,
        *,
        body: dict[str, Any] | None = None,
        key: str | None = None,
    ) -> dict[str, Any]:
        """Call a route; returns the document of its 200, of which `lacking` says what it lacks.

        Raises:
            CommandFailed: any other response, or none.

        """
        import requests  # noqa: PLC0415 - see _session

        session = self._again if method == "GET" or key is not None else self._once
        headers = {} if key is None else {"Idempotency-Key": key}
        try:
            # Redirects are not followed: the key would go along to wherever they lead.
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
            raise CommandFailed(f"cannot reach {self.url}: {_reason(error)}", Code.SERVICE) from error
        try:
            document = response.json()
        except ValueError:
            document = None
        if response.status_code == OK and isinstance(document, dict):
            return response_checks.checked(document, lacking, f"{method} {path}", self.url)
        raise _refusal(self.url, response.status_code, document)


def _refusal(url: str, status: int, document: object) -> CommandFailed:
    """Return what a response other than a 200 with a document means for the caller."""
    error = document.get("error") if isinstance(document, dict) else None
    told = error if isinstance(error, dict) else {}
    odd = "no JSON" if document is None else "not as this service does" if status == OK else ""
    words = str(told.get("message") or f"{url} answered {status}" + (odd and f" and {odd}"))
    listed = told.get("details")
    details = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    if len(details) > 1:
        # One line each: they are to be fixed one by one.
        words = f"{len(details)} problems:" + "".join(f"\n  {_problem(entry)}" for entry in details)
    if status == FORBIDDEN:
        words += f"; are key and address right? The address is {url}, and ends in the API's stage"
    if status == TOO_MANY:
        words += "; the API asks for patience: try again later"
    code = Code.BAD_INPUT if status in CALLERS_FAULT else Code.SERVICE
    return CommandFailed(words, code, {"error": told} if told else None)


def _problem(entry: dict[str, Any]) -> str:
    near = " or ".join(entry.get("near") or [])
    where = f"{entry['field']}: " if entry.get("field") else ""
    return f"{where}{entry.get('message', '')}" + (f"; did you mean {near}?" if near else "")


def _reason(error: Exception) -> str:
    """Return why there was no response, without the layers around it."""
    inner: Any = error.args[0] if error.args else error
    return str(getattr(inner, "reason", None) or inner).rpartition(">: ")[2] or type(error).__name__


def new_key() -> str:
    """Return an Idempotency-Key that begins as a run's name does, so that its run can be found by eye."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex}"
