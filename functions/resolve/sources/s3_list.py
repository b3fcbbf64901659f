"""Lists of URLs in S3: text, CSV or JSON, optionally gzip."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from prewarm.errors import InvalidRequest, Problem, truncate
from prewarm.request.url_parser import parse_url
from prewarm.request.url_sources import URLS_AT_MOST, s3_address
from prewarm.settings import Settings
from prewarm.storage.run_store import Storage
from prewarm.urls import Url, redacted
from resolve.sources.decode import decompressed

# A million URLs of 250 bytes.
LIST_BYTES = 256 * 1024 * 1024
# The prefix for lists in the service's own bucket; the other objects in it belong to runs.
OWN_LISTS = "lists/"
# The bytes at a list's beginning that decide whether it is JSON.
PEEK = 256
# Reading stops after this many bad lines.
PROBLEMS_AT_MOST = 10_000


def read_list(source: str, address: str, settings: Settings, store: Storage) -> list[Url]:
    """Return the URLs of one list in order.

    Raises:
        InvalidRequest: the list may not be read, does not exist, is too large, or a line is not a valid URL; the
            message names `source`.

    """
    bucket, key = s3_address(address)
    if not (bucket == settings.bucket and key.startswith(OWN_LISTS)) and bucket not in settings.url_list_buckets:
        others = f" or {', '.join(settings.url_list_buckets)}" if settings.url_list_buckets else ""
        fix = f"upload it to s3://{settings.bucket}/{OWN_LISTS}{others}"
        raise InvalidRequest([Problem(source, f"{truncate(address)!r} may not be read as a URL list; {fix}")])
    try:
        body = store.get_list(bucket, key, LIST_BYTES)
        lines = _lines(decompressed(body, LIST_BYTES), key)
        return _parsed(source, lines)
    except UnicodeDecodeError as error:
        raise InvalidRequest([Problem(source, f"{truncate(address)!r} is not UTF-8: {error}")]) from error
    except ValueError as error:
        raise InvalidRequest([Problem(source, f"{truncate(address)!r} {error}")]) from error


def _parsed(source: str, lines: Iterable[tuple[int, str]]) -> list[Url]:
    urls: list[Url] = []
    problems: list[Problem] = []
    for number, text in lines:
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


def _lines(body: bytes, key: str) -> Iterator[tuple[int, str]]:
    """Yield each URL with its line (in JSON its position), counted from 1; raises ValueError."""
    if body[:PEEK].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"[", b"{"}:
        yield from _json(body)
        return
    text = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", newline="")
    if key.lower().removesuffix(".gz").endswith(".csv"):
        yield from _csv(text)
    else:
        for number, line in enumerate(text, start=1):
            if (bare := line.strip()) and not bare.startswith("#"):
                yield number, bare


def _json(body: bytes) -> Iterator[tuple[int, str]]:
    try:
        document = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON: {error}") from error
    listed = document.get("url_list") if isinstance(document, dict) else document
    if not isinstance(listed, list) or not all(isinstance(url, str) for url in listed):
        raise ValueError('is not a JSON list of URLs such as ["https://…"] or {"url_list": ["https://…"]}')
    yield from enumerate(listed, start=1)


def _csv(text: io.TextIOWrapper) -> Iterator[tuple[int, str]]:
    """Yield the column with the header `url`, else the first column."""
    rows = csv.reader(text)
    column = None
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if column is None:
                names = [cell.strip().lower() for cell in row]
                column = names.index("url") if "url" in names else 0
                if "url" in names:
                    continue
            yield rows.line_num, row[column].strip() if column < len(row) else ""
    except csv.Error as error:
        raise ValueError(f"is not CSV: line {rows.line_num}: {error}") from error
