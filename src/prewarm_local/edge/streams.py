"""The response bodies of an HTTP/2 connection: round-robin scheduling, flow control, broken streams."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import h2.connection
import h2.errors
import h2.exceptions

from prewarm_local.edge.content import Body, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from prewarm_local.edge.response import Response


QUANTUM = 65536
"""Bytes of one stream before the next stream is served (round robin)."""


class _Sending:
    """A body being sent; `queued` while its stream waits to be served."""

    __slots__ = ("_streams", "body", "offset", "queued", "response", "stream_id")

    def __init__(self, streams: Streams, stream_id: int, body: Body, response: Response) -> None:
        self._streams = streams
        self.stream_id = stream_id
        self.body = body
        self.response = response
        self.offset = 0
        self.queued = False

    def more(self) -> None:
        """Queue the stream: more data arrived from upstream."""
        self._streams.wake(self)


class Streams:
    """Writes bodies as DATA frames to an h2 connection.

    Calls `arrived` when there is more to write.
    """

    def __init__(self, connection: h2.connection.H2Connection, arrived: Callable[[], None]) -> None:
        self._h2 = connection
        self._arrived = arrived
        self._sending: dict[int, _Sending] = {}
        self._ready: deque[_Sending] = deque()

    def __len__(self) -> int:
        return len(self._sending)

    def begin(self, stream_id: int, body: Body, response: Response) -> None:
        """Send a response's body on a stream whose headers have been sent."""
        sending = self._sending[stream_id] = _Sending(self, stream_id, body, response)
        self._queue(sending)

    def drop(self, stream_id: int, *, whole: bool = False) -> None:
        """Stop sending on a stream; `whole`: the viewer has been sent all of the body and its end.

        A viewer that knows the length may leave after the last byte, before the end of the stream.
        """
        if (sending := self._sending.pop(stream_id, None)) is not None:
            sending.response.ended(whole=whole or sending.offset == sending.body.size, sent=sending.offset)

    def clear(self) -> None:
        """Stop sending on all streams."""
        for stream_id in list(self._sending):
            self.drop(stream_id)
        self._ready.clear()

    def window_grew(self, stream_id: int) -> None:
        """Queue the stream whose flow-control window has grown; 0 queues all streams."""
        if stream_id == 0:
            for sending in self._sending.values():
                self._queue(sending)
        elif (grown := self._sending.get(stream_id)) is not None:
            self._queue(grown)

    def wake(self, sending: _Sending) -> None:
        """Queue a stream for which data arrived."""
        if self._sending.get(sending.stream_id) is sending:
            self._queue(sending)
            self._arrived()

    def _queue(self, sending: _Sending) -> None:
        if not sending.queued:
            sending.queued = True
            self._ready.append(sending)

    def write(self, limit: int) -> bool:
        """Serve the queued streams until about `limit` bytes are written.

        Returns whether any is left.
        """
        written = 0
        while self._ready and written < limit:
            sending = self._ready.popleft()
            sending.queued = False
            if self._sending.get(sending.stream_id) is sending:
                before = sending.offset
                try:
                    self._serve(sending)
                except h2.exceptions.ProtocolError:
                    self.drop(sending.stream_id)  # the viewer has just ended the stream
                written += sending.offset - before
        return bool(self._ready)

    def _serve(self, sending: _Sending) -> None:
        body, stream_id = sending.body, sending.stream_id
        limit = sending.offset + QUANTUM
        while sending.offset < min(body.available, limit):
            window = min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size)
            if window <= 0:
                return  # a WINDOW_UPDATE will queue it again
            count = min(body.available - sending.offset, window)
            ends = body.state is State.COMPLETE and sending.offset + count == body.available
            self._h2.send_data(stream_id, body.read(sending.offset, count), end_stream=ends)
            sending.offset += count
            if ends:
                self.drop(stream_id, whole=True)
                return
        if sending.offset < body.available:
            self._queue(sending)
        elif body.state is State.COMPLETE:
            self._h2.send_data(stream_id, b"", end_stream=True)
            self.drop(stream_id, whole=True)
        elif body.state is State.BROKEN:
            self._h2.reset_stream(stream_id, h2.errors.ErrorCodes.INTERNAL_ERROR)
            self.drop(stream_id)
        else:
            body.when_more(sending.more)
