"""An API of a test's own making on loopback, and the command before it."""

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

import prewarm_cli.api_client
import prewarm_cli.follow
from prewarm_cli.main import app
from tests.unit.prewarm_cli.output.test_text import BAD, GOOD, status

RUN = "arn:aws:states:eu-west-1:123456789012:execution:prewarm:the-run"
URL = ["https://www.example.com/", "--region", "eu"]
Answer = tuple[int, Any]


@dataclass
class Call:
    """One request as the API got it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeApi:
    """Answers from a list per route, the last one again and again; `None` for an answer breaks the connection."""

    url: str = ""
    answers: dict[str, list[Answer | None]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def answer(self, call: Call) -> Answer | None:
        self.calls.append(call)
        listed = self.answers.get(
            f"{call.method} {call.path}", [(404, error("RouteNotFound", "there is no such route"))]
        )
        found: Answer | None = listed.pop(0) if len(listed) > 1 else listed[0]
        return found

    def of(self, method: str, path: str) -> list[Call]:
        return [call for call in self.calls if (call.method, call.path) == (method, path)]


def error(code: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": list(details)}}


@contextmanager
def fake_api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    """Serve on loopback, and let the command find it by the environment and be quick."""
    fake = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = fake.answer(Call(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body))
            if answer is None:
                self.connection.close()
                return
            code, document = answer
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
    monkeypatch.setenv("PREWARM_API_URL", fake.url)
    monkeypatch.setenv("PREWARM_API_KEY", "the-key")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(prewarm_cli.api_client, "BACKOFF_SECONDS", 0.0)
    monkeypatch.setattr(prewarm_cli.follow, "SHORTEST_PAUSE", 0.01)
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def prewarm(*arguments: str, code: int = 0, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    assert result.exit_code == code, (result.exit_code, result.output, result.exception)
    assert "Traceback" not in result.output
    return result


def going(**more: Any) -> dict[str, Any]:
    """A status of a run that goes on, with nothing decided."""
    lists = {"failedUrl": [], "successUrl": [], "inProgressUrl": [GOOD, BAD], "failures": []}
    return status(status="IN_PROGRESS", completed=0, inProgress=2, **lists) | more


def warm() -> dict[str, Any]:
    return status(status="COMPLETED", failedUrl=[], successUrl=[GOOD, BAD], failures=[])
