"""`prewarm configure`: save the API's address and key for all commands."""

import getpass
import json
import sys
from typing import Annotated

import typer

from prewarm_cli.command import AsJson, command
from prewarm_cli.config import KEY_VARIABLE, URL_VARIABLE, check_connection, config_file, write_config
from prewarm_cli.errors import CommandFailed, print_stderr


@command()
def configure(
    *,
    api_url: Annotated[
        str | None,
        typer.Option(envvar=URL_VARIABLE, metavar="URL", help="The API's address; prompted for if missing."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    r"""Save the API's address and key to ~/.config/prewarm/config.toml, readable only by you (mode 0600).

    The key is prompted for without echo; if stdin is not a terminal, it is read from stdin, so that it never appears
    on a command line. XDG_CONFIG_HOME moves the file.

    Examples:
      prewarm configure --api-url https://abc123.execute-api.eu-west-1.amazonaws.com/v1
      aws apigateway get-api-key --api-key $ID --include-value --query value --output text | \
        prewarm configure --api-url $URL
    """
    interactive = sys.stdin.isatty()
    if not api_url:
        if not interactive:
            raise CommandFailed(f"no API address: pass --api-url or set {URL_VARIABLE}")
        api_url = typer.prompt("API address", err=True)
    # Not typer.prompt, which prints the prompt before it turns off echo: a key pasted at once would be lost.
    key = getpass.getpass("API key (not shown): ") if interactive else sys.stdin.readline()
    if not key.strip():
        raise CommandFailed(
            f"no API key on stdin; configure does not read {KEY_VARIABLE}, which works without a file"
        )
    path = config_file()
    try:
        connection = check_connection(api_url, key)
        write_config(path, connection)
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror}") from error
    print_stderr(f"wrote {path}")
    if as_json:
        typer.echo(json.dumps({"config": str(path), "apiUrl": connection.url}))
