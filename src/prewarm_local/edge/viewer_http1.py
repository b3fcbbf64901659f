"""HTTP/1.1 for viewers, with h11: keep-alive, one response at a time."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from prewarm_local.edge.content import Body, State
from prewarm_local.edge.request import Request
from prewarm_local.edge.response import Response
from prewarm_local.edge.viewer import HIGH_WATER, Connections, Viewer

if TYPE_CHECKING:
    from prewarm_local.edge.edge import Pop

CHUNK = 65536
REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


@lru_cache(maxsize=256)
def _title_case(name: bytes) -> bytes:
    """Return a header name in the usual capitalisation of HTTP/1.1."""
    return b"ETag" if name == b"etag" else name.title()


class Http1Viewer(Viewer):
    """An HTTP/1.1 connection."""

    def __init__(self, pop: Pop, connections: Connections, server: int = 0) -> None:
        """Create a connection without requests."""
        super().__init__(pop, connections, server)
        self._machine = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._task: asyncio.Task[None] | None = None
        self._body: Body | None = None
        self._response: Response | None = None
        self._offset = 0
        self._served = 0
        self._busy = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the current response."""
        super().connection_lost(exc)
        # A viewer that knows the length may leave after the last byte, before the body's end is known here.
        whole = self._body is not None and self._offset == self._body.size
        self._body = None
        self._ended(whole=whole, sent=self._offset)
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Process bytes from the viewer."""
        self._machine.receive_data(data)
        self._advance()

    def _advance(self) -> None:
        """Process received events until a response must be finished first."""
        try:
            while not self._busy and not self.lost:
                event = self._machine.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    return
                if isinstance(event, h11.Request):
                    self._request = event
                elif isinstance(event, h11.EndOfMessage) and self._request is not None:
                    self._busy = True
                    self._respond(self._request)
                elif isinstance(event, h11.ConnectionClosed):
                    self.transport.close()
                    return
        except h11.RemoteProtocolError:
            self.transport.close()

    def _respond(self, request: h11.Request) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        method, target = request.method.decode(), request.target.decode("latin-1")
        result = self.pop.respond(
            Request(method, headers.get("host", ""), target, headers, self.server, self.connection)
        )
        if isinstance(result, Response):
            self._begin(result)
            return

        async def later() -> None:
            response = await result
            self._task = None
            self._begin(response)
            self._advance()

        self._task = asyncio.create_task(later())
        self._task.add_done_callback(lambda _: result.close())  # for a task cancelled before it began

    def _begin(self, response: Response) -> None:
        self._response = response
        if self.lost:
            self._ended(whole=False)
            return
        if response.reset:
            self.reset()
            return
        self._served += 1
        headers = [(_title_case(name), value) for name, value in response.headers]
        if response.last_after is not None and self._served >= response.last_after:
            headers.append((b"Connection", b"close"))
        self._write(
            h11.Response(status_code=response.status, headers=headers, reason=REASONS.get(response.status, b""))
        )
        self._body = response.body or Body.fixed(b"")
        self._offset = 0
        self.pump()

    def pump(self) -> None:
        """Write the part of the body that has arrived, as far as the transport accepts it."""
        body, until = self._body, self._offset + HIGH_WATER
        while body is not None and not self.paused and not self.gone:
            if self._offset >= until:
                self.pump_later()
                return
            count = min(body.available - self._offset, CHUNK)
            if count > 0:
                self._write(h11.Data(data=body.read(self._offset, count)))
                self._offset += count
            elif body.state is State.COMPLETE:
                self._end()
                return
            elif body.state is State.BROKEN:
                # HTTP/1.1 signals this by closing before the announced length, or before the last chunk.
                self._body = None
                self.transport.close()
                return
            else:
                body.when_more(self.pump)
                return

    def _ended(self, *, whole: bool, sent: int | None = None) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.ended(whole=whole, sent=sent)

    def _end(self) -> None:
        self._body = None
        self._ended(whole=True)
        self._write(h11.EndOfMessage())
        if self._machine.our_state is not h11.DONE:
            self.transport.close()
            return
        self._machine.start_next_cycle()
        self._busy = False
        if self._machine.trailing_data[0]:
            # Deferred, so that a pipelining viewer does not cause deep recursion.
            asyncio.get_running_loop().call_soon(self._advance)

    def _write(self, event: h11.Event) -> None:
        if wire := self._machine.send(event):
            self.transport.write(wire)
