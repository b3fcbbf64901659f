"""Read the parts of a request: files of URLs, a request's JSON, sources and headers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from prewarm.request.url_list import read_url_list
from prewarm.unpacking import unpacked
from prewarm_cli.errors import CommandFailed, print_stderr

STDIN = Path("-")


def read_urls(path: Path) -> list[str]:
    """Return the URLs of a file, in any format that the service reads from S3 (prewarm.request.url_list).

    Raises:
        CommandFailed: the file cannot be read, is not in its format, or has a name that git has quoted.

    """
    try:
        listed = list(read_url_list(b"".join(unpacked(_read_bytes(path))), path.name))
    except ValueError as error:
        raise CommandFailed(f"{path}: {error}") from error
    for number, url in listed:
        if url.startswith('"'):
            raise CommandFailed(f"{path} line {number}: {url} is quoted, as git does; use git diff -z and sed -z")
    fragments = [(number, url) for number, url in listed if "#" in url]
    if fragments:
        number, url = fragments[0]
        print_stderr(
            f"{path} line {number}: {url} has a # ({len(fragments)} such lines): what follows it is not sent to the "
            "edge; write %23 if it belongs to the name"
        )
    return [url for _, url in listed]


def _read_bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path}: {error}") from error


def _read(path: Path) -> str:
    try:
        # Editors on Windows start files with a byte order mark, which is not part of the JSON.
        return (sys.stdin.read() if path == STDIN else path.read_text(encoding="utf-8")).removeprefix("\ufeff")
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{path}: {error}") from error


def read_request(path: Path) -> dict[str, Any]:
    """Return the request in a file.

    Raises:
        CommandFailed: the file cannot be read or is not a JSON object.

    """
    try:
        document = json.loads(_read(path))
    except ValueError as error:
        raise CommandFailed(f"{path} is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise CommandFailed(f"{path} must be a JSON object with url_list, region_type and region")
    return document


def parse_source(text: str, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a URL source: an address unchanged, or the parsed object of a JSON text.

    Raises:
        CommandFailed: the text starts like a JSON object and is not valid JSON.

    """
    if not text.lstrip().startswith("{"):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandFailed(f"--{name} {text}: not valid JSON: {error}") from error


def merge_headers(filed: object, options: list[str]) -> dict[str, str]:
    """Return a file's headers, where each --header replaces one of the same name in any case.

    Raises:
        CommandFailed: an option is not NAME:VALUE.

    """
    headers = dict(filed) if isinstance(filed, dict) else {}
    for text in options:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise CommandFailed(f"--header {text}: must have the form NAME:VALUE")
        headers = {old: kept for old, kept in headers.items() if old.lower() != name.strip().lower()}
        headers[name.strip()] = value.strip()
    return headers
