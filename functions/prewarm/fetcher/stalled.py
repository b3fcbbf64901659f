"""Connections that look open although their peer is gone: how they are noticed, and closed.

libcurl keeps an HTTP/2 connection whose streams time out, and would put the next streams on it. pycurl has no call
for libcurl's HTTP/2 ping (curl_easy_upkeep), so a connection is judged by its streams.
"""

import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pycurl

# CURLE_OPERATION_TIMEDOUT in curl/curl.h.
TIMED_OUT = 28
# The longest time for which sent data or a keep-alive probe may stay without acknowledgement, in milliseconds
# (tcp(7), TCP_USER_TIMEOUT): TCP itself would retransmit for a quarter of an hour.
USER_TIMEOUT_MS = 25_000


def set_user_timeout(descriptor: int, _purpose: int) -> int:
    """Set a new connection's TCP_USER_TIMEOUT, where the system has it (Linux); libcurl's SOCKOPTFUNCTION."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, option, USER_TIMEOUT_MS)
    return int(pycurl.SOCKOPT_OK)


def drop_stalled_connection(curl: Any, active: Iterable[Any]) -> None:  # noqa: ANN401 - pycurl has no types
    """Close the connection of a fetch that timed out, unless another fetch receives data on it.

    The other streams then fail at once with the connection, instead of each after its own time-out, and later fetches
    use a new one. Closing means shutting down the socket: libcurl owns the descriptor and notices the end.
    """
    connection = curl.getinfo(pycurl.CONN_ID)
    for other in active:
        if other.getinfo(pycurl.CONN_ID) == connection and other.getinfo(pycurl.STARTTRANSFER_TIME) > 0:
            return
    descriptor = curl.getinfo(pycurl.ACTIVESOCKET)
    if descriptor < 0:
        return
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as stalled:
        stalled.shutdown(socket.SHUT_RDWR)
