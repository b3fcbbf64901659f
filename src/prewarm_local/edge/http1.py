"""An HTTP/1.1 server over asyncio streams, with h11, for the origin and the control endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import h11

READ_SIZE = 65536


class BrokenOff(Exception):
    """The connection must be closed at once, even in the middle of a response."""


@dataclass(frozen=True)
class Incoming:
    """A request: `headers` by lower-case name, `body` complete."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Exchange:
    """The server's side of a connection: read requests and send responses, in turn."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use HTTP/1.1 over the given streams."""
        self._reader = reader
        self._writer = writer
        self._machine = h11.Connection(h11.SERVER)

    async def _event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            event = self._machine.next_event()
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]
            self._machine.receive_data(await self._reader.read(READ_SIZE))

    async def request(self) -> Incoming | None:
        """Return the next request, or None if the peer has closed the connection."""
        head = await self._event()
        if not isinstance(head, h11.Request):
            return None
        body = b""
        while isinstance(part := await self._event(), h11.Data):
            body += part.data
        headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
        return Incoming(head.method.decode(), head.target.decode("latin-1"), headers, body)

    async def head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Send the status line and the headers."""
        await self._send(h11.Response(status_code=status, headers=list(headers)))

    async def data(self, chunk: bytes) -> None:
        """Send a part of the body; wait while the peer is slow."""
        await self._send(h11.Data(data=chunk))

    async def end(self) -> bool:
        """End the response; return whether the connection may be used again."""
        await self._send(h11.EndOfMessage())
        if self._machine.our_state is not h11.DONE:
            return False
        self._machine.start_next_cycle()
        return True

    async def peer_closed(self) -> None:
        """Wait until the peer closes the connection."""
        while await self._reader.read(READ_SIZE):
            pass

    async def _send(self, event: h11.Event) -> None:
        if wire := self._machine.send(event):
            self._writer.write(wire)
            await self._writer.drain()


Handler = Callable[[Incoming, Exchange], Awaitable[bool]]
"""Responds to one request; returns whether the connection may be used again."""


async def serve(handler: Handler, host: str = "127.0.0.1") -> tuple[asyncio.Server, int]:
    """Serve on a free port of a loopback address; return the server and the port."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = Exchange(reader, writer)
        try:
            while (request := await exchange.request()) is not None and await handler(request, exchange):
                pass
        except (OSError, h11.RemoteProtocolError, BrokenOff, asyncio.CancelledError):
            pass  # the peer disconnected, a fault closes the connection, or the process ends
        finally:
            writer.close()

    server = await asyncio.start_server(connection, host, 0, backlog=512)
    return server, server.sockets[0].getsockname()[1]
