"""A viewer's request as a POP reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Request:
    """A request: `target` is the path with query string as received, `headers` by lower-case name.

    `server` is the index of the POP's address that the viewer has connected to.
    """

    __slots__ = ("headers", "host", "method", "server", "target")

    def __init__(self, method: str, host: str, target: str, headers: Mapping[str, str], server: int = 0) -> None:
        """Create a request."""
        self.method = method
        self.host = host
        self.target = target
        self.headers = headers
        self.server = server

    @property
    def head(self) -> bool:
        """Whether only the headers of the response are asked for."""
        return self.method == "HEAD"
