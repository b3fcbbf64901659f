"""The API's address and key: from options, the environment, or the file that `configure` writes."""

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

URL_VARIABLE, KEY_VARIABLE = "PREWARM_API_URL", "PREWARM_API_KEY"
VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+", re.ASCII)
GROUP_AND_OTHER_BITS = 0o077


EXPORT_HINT = "In another terminal, so that the other commands use it:"


@dataclass(frozen=True)
class Connection:
    """The API's base URL, including its stage and without a trailing slash, and the API key."""

    url: str
    key: str


def config_file() -> Path:
    """Return the path of the configuration file, which may not exist."""
    # The XDG specification requires that a relative path is ignored.
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".config") / "prewarm" / "config.toml"


def read_config(path: Path) -> dict[str, str]:
    """Return the file's `api_url` and `api_key`, each only if present.

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
    return {name: value for name in ("api_url", "api_key") if isinstance(value := document.get(name), str)}


def write_config(path: Path, connection: Connection) -> None:
    """Write the file atomically, readable only by its owner from the first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        # Both values are visible ASCII, for which JSON strings are valid TOML strings.
        file.write(f"api_url = {json.dumps(connection.url)}\napi_key = {json.dumps(connection.key)}\n")
    temporary.replace(path)


def check_connection(url: str, key: str) -> Connection:
    """Check an API's address and key, and return them normalised.

    Raises:
        CommandFailed: the address or the key is not valid.

    """
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise CommandFailed(
            f"{url!r} is not an API address such as https://abc123.execute-api.eu-west-1.amazonaws.com/v1"
        )
    if not VISIBLE_ASCII.fullmatch(url.strip()) or not VISIBLE_ASCII.fullmatch(key.strip()):
        raise CommandFailed("the API's address and key must consist of visible ASCII characters without spaces")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise CommandFailed(f"{url}: http would send the API key unencrypted; use https")
    return Connection(url.strip().rstrip("/"), key.strip())


def export_lines(url: str, key: str) -> list[str]:
    """Return the shell's lines that make the command use a service."""
    return [f"export {URL_VARIABLE}={shlex.quote(url)}", f"export {KEY_VARIABLE}={shlex.quote(key)}"]


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def resolve_connection(url: str | None, key: str | None, path: Path) -> Connection:
    """Return the address and key from the arguments, completed from the file at `path`.

    The file's key is used only with the file's address, so it is never sent anywhere else.

    Raises:
        CommandFailed: the address or the key is missing or not valid.

    """
    filed = {} if url and key else read_config(path)
    chosen = url or filed.get("api_url")
    if not chosen:
        raise CommandFailed(
            f"no API address: run `prewarm configure` once, or set {URL_VARIABLE} and {KEY_VARIABLE}, "
            "or pass --api-url and --api-key"
        )
    if not key and chosen.strip().rstrip("/") == filed.get("api_url", "").strip().rstrip("/"):
        key = filed.get("api_key")
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
) -> Client:
    """Return a client for the API given by options, environment or file."""
    connection = resolve_connection(api_url, api_key, config_file())
    return Client(connection.url, connection.key)
