"""Download a run's report."""

from pathlib import Path
from typing import IO, Any

from prewarm_cli.api_client import Client
from prewarm_cli.errors import Code, CommandFailed, print_stderr
from prewarm_cli.failure_reasons import connection_reason, file_reason
from prewarm_cli.output.files import output_file

CHUNK_BYTES = 1 << 16
FORMATS = ("html", "json", "csv")


def save_report(client: Client, link: dict[str, Any], output: Path) -> int:
    """Write the report that GET /report links to into a file, and return its size in bytes.

    A regular file is replaced once the report is whole; see `output_file`.

    Raises:
        CommandFailed: the report cannot be downloaded, or the file cannot be written.

    """
    try:
        with output_file(output) as file:
            size = copy_report(client, link, file)
    except OSError as error:
        raise CommandFailed(f"{output}: {file_reason(error)}") from error
    print_stderr(f"wrote {output} ({size:,} bytes)")
    return size


def copy_report(client: Client, link: dict[str, Any], file: IO[bytes]) -> int:
    """Copy the report that GET /report links to into an open file, and return its size in bytes."""
    import requests  # noqa: PLC0415 - so that `prewarm --help` starts fast

    size = 0
    with client.download(str(link.get("url"))) as response:
        try:
            for chunk in response.iter_content(CHUNK_BYTES):
                file.write(chunk)
                size += len(chunk)
        except requests.RequestException as error:
            message = f"the download of the report was interrupted: {connection_reason(error)}"
            raise CommandFailed(message, Code.SERVICE) from error
    file.flush()
    return size
