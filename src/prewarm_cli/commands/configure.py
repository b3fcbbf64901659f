"""`prewarm configure`: where the API is and what its key is, once for all commands."""

import getpass
import json
import sys
from typing import Annotated

import typer

from prewarm_cli.command import AsJson, command
from prewarm_cli.config import KEY_VARIABLE, URL_VARIABLE, config_file, connection, write_config
from prewarm_cli.errors import CommandFailed, tell


@command()
def configure(
    *,
    api_url: Annotated[
        str | None,
        typer.Option(envvar=URL_VARIABLE, metavar="URL", help="The API's address; asked for if it is not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    r"""Write the API's address and key into ~/.config/prewarm/config.toml, for your eyes only (mode 0600).

    The key is asked for and not shown; where stdin is no terminal it is read from there, so that it never stands on a
    command line. XDG_CONFIG_HOME moves the file.

    Examples:
      prewarm configure --api-url https://abc123.execute-api.eu-west-1.amazonaws.com/v1
      aws apigateway get-api-key --api-key $ID --include-value --query value --output text | \
        prewarm configure --api-url $URL
    """
    asks = sys.stdin.isatty()
    if not api_url:
        if not asks:
            raise CommandFailed(f"give --api-url, or set {URL_VARIABLE}")
        api_url = typer.prompt("API address", err=True)
    # Not by typer's prompt: it speaks before it hides, so that what is pasted at once would be shown, and lost.
    key = getpass.getpass("API key (not shown): ") if asks else sys.stdin.readline()
    if not key.strip():
        raise CommandFailed(f"no key was given; {KEY_VARIABLE} is not read here, since it needs no file")
    path = config_file()
    try:
        chosen = connection(api_url, key)
        write_config(path, chosen)
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror}") from error
    tell(f"written: {path}")
    if as_json:
        typer.echo(json.dumps({"config": str(path), "apiUrl": chosen.url}))
