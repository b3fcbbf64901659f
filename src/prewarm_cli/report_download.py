"""Download a run's report."""

import os
from pathlib import Path
from typing import Any, BinaryIO

from prewarm_cli.api_client import Client
from prewarm_cli.errors import Code, CommandFailed, tell

CHUNK = 1 << 16
FORMATS = ("html", "json", "csv")


def save(client: Client, told: dict[str, Any], output: Path) -> int:
    """Write what GET /report told of to a file, whole or not at all; returns its length.

    Raises:
        CommandFailed: the report cannot be fetched, or the file cannot be written.

    """
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            size = copy_report(client, told, file)
        beside.replace(output)
    except OSError as error:
        raise CommandFailed(f"{output}: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)
    tell(f"written: {output} ({size:,} bytes)")
    return size


def copy_report(client: Client, told: dict[str, Any], file: BinaryIO) -> int:
    """Copy a report from its store; returns its length."""
    import requests  # noqa: PLC0415 - `prewarm --help` need not wait for it

    size = 0
    with client.download(str(told.get("url"))) as response:
        try:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                size += len(chunk)
        except requests.RequestException as error:
            raise CommandFailed(f"the report broke off: {error}", Code.SERVICE) from error
    file.flush()
    return size
