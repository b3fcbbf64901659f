"""CloudFront's networks for a run: AWS's published list, read at most once a day, else the stored or shipped one."""

import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import certifi
import pycurl

from prewarm.edge_networks import Published, read_published, read_stored, shipped
from prewarm.settings import Settings
from prewarm.storage.knowledge_store import KnowledgeStore

SECONDS_BETWEEN = 86_400
# A check later than this is of a clock that is wrong, and no reason to wait.
CLOCK_SKEW_SECONDS = 3_600
CONNECT_MS, WHOLE_MS = 2_000, 6_000
# AWS's list has about 2 MB.
MOST_BYTES = 16_000_000
OK = 200

Fetch = Callable[[Settings], bytes]


def with_networks(
    settings: Settings, store: KnowledgeStore, fetch: Fetch | None = None, clock: Callable[[], float] = time.time
) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings with CloudFront's networks, and a warning if their refresh failed.

    Networks that are set stay as they are. AWS's list is fetched if the last try, a failed one included, was more
    than a day ago. A failure never stops a run: the stored networks are used, or those that ship.
    """
    if settings.edge_networks:
        return settings, ()
    stored = store.get_networks()
    newest, problem = _newest(stored.content)
    warnings = []
    if problem := stored.problem or problem:
        warnings.append(
            f"the stored list of CloudFront's networks {problem}; the one of {newest.created[:10]} is used"
        )
    if settings.edge_networks_url and _is_due(stored.content, clock()):
        try:
            fetched = read_published(json.loads((fetch or fetch_list)(settings)))
            newest = max(newest, fetched, key=lambda each: each.created)
        except (OSError, ValueError, RecursionError) as error:
            warnings.append(
                f"CloudFront's networks are those of {newest.created[:10]}, since {settings.edge_networks_url} "
                f"{_reason(error)}; set PREWARM_EDGE_NETWORKS_URL to off if this function cannot reach it"
            )
        if failure := store.put_networks({"checked": clock()} | newest.as_json(), stored.version):
            warnings.append(f"CloudFront's networks are not kept: {failure}")
    return replace(settings, edge_networks=newest.networks), tuple(warnings)


def _newest(content: Any) -> tuple[Published, str]:  # noqa: ANN401 - any JSON value
    """Return the newer of the stored and the shipped networks, and why the stored ones cannot be used."""
    if content is None:
        return shipped(), ""
    try:
        return max(shipped(), read_stored(content), key=lambda each: each.created), ""
    except ValueError as error:
        return shipped(), str(error)


def _is_due(content: Any, now: float) -> bool:  # noqa: ANN401 - any JSON value
    checked = content.get("checked") if isinstance(content, dict) else None
    if not isinstance(checked, int | float) or isinstance(checked, bool):
        return True
    return not now - SECONDS_BETWEEN < checked < now + CLOCK_SKEW_SECONDS


def fetch_list(settings: Settings) -> bytes:
    """Return AWS's list: over verified TLS, without redirects or a proxy, in a bounded time and size.

    Raises:
        OSError: it cannot be read.

    """
    body = io.BytesIO()

    def write(chunk: bytes) -> int:
        return body.write(chunk) if body.tell() + len(chunk) <= MOST_BYTES else 0

    curl = pycurl.Curl()
    try:
        for option, value in (
            (pycurl.URL, settings.edge_networks_url),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTPS),
            (pycurl.PROXY, ""),
            (pycurl.CAINFO, settings.ca_bundle or certifi.where()),
            (pycurl.CONNECTTIMEOUT_MS, CONNECT_MS),
            (pycurl.TIMEOUT_MS, WHOLE_MS),
            (pycurl.ACCEPT_ENCODING, "gzip"),
            (pycurl.NOSIGNAL, 1),
            (pycurl.WRITEFUNCTION, write),
        ):
            curl.setopt(option, value)
        curl.perform()
        status = curl.getinfo(pycurl.RESPONSE_CODE)
    except pycurl.error as error:
        raise OSError(str(error.args[-1])) from error
    finally:
        curl.close()
    if status != OK:
        raise OSError(f"the response has status {status}")
    return body.getvalue()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read: {error}"
    return "is not JSON" if isinstance(error, json.JSONDecodeError | RecursionError) else str(error)
