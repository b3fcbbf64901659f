"""How the API is reached: by address and key, or by its function; from options, the environment, or `configure`."""

import json
import os
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from prewarm_cli.api_client import Client
from prewarm_cli.errors import CommandFailed, print_stderr
from prewarm_cli.failure_reasons import file_reason
from prewarm_cli.output.files import output_file

URL_VARIABLE, KEY_VARIABLE, FUNCTION_VARIABLE = "PREWARM_API_URL", "PREWARM_API_KEY", "PREWARM_FUNCTION"
NAMES = ("api_url", "api_key", "function")
# With a version or an alias, or without (Lambda API Reference, "Invoke", FunctionName).
FUNCTION_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]{1,64}(:[\w$-]{1,128})?", re.ASCII)
VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+", re.ASCII)
GROUP_AND_OTHER_BITS = 0o077


EXPORT_HINT = "In another terminal, so that the other commands use it:"


@dataclass(frozen=True)
class Connection:
    """The API's base URL, including its stage and without a trailing slash, and the API key; or its function's ARN.

    With a function there is no key, and the URL may be unknown (empty): it is only shown.
    """

    url: str
    key: str = ""
    function: str = ""

    def client(self) -> Client:
        """Return a client of this API.

        Raises:
            CommandFailed: the extra that the function needs is not installed, or the AWS profile cannot be read.

        """
        if not self.function:
            return Client(self.url, self.key)
        from prewarm_cli.aws.function_transport import FunctionTransport  # noqa: PLC0415 - loads boto3

        return Client(self.url, transport=FunctionTransport(self.function))


def config_file() -> Path:
    """Return the path of the configuration file, which may not exist."""
    # The XDG specification requires that a relative path is ignored.
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".config") / "prewarm" / "config.toml"


def read_config(path: Path) -> dict[str, str]:
    """Return the file's `api_url`, `api_key` and `function`, each only if present.

    Raises:
        CommandFailed: the file cannot be read or is not valid TOML.

    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        shared = path.stat().st_mode & GROUP_AND_OTHER_BITS
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{path}: {file_reason(error)}; run `prewarm configure` to rewrite the file") from error
    if shared and "api_key" in document:
        print_stderr(f"prewarm: other users of this machine can read the API key in {path}; run: chmod 600 {path}")
    return {name: value for name in NAMES if isinstance(value := document.get(name), str)}


def write_config(path: Path, connection: Connection) -> None:
    """Write the file atomically, readable only by its owner from the first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with output_file(path, "w", private=True, encoding="utf-8") as file:
        # The values are visible ASCII, for which JSON strings are valid TOML strings.
        values = zip(NAMES, (connection.url, connection.key, connection.function), strict=True)
        file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in values if value)


def check_key(what: str, key: str) -> None:
    """Check an API key; `what` names it in the message.

    Raises:
        CommandFailed: it cannot be sent as a header.

    """
    if not VISIBLE_ASCII.fullmatch(key):
        raise CommandFailed(f"{what} must consist of visible ASCII characters without spaces")


def check_connection(url: str, key: str) -> Connection:
    """Check an API's address and key, and return them normalised.

    Raises:
        CommandFailed: the address or the key is not valid.

    """
    check_key("the API key", key.strip())
    return Connection(_checked_url(url), key.strip())


def check_function(function: str, url: str = "") -> Connection:
    """Check the ARN of an API's function, and the API's address, if it is known.

    Raises:
        CommandFailed: one of them is not valid.

    """
    if not FUNCTION_ARN.fullmatch(function.strip()):
        raise CommandFailed(
            f"{function!r} is not a function's ARN such as "
            "arn:aws:lambda:eu-west-1:123456789012:function:NAME; pass the stack's output ApiFunctionArn"
        )
    return Connection(_checked_url(url) if url else "", function=function.strip())


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # raises for a number above 65,535
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise CommandFailed(
            f"{url!r} is not an API address such as https://abc123.execute-api.eu-west-1.amazonaws.com/v1"
        )
    if not VISIBLE_ASCII.fullmatch(url.strip()):
        raise CommandFailed("the API's address must consist of visible ASCII characters without spaces")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise CommandFailed(f"{url}: http would send the API key unencrypted; use https")
    return url.strip().rstrip("/")


def export_lines(url: str, key: str) -> list[str]:
    """Return the shell's lines that make the command use a service."""
    return [f"export {URL_VARIABLE}={shlex.quote(url)}", f"export {KEY_VARIABLE}={shlex.quote(key)}"]


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def resolve_connection(url: str | None, key: str | None, path: Path, function: str | None = None) -> Connection:
    """Return the address and key, or the function, from the arguments, completed from the file at `path`.

    The file's key and function are used only with the file's address, so the key is never sent anywhere else.

    Raises:
        CommandFailed: the address, the key or the function is missing or not valid, or key and function are given.

    """
    if function and key:
        raise CommandFailed(
            f"both an API key and a function are given; unset {KEY_VARIABLE} or {FUNCTION_VARIABLE}, "
            "or omit --api-key or --function"
        )
    if function:
        return check_function(function, url or "")
    filed = {} if url and key else read_config(path)
    chosen = url or filed.get("api_url", "")
    if not key and chosen.strip().rstrip("/") == filed.get("api_url", "").strip().rstrip("/"):
        key, function = filed.get("api_key"), filed.get("function")
    if function and not key:
        return check_function(function, chosen)
    if not chosen:
        raise CommandFailed(
            f"no API address: run `prewarm configure` once, or set {URL_VARIABLE} and {KEY_VARIABLE}, "
            "or pass --api-url and --api-key, or --function"
        )
    if not key:
        raise CommandFailed(
            f"no API key for {chosen}: run `prewarm configure`, or set {KEY_VARIABLE}, or pass --api-key"
        )
    return check_connection(chosen, key)


def client_of(
    *,
    api_url: Annotated[
        str | None,
        typer.Option(envvar=URL_VARIABLE, metavar="URL", help="The API's address, including its stage."),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar=KEY_VARIABLE,
            metavar="KEY",
            show_envvar=True,
            help="The API key. Other users of this machine can read the command line in the process list: use "
            "`prewarm configure` or the environment instead.",
        ),
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(
            envvar=FUNCTION_VARIABLE,
            metavar="ARN",
            help="Invoke the API's function (the stack's output ApiFunctionArn) with your AWS credentials, "
            "instead of calling the API with a key.",
        ),
    ] = None,
) -> Client:
    """Return a client for the API given by options, environment or file."""
    return resolve_connection(api_url, api_key, config_file(), function).client()
