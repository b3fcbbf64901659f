"""Lists of URLs in S3, optionally gzip; prewarm.request.url_list has their formats."""

import hashlib
import re
from collections.abc import Iterable

from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.url_list import read_url_list
from prewarm.request.url_parser import parse_url
from prewarm.request.url_sources import LIST_BYTES, OWN_LISTS, UPLOADS, URLS_AT_MOST, s3_address
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from prewarm.urls import Url, redacted
from resolve.sources.budget import Budget
from resolve.sources.decode import decompressed

# Where an upload's key says which content it has.
BY_CONTENT = re.compile(rf"{UPLOADS}(?P<sha256>[0-9a-f]{{64}})/", re.ASCII)
# Reading stops after this many bad lines.
PROBLEMS_AT_MOST = 10_000


def read_list(source: str, address: str, settings: Settings, store: Storage, budget: Budget) -> list[Url]:
    """Return the URLs of one list in order; the list is the user's own, so a bad line refuses it.

    Raises:
        InvalidRequest: the list may not be read, does not exist, is too large, or a line is not a valid URL; the
            message names `source`.

    """
    try:
        body = decompressed(read_object(address, settings, store, LIST_BYTES, "a URL list"), LIST_BYTES)
        budget.add_bytes(len(body))
        return _parsed(source, read_url_list(body, s3_address(address)[1]), budget)
    except ValueError as error:
        raise InvalidRequest([Problem(source, f"{truncate(address)!r} {error}")]) from error


def read_object(address: str, settings: Settings, store: Storage, most_bytes: int, what: str) -> bytes:
    """Return an object that a request names, from the places that the operator allows.

    Raises:
        ValueError: it may not be read as `what`, does not exist, or is too large; the message continues a sentence
            that begins with the address.

    """
    bucket, key = s3_address(address)
    if (
        not (bucket == settings.bucket and key.startswith((OWN_LISTS, UPLOADS)))
        and bucket not in settings.url_list_buckets
    ):
        others = f" or {', '.join(settings.url_list_buckets)}" if settings.url_list_buckets else ""
        raise ValueError(f"may not be read as {what}; upload it to s3://{settings.bucket}/{OWN_LISTS}{others}")
    body = store.get_list(bucket, key, most_bytes)
    _check_content(body, key if bucket == settings.bucket else "")
    return body


def _check_content(body: bytes, key: str) -> None:
    """Check that an upload has the content that its key names; another caller could have replaced it.

    Raises:
        ValueError: it has another one.

    """
    named = BY_CONTENT.match(key)
    if named and hashlib.sha256(body).hexdigest() != named["sha256"]:
        raise ValueError("does not match the announced sha256; upload it again")


def _parsed(source: str, lines: Iterable[tuple[int, str]], budget: Budget) -> list[Url]:
    urls: list[Url] = []
    problems: list[Problem] = []
    for number, text in lines:
        budget.add_entry()
        try:
            urls.append(parse_url(text))
        except ValueError as error:
            problems.append(Problem(f"{source} line {number}", f"{truncate(redacted(text))!r} {error}"))
        if len(urls) > URLS_AT_MOST:
            raise ValueError(f"lists more than {URLS_AT_MOST:,} URLs; split it over several runs")
        if len(problems) >= PROBLEMS_AT_MOST:
            break
    if problems:
        raise InvalidRequest(problems)
    return urls
