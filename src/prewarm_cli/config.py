"""Where the API is and what its key is: from options, the environment, or the file that `configure` writes."""

import json
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from prewarm_cli.api_client import Client
from prewarm_cli.errors import CommandFailed, tell

URL_VARIABLE, KEY_VARIABLE = "PREWARM_API_URL", "PREWARM_API_KEY"
VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)
OTHERS_MAY_READ = 0o077


@dataclass(frozen=True)
class Connection:
    """The API's base URL, its stage included and without a slash at the end, and the key."""

    url: str
    key: str


def config_file() -> Path:
    """Return where the configuration file is, whether or not there is one."""
    # The XDG specification: a relative path is to be ignored.
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".config") / "prewarm" / "config.toml"


def read_config(path: Path) -> dict[str, str]:
    """Return the file's `api_url` and `api_key`, as far as it has them.

    Raises:
        CommandFailed: it cannot be read, or holds something else.

    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        shared = path.stat().st_mode & OTHERS_MAY_READ
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{path}: {error}; write it anew by `prewarm configure`") from error
    if shared and "api_key" in document:
        tell(f"prewarm: other users of this machine may read the API key in {path}; close it by: chmod 600 {path}")
    return {name: value for name in ("api_url", "api_key") if isinstance(value := document.get(name), str)}


def write_config(path: Path, connection: Connection) -> None:
    """Write the file whole or not at all, readable by nobody else from its first byte on."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        # Both are visible ASCII, of which JSON's strings are TOML's too.
        file.write(f"api_url = {json.dumps(connection.url)}\napi_key = {json.dumps(connection.key)}\n")
    beside.replace(path)


def connection(url: str, key: str) -> Connection:
    """Check an API's address and key.

    Raises:
        CommandFailed: they cannot be any.

    """
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise CommandFailed(
            f"{url!r} is no address of an API, such as https://abc123.execute-api.eu-west-1.amazonaws.com/v1"
        )
    if not VISIBLE.fullmatch(url.strip()) or not VISIBLE.fullmatch(key.strip()):
        raise CommandFailed("the API's address and key are visible ASCII characters without spaces")
    if parts.scheme == "http" and not loopback(parts.hostname):
        raise CommandFailed(f"{url}: the API key would travel in the clear; use https")
    return Connection(url.strip().rstrip("/"), key.strip())


def loopback(host: str) -> bool:
    """Say whether a host is this machine."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def settle(url: str | None, key: str | None, path: Path) -> Connection:
    """Choose address and key: what was given, else what the file says.

    The file's key belongs to the file's address: it is never sent anywhere else.

    Raises:
        CommandFailed: something is missing, or cannot be what it should.

    """
    filed = {} if url and key else read_config(path)
    chosen = url or filed.get("api_url")
    if not chosen:
        raise CommandFailed(
            f"where is the API? Run `prewarm configure` once, or set {URL_VARIABLE} and {KEY_VARIABLE}, "
            "or give --api-url and --api-key"
        )
    if not key and chosen.strip().rstrip("/") == filed.get("api_url", "").strip().rstrip("/"):
        key = filed.get("api_key")
    if not key:
        raise CommandFailed(
            f"no API key for {chosen}: run `prewarm configure`, or set {KEY_VARIABLE}, or give --api-key"
        )
    return connection(chosen, key)


def client_of(
    *,
    api_url: Annotated[
        str | None,
        typer.Option(envvar=URL_VARIABLE, metavar="URL", help="The API's address, its stage included."),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar=KEY_VARIABLE,
            metavar="KEY",
            show_envvar=True,
            help="The API's key. On the command line everybody on this machine can see it in the list of processes: "
            "better use `prewarm configure` or the environment.",
        ),
    ] = None,
) -> Client:
    """Return a client of the API that options, environment or file name."""
    found = settle(api_url, api_key, config_file())
    return Client(found.url, found.key)
