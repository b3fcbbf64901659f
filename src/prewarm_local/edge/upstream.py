"""The edge's HTTP/1.1 client: fetch from the origin over real TCP, with keep-alive connections.

Sources: CloudFront Developer Guide, "All distribution settings reference" (Connection attempts, Connection timeout,
Response timeout: for GET and HEAD, CloudFront drops the connection after the timeout and tries again, as often as
there are connection attempts) and "Optimize high availability with CloudFront origin failover".
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from prewarm_local.edge.content import Body, seed_of
from prewarm_local.edge.http1 import READ_SIZE
from prewarm_local.edge.origin import FAULT_HEADER, Origin

if TYPE_CHECKING:
    from prewarm_local.edge.behaviour import Want
    from prewarm_local.edge.faults import Fault

HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"content-length"})
IDLE_CONNECTIONS = 64


class OriginFailed(Exception):
    """The origin did not respond.

    `status` is CloudFront's status for it (502, or 504 after a timeout).
    """

    def __init__(self, status: int, reason: str) -> None:
        """Set the status that the edge returns."""
        super().__init__(reason)
        self.status = status


@dataclass
class Reply:
    """The origin's response.

    It has headers for viewers (lower case), all headers as text, and a body that may still be arriving.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    etag: str | None
    values: dict[str, str]
    body: Body


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.machine = h11.Connection(h11.CLIENT)
        self.used = False

    def send(self, *events: h11.Event) -> None:
        self.writer.write(b"".join(self.machine.send(event) or b"" for event in events))

    async def event(self, seconds: float) -> object:
        while (event := self.machine.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(seconds):
                self.machine.receive_data(await self.reader.read(READ_SIZE))
        return event


async def _reach(fault: Fault | None, seconds: float) -> None:
    """Wait for a connection that an unreachable origin never accepts. May raise OriginFailed."""
    if fault is not None and fault.name == "unreachable":
        await asyncio.sleep(seconds)
        raise OriginFailed(504, "the origin did not accept a connection in time")


class OriginClient:
    """Fetches for all POPs and regional edge caches.

    `second_fails`: an origin group's second origin has the same faults as the first.
    """

    def __init__(self, origin: Origin, *, second_fails: bool = False) -> None:
        """Create a client of the given origin."""
        self._origin = origin
        self._second_fails = second_fails
        self._idle: list[_Connection] = []
        self._reading: set[asyncio.Task[None]] = set()

    async def fetch(self, want: Want, etag: str | None, fault: Fault | None) -> Reply:
        """Send a request, and return when the headers have arrived; the body may still be arriving.

        With an origin group, its second origin is asked if the first one fails as the group's criteria say: a failed
        connection counts as 503 and a time-out as 504. May raise OriginFailed.
        """
        criteria = want.behaviour.origin.failover_on
        try:
            reply = await self._ask(want, etag, fault)
            if criteria is None or reply.status not in criteria:
                return reply
        except OriginFailed as failure:
            if criteria is None or (504 if failure.status == HTTPStatus.GATEWAY_TIMEOUT else 503) not in criteria:
                raise
        return await self._ask(want, etag, fault if self._second_fails else None)

    async def _ask(self, want: Want, etag: str | None, fault: Fault | None) -> Reply:
        headers = [("Host", want.domain), *want.forwarded]
        if all(name != "user-agent" for name, _ in want.forwarded):
            headers.append(("User-Agent", "Amazon CloudFront"))
        if want.encoding:
            headers.append(("Accept-Encoding", want.encoding))
        if etag is not None:
            headers.append(("If-None-Match", etag))
        if fault is not None:
            headers.append((FAULT_HEADER, f"{fault.name}:{fault.argument}" if fault.argument else fault.name))
        headers = [item for item in headers if item[0] != "host"]  # the distribution's domain replaces the viewer's
        request = h11.Request(method=want.method, target=want.target, headers=headers)
        settings = want.behaviour.origin
        for left in range(settings.attempts - 1, -1, -1):
            try:
                await _reach(fault, settings.connection_timeout)
                refused = fault is not None and fault.name == "refused"
                port = self._origin.closed_port if refused else self._origin.port
                connection, head = await self._exchange(request, port, settings.response_timeout)
                return self._reply(connection, head, settings.response_timeout)
            except OriginFailed:
                if not left:
                    raise
        raise AssertionError

    async def _exchange(self, request: h11.Request, port: int, seconds: float) -> tuple[_Connection, h11.Response]:
        while True:
            connection = await self._connect(port)
            try:
                connection.send(request, h11.EndOfMessage())
                head = await connection.event(seconds)
            except asyncio.CancelledError:
                connection.writer.close()
                raise
            except TimeoutError:
                connection.writer.close()
                raise OriginFailed(504, "the origin did not respond in time") from None
            except (OSError, h11.RemoteProtocolError) as error:
                connection.writer.close()
                if connection.used:
                    continue  # a keep-alive connection that was closed: retry on another
                raise OriginFailed(502, str(error)) from None
            if not isinstance(head, h11.Response):
                connection.writer.close()
                raise OriginFailed(502, "the origin closed the connection without a response")
            return connection, head

    async def _connect(self, port: int) -> _Connection:
        if port == self._origin.port and self._idle:
            return self._idle.pop()
        try:
            return _Connection(*await asyncio.open_connection("127.0.0.1", port))
        except OSError as error:
            raise OriginFailed(502, str(error)) from None

    def _reply(self, connection: _Connection, head: h11.Response, seconds: float) -> Reply:
        values = {name.decode(): value.decode("latin-1") for name, value in head.headers}
        etag = values.get("etag")
        size = values.get("content-length")
        body = Body(seed_of(etag or ""), int(size) if size is not None else None)
        forwarded = [(bytes(name), bytes(value)) for name, value in head.headers if name not in HOP_BY_HOP]
        # A small body usually arrives with the headers; then no task is needed to read the rest.
        while isinstance(event := connection.machine.next_event(), h11.Data):
            body.arrived(len(event.data))
        if event is h11.NEED_DATA:
            task = asyncio.create_task(self._read(connection, body, seconds))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        else:
            self._finish(connection, body, event)
        return Reply(head.status_code, forwarded, etag, values, body)

    async def _read(self, connection: _Connection, body: Body, seconds: float) -> None:
        event: object = None
        try:
            while isinstance(event := await connection.event(seconds), h11.Data):
                body.arrived(len(event.data))
        except (OSError, h11.RemoteProtocolError):  # a timeout is an OSError too
            event = None
        finally:
            self._finish(connection, body, event)

    def _finish(self, connection: _Connection, body: Body, event: object) -> None:
        whole = isinstance(event, h11.EndOfMessage)
        machine = connection.machine
        if whole and machine.our_state is h11.DONE is machine.their_state and len(self._idle) < IDLE_CONNECTIONS:
            machine.start_next_cycle()
            connection.used = True
            self._idle.append(connection)
        else:
            connection.writer.close()
        body.end(whole=whole)
