"""HTTP/2 for viewers, with the h2 library: concurrent streams, RST_STREAM and GOAWAY."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from hyperframe.frame import GoAwayFrame

from prewarm_local.edge.content import State
from prewarm_local.edge.hpack_plain import PlainEncoder
from prewarm_local.edge.request import Request
from prewarm_local.edge.response import Response
from prewarm_local.edge.streams import Streams
from prewarm_local.edge.viewer import HIGH_WATER, Connections, Viewer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from prewarm_local.edge.edge import Pop

STREAMS = 128
"""Concurrent streams of one connection: CloudFront announces 128."""

LINGER = 1.0
"""Seconds a connection stays open after its last response and GOAWAY: closing at once could lose the response."""

# Validation and header normalisation are for public servers; here they would take a third of the time.
CONFIG = h2.config.H2Configuration(
    client_side=False,
    header_encoding=None,
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
    validate_inbound_headers=False,
    normalize_inbound_headers=False,
)


class Http2Viewer(Viewer):
    """An HTTP/2 connection."""

    version = "HTTP/2.0"

    def __init__(self, pop: Pop, connections: Connections, server: int = 0) -> None:
        super().__init__(pop, connections, server)
        self._h2 = h2.connection.H2Connection(config=CONFIG)
        self._h2.encoder = PlainEncoder()
        self._h2.local_settings.update({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS})
        self._streams = Streams(self._h2, self.pump)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._served = 0
        self._last_stream: int | None = None
        self._leaving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the settings."""
        super().connection_made(transport)
        self._h2.initiate_connection()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel all streams."""
        super().connection_lost(exc)
        self._streams.clear()
        for task in self._tasks.values():
            task.cancel()

    def data_received(self, data: bytes) -> None:
        """Process frames from the viewer."""
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            self._flush()
            self.transport.close()
            return
        for event in events:
            match event:
                case h2.events.RequestReceived():
                    self._request(event)
                case h2.events.WindowUpdated():
                    self._streams.window_grew(event.stream_id or 0)
                case h2.events.StreamReset():
                    self._streams.drop(event.stream_id)
                    if (task := self._tasks.pop(event.stream_id, None)) is not None:
                        task.cancel()
                case h2.events.DataReceived():
                    self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case h2.events.RemoteSettingsChanged():
                    self._streams.window_grew(0)
                case h2.events.ConnectionTerminated():
                    self.transport.close()
                    return
        self.pump()

    def _request(self, event: h2.events.RequestReceived) -> None:
        stream_id = event.stream_id
        if self._last_stream is not None and stream_id > self._last_stream:
            return  # after GOAWAY: ignored, as announced
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
        host = headers.get(":authority") or headers.get("host", "")
        method, target = headers.get(":method", ""), headers.get(":path", "")
        result = self.pop.respond(Request(method, host, target, headers, self.server, self.connection))
        if isinstance(result, Response):
            self._begin(stream_id, result)
        else:
            task = self._tasks[stream_id] = asyncio.create_task(self._later(stream_id, result))
            task.add_done_callback(lambda _: result.close())  # for a task cancelled before it began

    async def _later(self, stream_id: int, result: Coroutine[None, None, Response]) -> None:
        response = await result
        self._tasks.pop(stream_id, None)
        self._begin(stream_id, response)
        self.pump()

    def _begin(self, stream_id: int, response: Response) -> None:
        if self.lost:
            response.ended(whole=False)
            return
        if response.reset:
            self.reset()
            return
        self._served += 1
        if response.last_after is not None and self._served >= response.last_after:
            self._go_away()
        body = response.body
        ends = body is None or (body.available == 0 and body.state is State.COMPLETE)
        try:
            self._h2.send_headers(
                stream_id, [(b":status", b"%d" % response.status), *response.headers], end_stream=ends
            )
        except h2.exceptions.ProtocolError:
            response.ended(whole=False)
            return  # the viewer has ended the stream meanwhile
        if body is None or ends:
            response.ended(whole=True)
        else:
            self._streams.begin(stream_id, body, response)

    def _go_away(self) -> None:
        """Announce that later streams are ignored and earlier ones may finish.

        The frame is written directly, because h2 would end all streams.
        """
        if self._last_stream is None:
            self._last_stream = self._h2.highest_inbound_stream_id
            self._flush()
            self.transport.write(GoAwayFrame(0, last_stream_id=self._last_stream).serialize())

    def pump(self) -> None:
        """Write a part; continue in the next turn, unless all streams are blocked or the transport is full."""
        if not self.paused and not self.gone and self._streams.write(HIGH_WATER):
            self.pump_later()
        self._flush()
        if self._last_stream is not None and not self._leaving and not self._streams and not self._tasks:
            self._leaving = True
            asyncio.get_running_loop().call_later(LINGER, self.transport.close)

    def _flush(self) -> None:
        if (wire := self._h2.data_to_send()) and not self.gone:
            self.transport.write(wire)
