"""`prewarm run`: warm from this machine, without deploying anything."""

import contextlib
import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from prewarm_cli.api_client import Client
from prewarm_cli.command import AsJson, command
from prewarm_cli.commands.serve import distributions_of
from prewarm_cli.commands.start import check_files, tell_dry_run
from prewarm_cli.errors import Code, CommandFailed, tell
from prewarm_cli.follow import follow
from prewarm_cli.options.request import request_of
from prewarm_cli.options.wait import Waiting, waiting_of

if TYPE_CHECKING:
    from prewarm_local.stack.stack import EmbeddedStack


@command("local", request=request_of, waiting=waiting_of)
def run(
    *,
    request: dict[str, Any],
    distribution: Annotated[
        list[str],
        typer.Option(
            metavar="DOMAIN=ALIAS,…",
            help="A distribution whose hosts may be warmed, for example d111abc.cloudfront.net=www.example.com. "
            "Repeat it for more.",
        ),
    ],
    log_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the functions' logs there, one file each.")
    ] = None,
    waiting: Waiting,
    as_json: AsJson = False,
) -> None:
    """Warm from this machine: the whole service runs here until the run ends, without AWS credentials.

    It warms real CloudFront. The run ends with this command: Ctrl-C stops it, and what was warmed stays warm.

    Examples:
      prewarm run https://www.example.com/ --region eu --distribution d111abc.cloudfront.net=www.example.com
      prewarm run --file urls.txt --pop FRA56-P5 --distribution d111abc.cloudfront.net=www.example.com
    """
    check_files(request, waiting)
    with _stoppable(), _stack(distribution, log_dir) as stack:
        client = Client(stack.api, stack.api_key)
        document = client.start(request, None)
        if "dryRun" in document:
            tell_dry_run(document, as_json=as_json)
            return
        follow(client, document["requestID"], waiting, as_json=as_json, goes_on_alone=False)


@contextlib.contextmanager
def _stack(distributions: list[str], log_dir: Path | None) -> Iterator["EmbeddedStack"]:
    """Run the service for as long as the block."""
    named = distributions_of(distributions)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    # Imported here: it takes two seconds, which `prewarm --help` and a refusal need not wait for.
    from prewarm_local.stack.stack import EmbeddedStack  # noqa: PLC0415

    try:
        stack = EmbeddedStack(distributions=named, log_dir=log_dir)
    except (OSError, ValueError) as error:
        raise CommandFailed(f"the service cannot start on this machine: {error}", Code.SERVICE) from error
    with stack:
        yield stack


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that the service's processes are ended either way."""

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        tell("\nstopped")
        raise typer.Exit(Code.DETACHED) from None
    finally:
        signal.signal(signal.SIGTERM, before)
