"""Why something failed, in words: errors of files and of connections without their Python texts."""

from __future__ import annotations

import errno
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTION_REASONS = {
    errno.ECONNREFUSED: "connection refused; nothing listens at this address",
    errno.ECONNRESET: "the connection was reset",
    errno.EPIPE: "the connection was closed",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "the network is unreachable",
    errno.ETIMEDOUT: "the connection timed out",
}
# By the names of exception classes, the first that matches: those of requests and urllib3, which this module does not
# import, and of Python.
REASONS = (
    ({"NameResolutionError", "gaierror"}, "its host name does not resolve; check the address and this machine's DNS"),
    ({"ProxyError"}, "the proxy that the environment names does not connect to it"),
    ({"ConnectTimeoutError", "ConnectTimeout"}, "the connection timed out"),
    ({"ReadTimeoutError", "ReadTimeout", "TimeoutError"}, "no response in time"),
    ({"SSLError"}, "the TLS handshake failed; check that the address uses https"),
    (
        {"RemoteDisconnected", "IncompleteRead", "ChunkedEncodingError"},
        "the connection was closed before the response was complete",
    ),
)


def file_reason(error: BaseException) -> str:
    """Return why a file cannot be read or written, such as `no such file or directory`."""
    if isinstance(error, UnicodeError):
        return "is not UTF-8 text"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return str(error)


def connection_reason(error: BaseException) -> str:
    """Return why there was no response, from the exceptions that the HTTP client has wrapped."""
    wrapped = list(_chain(error))
    certificates = [each for each in wrapped if isinstance(each, ssl.SSLCertVerificationError)]
    if certificates:
        return f"its TLS certificate is not valid: {certificates[0].verify_message}"
    classes = {each.__name__ for one in wrapped for each in type(one).__mro__}
    for names, reason in REASONS:
        if names & classes:
            return reason
    numbers = (each.errno for each in wrapped if isinstance(each, OSError))
    known = [CONNECTION_REASONS[number] for number in numbers if number in CONNECTION_REASONS]
    return known[0] if known else "the connection failed"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps, by its arguments, `reason`, cause and context."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [*each.args, getattr(each, "reason", None), each.__cause__, each.__context__]
