"""CreateInvalidation against a server that answers as CloudFront does at busy times, over HTTP."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from resolve.distributions.cloudfront_client import cloudfront_client
from resolve.invalidation_calls import CloudFrontBusy, PatientCloudFront
from resolve.invalidation_rounds import InvalidationBatch

BATCH = InvalidationBatch("E1", "", "run-E1-0", ["/a", "/b?c=d"])
XMLNS = 'xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"'
CREATED = (
    f"<Invalidation {XMLNS}><Id>I1</Id><Status>InProgress</Status><CreateTime>2026-01-01T00:00:00Z</CreateTime>"
    "</Invalidation>"
)


class Busy(http.server.ThreadingHTTPServer):
    """CloudFront on loopback: answers `answers` in order, the last one again and again."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers: list[tuple[int, str]] = []
        self.bodies: list[bytes] = []


class Answer(http.server.BaseHTTPRequestHandler):
    server: Busy

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        status, code = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        error = f"<ErrorResponse {XMLNS}><Error><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"
        body = (CREATED if status == 201 else error).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Busy]:
    with Busy() as busy:
        threading.Thread(target=busy.serve_forever, daemon=True).start()
        for name, value in {
            "AWS_ENDPOINT_URL_CLOUDFRONT": f"http://127.0.0.1:{busy.server_port}",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield busy
        busy.shutdown()


def calls(pauses: list[float]) -> PatientCloudFront:
    return PatientCloudFront(
        lambda _account: cloudfront_client(attempts=1), 840, clock=lambda: sum(pauses), sleep=pauses.append
    )


@pytest.mark.parametrize("busy", [(503, "ServiceUnavailable"), (400, "Throttling"), (503, "SlowDown")])
def test_busy_cloudfront_is_asked_until_it_accepts_with_one_reference(server: Busy, busy: tuple[int, str]) -> None:
    server.answers = [*[busy] * 9, (201, "")]
    pauses: list[float] = []
    assert calls(pauses).create(BATCH) == {"distributionId": "E1", "invalidationId": "I1"}
    assert len(server.bodies) == 10
    assert set(server.bodies) == {server.bodies[0]}
    assert b"<CallerReference>run-E1-0</CallerReference>" in server.bodies[0]
    assert sum(pauses) > 30


@pytest.mark.parametrize(
    ("answer", "raised", "asked_once"),
    [
        ((503, "ServiceUnavailable"), CloudFrontBusy, False),
        ((400, "Throttling"), CloudFrontBusy, False),
        ((400, "TooManyInvalidationsInProgress"), ClientError, True),
        ((400, "InvalidArgument"), ClientError, True),
        ((403, "AccessDenied"), ClientError, True),
    ],
)
def test_busy_cloudfront_is_asked_for_minutes_and_a_rejection_is_final(
    server: Busy, answer: tuple[int, str], raised: Any, asked_once: bool
) -> None:
    server.answers = [answer]
    pauses: list[float] = []
    with pytest.raises(raised) as caught:
        calls(pauses).create(BATCH)
    assert (len(server.bodies) == 1) is asked_once
    assert (sum(pauses) > 120) is not asked_once
    assert type(caught.value).__name__ in {"CloudFrontBusy", "TooManyInvalidationsInProgress", "InvalidArgument",
                                           "AccessDenied"}  # fmt: skip
