"""A fake API on loopback, and the command run against it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner, Result

import prewarm_cli.follow
import prewarm_cli.transport
from prewarm_cli.ci.label import SOURCES
from prewarm_cli.main import app

RUN = "arn:aws:states:eu-west-1:123456789012:execution:prewarm:the-run"
# What makes the command write for a CI server, on which these tests may run.
CI_VARIABLES = {*(source.marker for source in SOURCES.values()), "GITHUB_STEP_SUMMARY"}
URL = ["https://www.example.com/", "--region", "eu"]
Response = tuple[int, Any]


@dataclass
class Call:
    """A request received by the API."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeApi:
    """Serves the responses listed per route and repeats the last one; `None` closes the connection instead."""

    url: str = ""
    responses: dict[str, list[Response | None]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def respond(self, call: Call) -> Response | None:
        self.calls.append(call)
        not_found: list[Response | None] = [(404, error("RouteNotFound", "there is no such route"))]
        listed = self.responses.get(f"{call.method} {call.path}", not_found)
        return listed.pop(0) if len(listed) > 1 else listed[0]

    def calls_to(self, method: str, path: str) -> list[Call]:
        return [call for call in self.calls if (call.method, call.path) == (method, path)]


def error(code: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    """Return an error document of the service."""
    return {"error": {"code": code, "message": message, "details": list(details)}}


@contextmanager
def fake_api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    """Serve on loopback, configure the command to use it, and shorten the command's pauses."""
    fake = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            response = fake.respond(Call(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body))
            if response is None:
                self.connection.close()
                return
            code, document = response
            raw = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(code)
            if code == 302:
                self.send_header("Location", f"{fake.url}/elsewhere")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_DELETE = reply  # noqa: N815 - http.server's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    for name in CI_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREWARM_API_URL", fake.url)
    monkeypatch.setenv("PREWARM_API_KEY", "the-key")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(prewarm_cli.transport, "BACKOFF_SECONDS", 0.0)
    monkeypatch.setattr(prewarm_cli.follow, "MIN_PAUSE", 0.01)
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def prewarm(*arguments: str, code: int = 0, stdin: str | None = None) -> Result:
    """Run the command in this process, and check its exit code."""
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    assert result.exit_code == code, (result.exit_code, result.output, result.exception)
    assert "Traceback" not in result.output
    return result
