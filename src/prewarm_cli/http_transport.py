"""The API over HTTPS, with its key; and sessions without the key for the links that the API signs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from prewarm import __version__
from prewarm_cli import transport
from prewarm_cli.errors import Code, CommandFailed
from prewarm_cli.failure_reasons import connection_reason
from prewarm_cli.transport import Call, Reply

if TYPE_CHECKING:
    import requests


class HttpTransport:
    """Calls the API at `url` with its key."""

    def __init__(self, url: str, key: str) -> None:
        self.name = url
        self.forbidden_hint = f"check the API key and the address {url}, which must end with the API's stage"
        self._single_try, self._retrying = new_session(url, 0), new_session(url)
        for session in (self._single_try, self._retrying):
            session.headers["x-api-key"] = key

    def send(self, call: Call) -> Reply:
        """Return the response to a call.

        Raises:
            CommandFailed: there is none.

        """
        import requests  # noqa: PLC0415 - see new_session

        session = self._retrying if call.repeatable else self._single_try
        headers = {} if call.key is None else {"Idempotency-Key": call.key}
        try:
            # Redirects are not followed: they would send the API key to another host.
            response = session.request(
                call.method,
                self.name + call.path,
                params=call.query,
                json=call.body,
                headers=headers,
                timeout=transport.TIMEOUT,
                allow_redirects=False,
            )
        except requests.exceptions.InvalidJSONError as error:
            raise CommandFailed("a number in the request is not finite, which JSON does not have") from error
        except requests.RequestException as error:
            raise CommandFailed(f"cannot reach {self.name}: {connection_reason(error)}", Code.SERVICE) from error
        try:
            return Reply(response.status_code, response.json())
        except ValueError:
            return Reply(response.status_code, None)


def new_session(url: str, retries: int | None = None) -> requests.Session:
    """Return a session for calls to `url` that tries again after connection errors, 429 and 5xx."""
    # Imported here, so that `prewarm --help` starts fast.
    import requests  # noqa: PLC0415
    from requests.adapters import HTTPAdapter  # noqa: PLC0415
    from urllib3 import Retry  # noqa: PLC0415

    retries = transport.RETRIES if retries is None else retries
    session = requests.Session()
    session.headers.update({"User-Agent": f"prewarm/{__version__}"})
    # Connections to this machine bypass the proxy that the environment names.
    session.trust_env = not (urlsplit(url).hostname or "").startswith(("127.", "localhost", "::1"))
    retry = Retry(
        total=retries,
        backoff_factor=transport.BACKOFF_SECONDS,
        backoff_jitter=transport.BACKOFF_SECONDS / 2,
        backoff_max=transport.MAX_BACKOFF_SECONDS,
        retry_after_max=transport.MAX_BACKOFF_SECONDS,
        status_forcelist=transport.RETRIED_STATUSES if retries else (),
        allowed_methods=None,
        raise_on_status=False,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session
