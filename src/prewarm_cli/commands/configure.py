"""`prewarm configure`: save how the API is reached, for all commands, after it has answered once."""

import getpass
import json
from typing import Annotated

import typer

from prewarm_cli.command import AsJson, command
from prewarm_cli.config import (
    FUNCTION_VARIABLE,
    KEY_VARIABLE,
    URL_VARIABLE,
    Connection,
    check_connection,
    check_function,
    config_file,
    write_config,
)
from prewarm_cli.errors import CommandFailed, print_stderr
from prewarm_cli.options.request_input import stdin_of


@command("aws")
def configure(
    *,
    stack: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Read address and key from this CloudFormation stack, with your AWS profile."
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option(metavar="REGION", help="The stack's Region; by default, your AWS profile's.")
    ] = None,
    api_url: Annotated[
        str | None,
        typer.Option(
            envvar=URL_VARIABLE,
            metavar="URL",
            help="The API's address; prompted for if missing, not needed with --stack or --function.",
        ),
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(
            envvar=FUNCTION_VARIABLE, metavar="ARN", help="Save the API's function instead of address and key."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Call the API first, and write nothing if it does not respond.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    r"""Save the API's address and key to ~/.config/prewarm/config.toml, readable only by you (mode 0600).

    With --stack, both are read from AWS; if you may not read the key, the API's function is saved instead,
    and the commands invoke it with your AWS credentials. Otherwise the key is prompted for without echo; if stdin is
    not a terminal, it is read from stdin, so that it never appears on a command line. XDG_CONFIG_HOME moves the file.

    Examples:
      prewarm configure --stack cloudfront-prewarm --region eu-west-1
      prewarm configure --api-url https://abc123.execute-api.eu-west-1.amazonaws.com/v1
      aws apigateway get-api-key --api-key $ID --include-value --query value --output text | \
        prewarm configure --api-url $URL
    """
    if region and not stack:
        raise CommandFailed("--region needs --stack")
    if stack:
        connection = _of_stack(stack, region)
    elif function:
        connection = check_function(function, api_url or "")
    else:
        connection = _asked(api_url)
    if check:
        print_stderr(_answer_of(connection))
    path = config_file()
    try:
        write_config(path, connection)
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror}") from error
    print_stderr(f"wrote {path}")
    if as_json:
        written = {"apiUrl": connection.url, "function": connection.function}
        typer.echo(json.dumps({"config": str(path)} | {name: value for name, value in written.items() if value}))


def _asked(api_url: str | None) -> Connection:
    """Return the address, and the key from the terminal or stdin."""
    stdin = stdin_of("configure")
    interactive = stdin.isatty()
    if not api_url:
        if not interactive:
            raise CommandFailed(f"no API address: pass --api-url or --stack, or set {URL_VARIABLE}")
        api_url = typer.prompt("API address", err=True)
    # Not typer.prompt, which prints the prompt before it turns off echo: a key pasted at once would be lost.
    key = getpass.getpass("API key (not shown): ") if interactive else stdin.readline()
    if not key.strip():
        raise CommandFailed(
            f"no API key on stdin; configure does not read {KEY_VARIABLE}, which works without a file"
        )
    return check_connection(api_url, key)


def _of_stack(name: str, region: str | None) -> Connection:
    """Return the address and key of a stack, or its function if the key cannot be read; print which."""
    from prewarm_cli.aws.stack import read_key, read_stack  # noqa: PLC0415 - loads boto3

    found = read_stack(name, region)
    print_stderr(f"stack {found.name} in {found.region} ({found.status}): API {found.url}")
    key, reason = read_key(found)
    if key:
        return check_connection(found.url, key)
    if not found.function:
        raise CommandFailed(
            f"{reason}, and this version of the stack has no output ApiFunctionArn; upgrade the stack"
        )
    print_stderr(f"{reason}; the commands will invoke {found.function} with your AWS credentials instead")
    return check_function(found.function, found.url)


def _answer_of(connection: Connection) -> str:
    """Call the API once, and return what it answered.

    Raises:
        CommandFailed: it refused the call, or did not answer.

    """
    try:
        listed = connection.client().runs({}, 1, None)["runs"]
    except CommandFailed as failed:
        text = f"{failed}\nnothing was written; --no-check writes without a call"
        raise CommandFailed(text, failed.code, failed.document) from failed
    way = "the function answers" if connection.function else "the API accepts the key"
    if not listed:
        return f"{way}: no runs yet"
    return f"{way}: its newest run is {listed[0]['run']} ({listed[0]['status']}, {listed[0]['startedAt']})"
