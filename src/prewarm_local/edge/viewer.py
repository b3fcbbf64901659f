"""The base of the viewer protocols: the connection, its POP, back-pressure and resets."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, cast

from prewarm_local.edge.request import Connection

if TYPE_CHECKING:
    from prewarm_local.edge.edge import Pop

HIGH_WATER = 256 * 1024
"""Bytes waiting in a transport before writing pauses."""

Connections = dict[str, set[asyncio.Transport]]
"""The open viewer connections of each POP."""


class Viewer(asyncio.Protocol):
    """A viewer's connection to a POP; `version`: the protocol, as logs name it."""

    version = "HTTP/1.1"

    def __init__(self, pop: Pop, connections: Connections, server: int = 0) -> None:
        """Create a connection to the given POP; `server` is the index of its address."""
        self.pop = pop
        self.server = server
        self.transport: asyncio.Transport
        self.connection: Connection | None = None
        self.paused = False
        self.lost = False
        self._scheduled = False
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the transport."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER)
        self._connections[self.pop.name].add(self.transport)
        address, port = (transport.get_extra_info("peername") or ("-", 0))[:2]
        tls = transport.get_extra_info("ssl_object")
        scheme, protocol, cipher = ("http", "", "") if tls is None else ("https", tls.version(), tls.cipher()[0])
        self.connection = Connection(scheme, self.version, address, port, protocol, cipher)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Unregister the transport."""
        self.lost = True
        self._connections[self.pop.name].discard(self.transport)

    @property
    def gone(self) -> bool:
        """Whether nothing can be written any more: asyncio notices a closed connection before it reports it lost."""
        return self.lost or self.transport.is_closing()

    def pause_writing(self) -> None:
        """Pause writing, because the viewer reads too slowly."""
        self.paused = True

    def resume_writing(self) -> None:
        """Resume writing."""
        self.paused = False
        self.pump()

    def pump_later(self) -> None:
        """Continue in the loop's next turn: writing without a break would not notice that the viewer has left."""
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._scheduled_pump)

    def _scheduled_pump(self) -> None:
        self._scheduled = False
        if not self.gone:
            self.pump()

    def pump(self) -> None:
        """Write the data that is ready."""
        raise NotImplementedError

    def reset(self) -> None:
        """Reset the TCP connection.

        A socket that lingers for zero seconds sends RST when closed.
        """
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
