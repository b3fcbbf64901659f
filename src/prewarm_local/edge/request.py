"""A viewer's request as a POP reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Connection(NamedTuple):
    """A viewer's connection as logs name it; `tls` and `cipher` are empty without TLS."""

    scheme: str
    version: str
    address: str
    port: int
    tls: str = ""
    cipher: str = ""


class Request:
    """A request: `target` is the path with query string as received, `headers` by lower-case name.

    `server` is the index of the POP's address that the viewer has connected to, `connection` how.
    """

    __slots__ = ("connection", "headers", "host", "method", "server", "target")

    def __init__(
        self,
        method: str,
        host: str,
        target: str,
        headers: Mapping[str, str],
        server: int = 0,
        connection: Connection | None = None,
    ) -> None:
        """Create a request."""
        self.connection = connection
        self.method = method
        self.host = host
        self.target = target
        self.headers = headers
        self.server = server

    @property
    def head(self) -> bool:
        """Whether only the headers of the response are asked for."""
        return self.method == "HEAD"
