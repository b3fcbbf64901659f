"""A proxy between the functions and the embedded AWS that fails calls by rules: errors, delays, resets, cuts."""

import http.client
import random
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.trust.aws_calls import Call

THROTTLED = {
    "s3": (503, "SlowDown"),
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "stepfunctions": (400, "ThrottlingException"),
    "cloudfront": (400, "Throttling"),
}


class Fault:
    """What happens to a call: `before` it reaches AWS, to the `response`, and `after` the response was sent.

    `before` returns a response that replaces AWS's, or None. Both may raise ConnectionResetError, which resets the
    client's connection. `cut`: the body ends in the middle.
    """

    cut = False

    def before(self, call: Call) -> tuple[int, dict[str, str], bytes] | None:
        """Do nothing."""

    def response(self, call: Call) -> None:
        """Do nothing."""

    def after(self, call: Call) -> None:
        """Do nothing."""


@dataclass
class Answer(Fault):
    """An error instead of AWS's response; without a status, the service's throttling."""

    status: int = 0
    code: str = "InternalError"

    def before(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        service = call.service
        status, code = (self.status, self.code) if self.status else THROTTLED[service]
        if service in {"dynamodb", "stepfunctions"}:
            body = f'{{"__type":"com.amazonaws#{code}","message":"injected"}}'
            return status, {"Content-Type": "application/x-amz-json-1.0"}, body.encode()
        error = f"<Code>{code}</Code><Message>injected</Message><RequestId>r</RequestId>"
        body = (
            f"<Error>{error}</Error>" if service == "s3" else f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
        )
        return status, {"Content-Type": "text/xml"}, body.encode()


@dataclass
class Reset(Fault):
    """A reset before the call reaches AWS, or `lost`: AWS acts, and its response is lost."""

    lost: bool = False

    def before(self, call: Call) -> None:
        if not self.lost:
            raise ConnectionResetError

    def response(self, call: Call) -> None:
        raise ConnectionResetError


@dataclass
class Slow(Fault):
    """Seconds before the call reaches AWS, and before its response is sent."""

    before_seconds: float = 0.0
    response_seconds: float = 0.0

    def before(self, call: Call) -> None:
        time.sleep(self.before_seconds)

    def response(self, call: Call) -> None:
        time.sleep(self.response_seconds)


class Cut(Fault):
    """The response's body ends in the middle."""

    cut = True


@dataclass
class Act(Fault):
    """Call something at a moment: `before`, `response` (done, not yet acknowledged) or `after`."""

    moment: str
    act: Callable[[Call], object]
    resets: bool = False

    def before(self, call: Call) -> None:
        self._at("before", call)

    def response(self, call: Call) -> None:
        self._at("response", call)

    def after(self, call: Call) -> None:
        self._at("after", call)

    def _at(self, moment: str, call: Call) -> None:
        if moment == self.moment:
            self.act(call)
            if self.resets:
                raise ConnectionResetError


@dataclass
class Rule:
    """Which calls a fault affects: those whose name matches, after the first `skip`, at most `times`.

    `share`: the probability for each of them.
    """

    pattern: str
    fault: Fault
    times: float = 1
    skip: int = 0
    share: float = 1.0
    fired: int = 0

    def takes(self, name: str, chance: random.Random) -> bool:
        """Return whether the rule applies to this call, and count it."""
        if self.fired >= self.times or not re.fullmatch(self.pattern, name):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.share < 1 and chance.random() >= self.share:
            return False
        self.fired += 1
        return True


@dataclass
class AwsProxy:
    """Listens on a free loopback port; `upstream` is the port of the embedded AWS, set before the first call."""

    upstream: int = 0
    rules: list[Rule] = field(default_factory=list)
    chance: random.Random = field(default_factory=random.Random)
    calls: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(self, pattern: str, fault: Fault, **limits: Any) -> Rule:
        """Add a rule; the first one that takes a call applies."""
        rule = Rule(pattern, fault, **limits)
        with self._lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Remove all rules and counts."""
        with self._lock:
            self.rules, self.calls = [], Counter()

    def fault(self, call: Call) -> Fault | None:
        """Count a call, and return its fault or None."""
        name = call.name
        with self._lock:
            self.calls[name] += 1
            return next((rule.fault for rule in self.rules if rule.takes(name, self.chance)), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: AwsProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore the error: killed workers drop their connections."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    _upstream: http.client.HTTPConnection | None = None

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(self.command, self.path, headers, body, self.client_address[1])
        fault = self.server.proxy.fault(call)
        try:
            made = fault.before(call) if fault else None
            status, sent, content = made or self._forward(call)
            if fault:
                fault.response(call)
        except ConnectionResetError:
            self._reset()
            return
        self._respond(status, sent, content, cut=bool(fault and fault.cut))
        if fault:
            fault.after(call)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve

    def _forward(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        if self._upstream is None:
            self._upstream = http.client.HTTPConnection("127.0.0.1", self.server.proxy.upstream, timeout=120)
        headers = {name: value for name, value in call.headers.items() if name not in {"expect", "connection"}}
        try:
            self._upstream.request(call.method, call.target, call.body, headers)
            response = self._upstream.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self._upstream.close()
            self._upstream = None
            raise ConnectionResetError from None
        return response.status, dict(response.getheaders()), body

    def _respond(self, status: int, headers: dict[str, str], body: bytes, *, cut: bool) -> None:
        self.send_response_only(status)
        length = headers.pop("Content-Length", str(len(body)))
        for name, value in headers.items():
            if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self._reset()

    def _reset(self) -> None:
        """Close the connection with RST."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""
