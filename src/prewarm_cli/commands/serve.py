"""`prewarm local`: serve the whole service on this machine, without AWS."""

import errno
import gc
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prewarm_cli.command import command
from prewarm_cli.config import EXPORT_HINT, check_key, export_lines
from prewarm_cli.errors import Code, CommandFailed, print_stderr
from prewarm_cli.failure_reasons import file_reason

if TYPE_CHECKING:
    from prewarm_local.stack.distribution import Distribution

HIGHEST_PORT = 65_535


@command("local")
def local(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=HIGHEST_PORT, help="Port of the API on 127.0.0.1; 0 picks a free one.")
    ] = 0,
    distribution: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DOMAIN=ALIAS,…",
            help="A distribution whose hosts may be warmed, such as d111abc.cloudfront.net=www.example.com. "
            "Repeatable.",
        ),
    ] = None,
    log_dir: Annotated[
        Path | None, typer.Option(help="Write the functions' logs to this folder, one file each, instead of stderr.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="PREWARM_LOCAL_API_KEY", help="The API key; random by default.")
    ] = None,
) -> None:
    """Serve API and dashboard on this machine until Ctrl-C, for the commands that need a service.

    It needs no AWS credentials, and forgets its runs when it ends. `prewarm run` is for a single run.

    When ready, it prints the address, the key and the lines that make the other commands use it (on stderr), and one
    JSON line on stdout: api, apiKey, stateMachineArn, endpoint (for the AWS CLI's --endpoint-url). It warms real
    CloudFront, unless PREWARM_NAMESERVERS, PREWARM_HTTPS_PORT, PREWARM_HTTP_PORT, PREWARM_CA_BUNDLE or
    PREWARM_EDGE_NETWORKS point to another edge.

    Examples:
      prewarm local --distribution d111abc.cloudfront.net=www.example.com --port 8080
    """
    parsed = distributions_of(distribution or [])
    if api_key is not None:
        check_key("--api-key", api_key)
    create_log_dir(log_dir)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    # Imported here: the import takes two seconds, and `prewarm --help` does not need it.
    from prewarm_local.stack.moto_invalidations import refuse_invalidation  # noqa: PLC0415
    from prewarm_local.stack.stack import EmbeddedStack  # noqa: PLC0415

    # The copies of an edge that is not CloudFront are for its operator to delete.
    on_invalidation = None if os.environ.get("PREWARM_NAMESERVERS") else refuse_invalidation
    try:
        stack = EmbeddedStack(
            port=port, distributions=parsed, log_dir=log_dir, api_key=api_key, echo=log_dir is None,
            on_invalidation=on_invalidation,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        if port and isinstance(error, OSError) and error.errno in {errno.EADDRINUSE, errno.EACCES}:
            reason = file_reason(error)
            raise CommandFailed(f"--port {port}: {reason}; pass another port, or 0 for a free one") from error
        raise CommandFailed(
            f"the service cannot start on this machine: {file_reason(error)}", Code.SERVICE
        ) from error
    # What has been created so far lives to the end. The collections when Python ends would visit it, for 0.7 s.
    gc.freeze()
    with stack:
        print_stderr(f"Dashboard: {stack.api}/\nAPI key: {stack.api_key}\n{EXPORT_HINT}")
        # Not wrapped, so that they can be copied.
        print("\n".join(export_lines(stack.api, stack.api_key)), file=sys.stderr, flush=True)
        print(json.dumps(stack.ready_line()), flush=True)
        stop.wait()


def create_log_dir(path: Path | None) -> None:
    """Create the folder of --log-dir.

    Raises:
        CommandFailed: it is a file, or cannot be created.

    """
    try:
        if path is not None:
            path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "is not a folder" if isinstance(error, FileExistsError) else file_reason(error)
        raise CommandFailed(f"--log-dir {path}: {reason}; pass a folder") from error


def distributions_of(texts: list[str]) -> "list[Distribution]":
    """Parse the --distribution options.

    Raises:
        CommandFailed: an option is not a distribution's domain and aliases.

    """
    from prewarm_local.stack.distribution import Distribution  # noqa: PLC0415 - as above

    try:
        return [Distribution.parse(text) for text in texts]
    except ValueError as error:
        raise CommandFailed(f"--distribution: {error}") from error
