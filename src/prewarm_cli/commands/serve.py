"""`prewarm local`: serve the whole service on this machine, without AWS."""

import json
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prewarm_cli.command import command
from prewarm_cli.errors import Code, CommandFailed

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
    """Serve the API, the state machine and the functions on this machine until Ctrl-C; needs no AWS credentials.

    It forgets its runs when it ends.

    Prints one JSON line when ready: api, apiKey, stateMachineArn, endpoint (for the AWS CLI's --endpoint-url). It
    warms real CloudFront, unless PREWARM_NAMESERVERS, PREWARM_HTTPS_PORT, PREWARM_HTTP_PORT, PREWARM_CA_BUNDLE or
    PREWARM_EDGE_NETWORKS point to another edge.

    Examples:
      prewarm local --distribution d111abc.cloudfront.net=www.example.com --port 8080
    """
    parsed = distributions_of(distribution or [])
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    # Imported here: the import takes two seconds, and `prewarm --help` does not need it.
    from prewarm_local.stack.stack import EmbeddedStack  # noqa: PLC0415

    try:
        stack = EmbeddedStack(port=port, distributions=parsed, log_dir=log_dir, api_key=api_key, echo=log_dir is None)
    except (OSError, ValueError) as error:
        raise CommandFailed(f"the service cannot start on this machine: {error}", Code.SERVICE) from error
    with stack:
        print(json.dumps(stack.ready_line()), flush=True)
        stop.wait()


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
