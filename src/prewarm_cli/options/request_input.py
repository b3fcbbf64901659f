"""Read the parts of a request: files of URLs, a request's JSON, sources and headers."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, TextIO

from prewarm.errors import truncate
from prewarm.json_text import read_json
from prewarm.unpacking import unpacked
from prewarm_cli.errors import CommandFailed, print_stderr
from prewarm_cli.failure_reasons import file_reason

STDIN = Path("-")


def read_urls(path: Path) -> list[str]:
    """Return the URLs of a file; see `read_numbered_urls`."""
    return [url for _, url in read_numbered_urls(path)]


def read_numbered_urls(path: Path) -> list[tuple[int, str]]:
    """Return the URLs of a file with their lines, in any format that the service reads from S3.

    The formats are those of prewarm.request.url_list.

    Raises:
        CommandFailed: the file cannot be read, is not in its format, or has a name that git has quoted.

    """
    shown = name_of(path)
    # Imported here, so that `prewarm --help` starts fast.
    from prewarm.request.url_list import read_url_list  # noqa: PLC0415

    try:
        listed = list(read_url_list(b"".join(unpacked(_read_bytes(path, "--file"))), path.name))
    except ValueError as error:
        raise CommandFailed(f"--file {shown}: {file_reason(error)}") from error
    for number, url in listed:
        if url.startswith('"'):
            raise CommandFailed(f"{shown} line {number}: {url} is quoted, as git does; use git diff -z and sed -z")
    fragments = [(number, url) for number, url in listed if "#" in url]
    if fragments:
        number, url = fragments[0]
        print_stderr(
            f"{shown} line {number}: {url} has a # ({len(fragments)} such lines): what follows it is not sent to the "
            "edge; write %23 if it belongs to the name"
        )
    return listed


def read_targets(path: Path) -> bytes:
    """Return the bytes of a CSV of targets, after checking its lines.

    Raises:
        CommandFailed: it cannot be read or is damaged; the message names line and column. A stream has to end with
            its #end line: otherwise the command that wrote it may have failed.

    """
    # Imported here, so that `prewarm --help` starts fast.
    from prewarm.request.url_list import decoded  # noqa: PLC0415
    from prewarm.targets_reader import TargetsReader  # noqa: PLC0415

    body = _read_bytes(path, "--targets")
    try:
        text = io.StringIO(decoded(b"".join(unpacked(body)), "utf-8-sig"), newline="")
        reader = TargetsReader(text, needs_end=path == STDIN)
        for line, pair in reader:
            if not pair.url.lower().startswith(("http://", "https://")):
                raise ValueError(f"line {line}: {pair.url[:200]!r} is not an http or https URL")  # noqa: TRY301
        if not reader.pairs:
            raise ValueError("contains no targets")  # noqa: TRY301
    except ValueError as error:
        raise CommandFailed(f"--targets {name_of(path)}: {file_reason(error)}") from error
    return body


def name_of(path: Path) -> str:
    """Return a file's name as messages show it."""
    return "stdin" if path == STDIN else str(path)


def stdin_of(option: str) -> TextIO:
    """Return stdin.

    Raises:
        CommandFailed: it is closed; the message names the option that reads it.

    """
    # None if it was closed when Python started, unlike typeshed's type.
    stdin: TextIO | None = sys.stdin
    if stdin is None:
        raise CommandFailed(f"{option}: stdin is closed; pipe the input to the command")
    return stdin


def _read_bytes(path: Path, option: str) -> bytes:
    try:
        return stdin_of(option).buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{option} {name_of(path)}: {file_reason(error)}") from error


def read_request(path: Path) -> tuple[dict[str, Any], str]:
    """Return the request in a file, and the file's text.

    Raises:
        CommandFailed: the file cannot be read or is not a JSON object.

    """
    shown = f"--request {name_of(path)}"
    try:
        # Editors on Windows start files with a byte order mark, which is not part of the JSON.
        text = _read_bytes(path, "--request").decode("utf-8").removeprefix("\ufeff")
        document = read_json(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise CommandFailed(f"{shown} {where}: not valid JSON: {_json_reason(error)}") from error
    except ValueError as error:
        raise CommandFailed(f"{shown}: {file_reason(error)}") from error
    if not isinstance(document, dict):
        raise CommandFailed(f"{shown}: must be a JSON object with url_list, region_type and region")
    return document, text


def _json_reason(error: json.JSONDecodeError) -> str:
    return error.msg[:1].lower() + error.msg[1:]


def parse_source(text: str, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a URL source: an address unchanged, or the parsed object of a JSON text.

    Raises:
        CommandFailed: the text starts like a JSON object and is not valid JSON, or has a name twice.

    """
    if not text.lstrip().startswith("{"):
        return text
    shown = f"--{name} {truncate(text)}"
    try:
        return read_json(text)
    except json.JSONDecodeError as error:
        raise CommandFailed(f"{shown}: not valid JSON at column {error.colno}: {_json_reason(error)}") from error
    except ValueError as error:
        raise CommandFailed(f"{shown}: {error}") from error


def merge_headers(filed: dict[str, str] | None, options: list[str]) -> dict[str, str]:
    """Return a file's headers, where each --header replaces one of the same name in any case.

    Raises:
        CommandFailed: an option is not NAME:VALUE.

    """
    headers = dict(filed or {})
    for text in options:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise CommandFailed(f"--header {text}: must have the form NAME:VALUE")
        headers = {old: kept for old, kept in headers.items() if old.lower() != name.strip().lower()}
        headers[name.strip()] = value.strip()
    return headers
