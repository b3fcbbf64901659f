"""`prewarm run`: warm from this machine, without a deployed service."""

import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from prewarm_cli.api_client import Client
from prewarm_cli.command import AsJson, command
from prewarm_cli.commands.serve import create_log_dir, distributions_of
from prewarm_cli.commands.start import check_dry_run_files, print_dry_run
from prewarm_cli.errors import Code, CommandFailed, print_stderr
from prewarm_cli.failure_reasons import file_reason
from prewarm_cli.follow import follow
from prewarm_cli.options.request import request_of
from prewarm_cli.options.wait import WaitOptions, check_outputs, wait_options_of
from prewarm_cli.upload import with_uploaded_list

if TYPE_CHECKING:
    from prewarm_local.stack.distribution import Distribution
    from prewarm_local.stack.stack import EmbeddedStack

# Hosts that a message lists.
HOSTS_SHOWN = 5


@command("local", request=request_of, wait_options=wait_options_of)
def run(
    *,
    request: dict[str, Any],
    distribution: Annotated[
        list[str],
        typer.Option(
            metavar="DOMAIN=ALIAS,…",
            help="A distribution whose hosts may be warmed, such as d111abc.cloudfront.net=www.example.com. "
            "Repeatable.",
        ),
    ],
    log_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the functions' logs to this folder, one file each.")
    ] = None,
    wait_options: WaitOptions,
    as_json: AsJson = False,
) -> None:
    """Warm once from this machine, without a deployed service; nothing keeps running afterwards.

    It starts the whole service here, needs no AWS credentials, and warms real CloudFront, which charges for the
    requests and the transfer. The run ends with this command: Ctrl-C stops it, and URLs warmed so far stay warm.

    Examples:
      prewarm run https://www.example.com/ --region eu --distribution d111abc.cloudfront.net=www.example.com
      prewarm run --file urls.txt --pop FRA56-P5 --distribution d111abc.cloudfront.net=www.example.com
    """
    check_dry_run_files(request, wait_options)
    check_outputs(wait_options, request)
    check_no_invalidation(request)
    create_log_dir(log_dir)
    parsed = distributions_of(distribution)
    check_hosts(request, parsed)
    with _handle_signals(), _embedded_stack(parsed, log_dir) as stack:
        client = Client(stack.api, stack.api_key)
        document = client.start(with_uploaded_list(client, request), None)
        if "dryRun" in document:
            print_dry_run(document, as_json=as_json)
            return
        follow(client, document["requestID"], wait_options, as_json=as_json, outlives=False, request=request)


def check_no_invalidation(request: dict[str, Any]) -> None:
    """Check that the request invalidates nothing: without an AWS account the old copies would stay.

    Raises:
        CommandFailed: it does; the message says what to do instead.

    """
    if request.get("invalidate"):
        raise CommandFailed(
            "invalidate: `prewarm run` uses no AWS account, so it cannot invalidate; use `aws cloudfront "
            "create-invalidation`, then run this without --invalidate"
        )


def check_hosts(request: dict[str, Any], distributions: "list[Distribution]") -> None:
    """Check that a --distribution names a host of the URLs; the service checks the rest of the request.

    Raises:
        CommandFailed: none of them does; the message says what to write.

    """
    # Imported here, since `prewarm --help` does not need it.
    from prewarm.request.url_parser import parse_url  # noqa: PLC0415

    hosts: dict[str, None] = {}
    for url in request.get("url_list") or ():
        try:
            hosts[parse_url(url).host] = None
        except ValueError:
            # The service lists every URL that it refuses, each with the reason.
            return
    if not hosts or any(each.serves(host) for each in distributions for host in hosts):
        return
    listed = ", ".join(list(hosts)[:HOSTS_SHOWN]) + (" and others" if len(hosts) > HOSTS_SHOWN else "")
    own = distributions[0]
    aliases = ",".join([*own.aliases, *list(hosts)[:1]])
    raise CommandFailed(
        f"--distribution: none names a host of the URLs: {listed}; "
        f"add the hosts that the distribution serves, such as {own.domain}={aliases}"
    )


@contextlib.contextmanager
def _embedded_stack(distributions: "list[Distribution]", log_dir: Path | None) -> Iterator["EmbeddedStack"]:
    """Run the service on this machine while the block runs."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    # Imported here: the import takes two seconds, and `prewarm --help` and bad input do not need it.
    from prewarm_local.stack.moto_invalidations import refuse_invalidation  # noqa: PLC0415
    from prewarm_local.stack.stack import EmbeddedStack  # noqa: PLC0415

    try:
        stack = EmbeddedStack(distributions=distributions, log_dir=log_dir, on_invalidation=refuse_invalidation)
    except (OSError, ValueError) as error:
        raise CommandFailed(
            f"the service cannot start on this machine: {file_reason(error)}", Code.SERVICE
        ) from error
    gc.freeze()  # as `prewarm local`
    with stack:
        yield stack


@contextlib.contextmanager
def _handle_signals() -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C, so that the service's processes end in both cases."""

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        print_stderr("\nstopped")
        raise typer.Exit(Code.DETACHED) from None
    finally:
        signal.signal(signal.SIGTERM, previous)
