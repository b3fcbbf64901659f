"""Standard access logs (legacy) of the distributions: one line for each request that a POP has answered.

Source: CloudFront Developer Guide, "Standard logging reference" (the 33 fields and their order, the characters that
are percent-encoded, hyphens) and "Configure standard logging (legacy)" (gzip, #Version and #Fields lines, file names
`ID.YYYY-MM-DD-HH.unique.gz`). Lines say what the edge has answered, to whom: viewers, and whatever warms it.
"""

from __future__ import annotations

import gzip
import time
import uuid
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prewarm_local.edge.content import State
from prewarm_local.edge.response import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from prewarm_local.edge.request import Request

FIELDS = (
    "date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status",
    "cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id",
    "x-host-header", "cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher",
    "x-edge-response-result-type", "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port",
    "time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start",
    "sc-range-end",
)  # fmt: skip
HEADER = f"#Version: 1.0\n#Fields: {' '.join(FIELDS)}\n"
ENCODED = frozenset("<>\"#%{}|\\^~[]`'")
"""The characters that are percent-encoded in values, next to those up to 32 and from 127 on."""
GONE = "000"
"""The status of a request whose viewer left before it was answered."""
LINE = ": \r\n"
"""What a header's name, value and line have between and behind them."""


def encode(value: str) -> str:
    """Return a value as a log has it; `value` has one character for each byte."""
    if not value:
        return "-"
    return "".join(
        f"%{ord(sign):02X}" if sign <= " " or sign >= "\x7f" or sign in ENCODED else sign for sign in value
    )


class AccessLog:
    """Collects the records of requests; `deliver` writes them as files to the folder.

    `at`: the time of the simulation's day when the log begins, in seconds since the epoch; it passes from there as
    time does.
    """

    def __init__(self, folder: Path, at: float | None = None, clock: Callable[[], float] = time.time) -> None:
        """Begin an empty log."""
        self.folder = folder
        self._clock = clock
        self._ahead = 0.0 if at is None else at - clock()
        self._lines: dict[tuple[str, str], list[str]] = defaultdict(list)

    def now(self) -> float:
        """Return the time of the simulation's day, in seconds since the epoch."""
        return self._clock() + self._ahead

    def add(self, domain: str, pop: str, values: dict[str, str]) -> None:
        """Record a request of a distribution at a POP; `values` by field, without those that this fills in."""
        moment = datetime.fromtimestamp(self.now(), UTC)
        own = {"date": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M:%S}", "x-edge-location": pop, "cs(Host)": domain}
        line = "\t".join((own | values).get(field, "-") for field in FIELDS)
        self._lines[domain, f"{moment:%Y-%m-%d-%H}"].append(line)

    def deliver(self) -> list[Path]:
        """Write the records so far, one file for each distribution and hour, and return the files."""
        delivered = []
        self.folder.mkdir(parents=True, exist_ok=True)
        for (domain, hour), lines in self._lines.items():
            prefix = domain.partition(".")[0].upper()
            path = self.folder / f"E{prefix}.{hour}.{uuid.uuid4().hex[:8]}.gz"
            path.write_bytes(gzip.compress((HEADER + "\n".join(lines) + "\n").encode(), 1))
            delivered.append(path)
        self._lines.clear()
        return delivered


class Record:
    """A request in progress; `answered` and `ended` make its line."""

    __slots__ = ("_begun", "_domain", "_first", "_log", "_pop", "_request")

    def __init__(self, log: AccessLog, domain: str, pop: str, request: Request) -> None:
        """Begin with the request's arrival."""
        self._log, self._domain, self._pop, self._request = log, domain, pop, request
        self._begun = self._first = time.monotonic()

    def answered(self, response: Response) -> Response:
        """Return the response, which ends the record when it has been sent."""
        self._first = time.monotonic()
        response.on_end = lambda whole, sent: self._ended(response, whole=whole, sent=sent)
        return response

    async def later(self, result: Coroutine[None, None, Response]) -> Response:
        """Return the response that a coroutine has; record a viewer that leaves before."""
        try:
            return self.answered(await result)
        except BaseException:
            self._add(GONE, 0, "Error", {"x-edge-detailed-result-type": "ClientHungUpRequest"})
            raise
        finally:
            result.close()

    def _ended(self, response: Response, *, whole: bool, sent: int | None) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in response.headers}
        kind = headers.get("x-cache", "Error").removesuffix(" from cloudfront")
        body = response.body
        count = sent if sent is not None else body.available if whole and body is not None else 0
        head = sum(len(name) + len(value) + len(LINE) for name, value in headers.items())
        status_line = len(f"HTTP/1.1 {response.status}\r\n\r\n")
        more = {
            "x-edge-response-result-type": kind,
            "x-edge-request-id": headers.get("x-amz-cf-id", "-"),
            "sc-content-type": encode(headers.get("content-type", "")),
            "sc-content-len": headers.get("content-length", "-"),
            "time-to-first-byte": f"{self._first - self._begun:.3f}",
        }
        if not whole:
            broken = body is not None and body.state is State.BROKEN
            more["x-edge-detailed-result-type"] = "OriginCommError" if broken else "ClientCommError"
            kind = "Error"
        self._add(str(response.status), status_line + head + count, kind, more)

    def _add(self, status: str, size: int, kind: str, more: dict[str, str]) -> None:
        request, connection = self._request, self._request.connection
        stem, _, query = request.target.partition("?")
        sent = {name: value for name, value in request.headers.items() if not name.startswith(":")}
        values = {
            "sc-bytes": str(size),
            "cs-method": request.method,
            "cs-uri-stem": encode(stem),
            "sc-status": status,
            "cs(Referer)": encode(sent.get("referer", "")),
            "cs(User-Agent)": encode(sent.get("user-agent", "")),
            "cs-uri-query": encode(query),
            "x-edge-result-type": kind,
            "x-edge-detailed-result-type": kind,
            "x-host-header": encode(request.host),
            "cs-bytes": str(len(request.target) + sum(len(name) + len(value) + 4 for name, value in sent.items())),
            "time-taken": f"{time.monotonic() - self._begun:.3f}",
            "x-forwarded-for": encode(sent.get("x-forwarded-for", "")),
        }
        if connection is not None:
            values |= {
                "c-ip": connection.address,
                "c-port": str(connection.port),
                "cs-protocol": connection.scheme,
                "cs-protocol-version": connection.version,
                "ssl-protocol": connection.tls or "-",
                "ssl-cipher": connection.cipher or "-",
            }
        self._log.add(self._domain, self._pop, values | more)


def recorded(
    record: Record, result: Response | Coroutine[None, None, Response]
) -> Response | Coroutine[None, None, Response]:
    """Return a POP's result, which completes the record when the response has been sent."""
    return record.answered(result) if isinstance(result, Response) else record.later(result)
