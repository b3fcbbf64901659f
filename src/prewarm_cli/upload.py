"""Upload a list of URLs that is too long for a request, so that you do not have to store it in S3 yourself."""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

from prewarm.request.bounds import MAX_BODY_BYTES, MAX_BODY_URLS, MAX_CHARACTERS
from prewarm.unpacking import GZIP_MAGIC
from prewarm_cli.errors import CommandFailed, print_stderr
from prewarm_cli.options.user_request import UserRequest

if TYPE_CHECKING:
    from prewarm_cli.api_client import Client

# Its content is JSON lines, in which any URL can be written.
NAME = "urls.jsonl.gz"
TARGETS_NAME = "targets.csv.gz"
# The fastest level makes a list a tenth as long; the same list always gives the same bytes.
LEVEL = 1


def with_uploaded_list(client: Client, request: dict[str, Any]) -> dict[str, Any]:
    """Return a request whose targets are uploaded, and whose `url_list` is if the body would be too large.

    They are then named in `targets_s3` and `url_list_s3`.

    The address follows from the content, so a repeated request with the same Idempotency-Key is the same request.

    Raises:
        CommandFailed: the list cannot be uploaded, or has a text that is too long for a URL.

    """
    request = _with_uploaded_targets(client, request)
    urls = request.get("url_list")
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        return request
    if len(urls) <= MAX_BODY_URLS and len(json.dumps(request)) <= MAX_BODY_BYTES:
        return request
    _check_lengths(request, urls)
    lines = "".join(json.dumps({"url": url}) + "\n" for url in urls)
    address = _uploaded(client, NAME, f"{len(urls):,} URLs", gzip.compress(lines.encode(), LEVEL, mtime=0))
    others = request.get("url_list_s3") or []
    lists = [others] if isinstance(others, str) else others
    # A copy of the same class, which knows the options and files of its other fields.
    changed = copy.copy(request)
    del changed["url_list"]
    changed["url_list_s3"] = [*lists, address]
    return changed


def _check_lengths(request: dict[str, Any], urls: list[str]) -> None:
    """Refuse a text that is much longer than any URL, before it is sent: a file may be one line of 30 MB."""
    for index, url in enumerate(urls):
        if len(url) > MAX_CHARACTERS:
            field = f"url_list[{index}]"
            place = request.place_of(field) if isinstance(request, UserRequest) else field
            raise CommandFailed(f"{place}: has {len(url):,} characters, too many for a URL; write one URL per line")


def _with_uploaded_targets(client: Client, request: dict[str, Any]) -> dict[str, Any]:
    """Return a request whose CSV of targets (UserRequest.targets) is uploaded."""
    body = getattr(request, "targets", b"")
    if not body:
        return request
    if not body.startswith(GZIP_MAGIC):
        body = gzip.compress(body, LEVEL, mtime=0)
    changed = copy.copy(request)
    changed["targets_s3"] = _uploaded(client, TARGETS_NAME, "targets", body)
    changed.targets = b""  # type: ignore[attr-defined]
    return changed


def _uploaded(client: Client, name: str, what: str, body: bytes) -> str:
    """Return the address at which a list is stored; it follows from the content."""
    form = client.create_upload(name, hashlib.sha256(body).hexdigest())
    client.store(form, name, body)
    print_stderr(f"uploaded {what} ({len(body):,} bytes) to {form['address']}")
    return str(form["address"])
