"""What a command reads to make a request: files of URLs, a request's JSON, sources and headers."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from prewarm_cli.errors import CommandFailed

COMMENT = re.compile(r"(?:^|\s)#.*")
STDIN = Path("-")


def read_urls(path: Path) -> list[str]:
    """Return the URLs of a file, one a line; what follows a # at a line's start or after a space is a comment.

    Raises:
        CommandFailed: it cannot be read.

    """
    # A # within a URL begins its fragment and stays.
    lines = (COMMENT.sub("", line).strip() for line in _read(path).splitlines())
    return [line for line in lines if line]


def _read(path: Path) -> str:
    try:
        # Editors on Windows begin files with a mark that is no part of the first URL.
        return (sys.stdin.read() if path == STDIN else path.read_text(encoding="utf-8")).removeprefix("\ufeff")
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{path}: {error}") from error


def read_request(path: Path) -> dict[str, Any]:
    """Return the request that a file holds.

    Raises:
        CommandFailed: it cannot be read, or is no JSON object.

    """
    try:
        document = json.loads(_read(path))
    except ValueError as error:
        raise CommandFailed(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise CommandFailed(f"{path} must be a JSON object with url_list, region_type and region")
    return document


def source(text: str, name: str) -> Any:  # noqa: ANN401 - JSON is what it is
    """Return a source: an address as it is, or the object that a JSON text stands for.

    Raises:
        CommandFailed: it begins as JSON and is none.

    """
    if not text.lstrip().startswith("{"):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandFailed(f"--{name} {text}: is no JSON: {error}") from error


def headers_of(filed: object, given: list[str]) -> dict[str, str]:
    """Return a file's headers with those given in place of ones of the same name, whatever its case.

    Raises:
        CommandFailed: one given is not NAME:VALUE.

    """
    headers = dict(filed) if isinstance(filed, dict) else {}
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise CommandFailed(f"--header {text}: write NAME:VALUE")
        headers = {old: kept for old, kept in headers.items() if old.lower() != name.strip().lower()}
        headers[name.strip()] = value.strip()
    return headers
