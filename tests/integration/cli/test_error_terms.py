"""Problems in the user's terms: the option, the file and its line, without Python's and the libraries' texts."""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3

from prewarm.errors import RefusedRequest
from prewarm.request.model import PrewarmRequest
from prewarm.request.validation import check_request
from prewarm_cli.failure_reasons import connection_reason
from prewarm_cli.options.user_request import FIELDS
from tests.support.fake_api import FakeApi, error, fake_api, prewarm
from tests.support.statuses import status

FOREIGN = (
    *("region[", "url_list[", "accept_encodings", "allow_unknown", "requestID", "[Errno"),
    *("Value error", "Input should", "HTTPConnection", "pydantic"),
)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    """Serve the service's own validation of requests."""
    with fake_api(monkeypatch, tmp_path) as served:

        def respond(call: Any) -> tuple[int, Any]:
            try:
                check_request(json.loads(call.body))
            except RefusedRequest as refused:
                return 400, refused.as_json()
            return 200, {"requestID": "x"}

        monkeypatch.setattr(served, "respond", respond)
        yield served


def shown_for(*arguments: str) -> str:
    shown = prewarm("start", *arguments, code=2).stderr
    assert not [text for text in FOREIGN if text in shown], shown
    return shown


URL = "https://www.example.com/"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([URL, "--region", "apca"], "--region: unknown region 'apca'; did you mean apac"),
        ([URL, "--country", "eu,japn"], "--country: unknown country 'japn'; did you mean"),
        ([URL, "--pop", "TOKYO"], "--pop: 'TOKYO' is not a valid POP id"),
        (["www.example.com", "--region", "eu"], "did you mean https://www.example.com/?"),
        (["www.example.com/a b?c#d", "--region", "eu"], "did you mean https://www.example.com/a%20b?c?"),
        ([URL, "www.example.com", "--region", "eu"], "URL 2: 'www.example.com' has no scheme"),
        ([URL, "--pop", "XXX99-C1"], "pass --allow-unknown-pops to use it anyway"),
        ([URL, "--region", "eu", "--max-rps", "0"], "--max-rps: must be at least 0.1, got 0"),
        ([URL, "--region", "eu", "--timeout-minutes", "0"], "--timeout-minutes: must be at least 1"),
        ([URL, "--region", "eu", "--accept-encoding", "x" * 300], "--accept-encoding: must have at most 256"),
        ([URL, "--region", "eu", "--header", "Host: x"], "--header Host: "),
        ([URL, "--region", "eu", "--cf-domain", "example.com"], "--cf-domain: must be a distribution's domain"),
        ([URL, "--region", "eu", "--invalidate-path", "*"], "--invalidate-path: "),
        (
            ["--sitemap", "www.example.com/sitemap.xml", "--region", "eu"],
            "--sitemap: 'www.example.com/sitemap.xml' has",
        ),
        (["--sitemap", "www.example.com/x", "--region", "eu"], "did you mean https://www.example.com/x?"),
        (["--sitemap", '{"url": "https://a.example.com/", "sinc": "x"}', "--region", "eu"], "--sitemap sinc: "),
        *(
            ([URL, "--region", "eu", option, value], f"{option}: must be a finite number, got {value}")
            for option in ("--max-rps", "--min-warm-percent")
            for value in ("nan", "inf", "-inf")
        ),
        ([URL, "--region", "eu", "--idempotency-key", ""], "--idempotency-key: is empty; set the variable"),
        (
            [URL, "--region", "eu", "--accept-encoding", "banana"],
            "--accept-encoding: must be an Accept-Encoding value",
        ),
        (["--url-list-s3", "bucket/key", "--region", "eu"], "--url-list-s3: 'bucket/key' is not an S3 address"),
    ],
)
def test_problem_of_an_option_names_it(api: FakeApi, arguments: list[str], text: str) -> None:
    assert text in shown_for(*arguments)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["list", "--limit", "0"], "--limit': must be at least 1, got 0"),
        (["list", "--limit", "x"], "--limit': 'x' is not a whole number"),
        (["list", "--limit", "1.5"], "--limit': '1.5' is not a whole number"),
        (["list", "--status", "done"], "--status': 'done' is not one of 'COMPLETED', 'FAILED'"),
        (["local", "--port", "70000"], "--port': must be at most 65535, got 70000"),
        (["start", URL, "--max-rps", "fast"], "--max-rps': 'fast' is not a number"),
        (["report", "x", "--format", "pdf"], "--format': 'pdf' is not one of 'html', 'json', 'csv'"),
    ],
)
def test_value_of_the_wrong_kind_is_explained_without_the_librarys_text(arguments: list[str], text: str) -> None:
    shown = " ".join(prewarm(*arguments, code=2).stderr.split())
    assert text in shown
    assert not [foreign for foreign in FOREIGN if foreign in shown], shown


@pytest.mark.parametrize("command", ["status", "report", "cancel", "retry", "watch"])
def test_run_that_does_not_exist_leads_to_the_list_of_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    message = "requestID: run 'x' does not exist; GET /runs lists the runs"
    with fake_api(monkeypatch, tmp_path) as served:
        answer = (404, {"error": {"code": "RunNotFound", "message": message}})
        monkeypatch.setattr(served, "respond", lambda _: answer)
        shown = prewarm(command, "x", code=2).stderr
    assert "ID: run 'x' does not exist; `prewarm list` prints the runs" in shown
    assert not [foreign for foreign in FOREIGN if foreign in shown], shown


def test_problem_of_a_list_names_the_file_and_its_line(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text(f"# comment\n{URL}\n\nwww.example.com\n{URL}b\nftp://example.com/\n")
    shown = shown_for("--file", str(file), "--region", "eu").splitlines()
    assert shown[0] == "prewarm: the request has several problems:"
    assert shown[1].startswith(f"  {file} line 4: 'www.example.com' has no scheme")
    assert shown[1].endswith("did you mean https://www.example.com/?")
    assert shown[2].startswith(f"  {file} line 6: 'ftp://example.com/' ")


def test_more_problems_than_are_listed_are_counted(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "urls.txt").write_text("\n".join(f"ftp://example.com/{number}" for number in range(30)))
    shown = shown_for("--file", str(tmp_path / "urls.txt"), "--region", "eu").splitlines()
    assert (len(shown), shown[-1]) == (22, "  … and 10 more problems")


def test_problem_of_a_request_file_names_its_line(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    document = {"url_list": [URL, "www.example.com"], "region_type": "region", "region": ["apca"], "max_rps": 0.0}
    file.write_text(json.dumps(document, indent=1))
    shown = prewarm("start", "--request", str(file), code=2).stderr
    assert f"{file} line 4: url_list[1]: 'www.example.com' has no scheme" in shown
    assert f"{file} line 8: region[0]: unknown region 'apca'; did you mean apac" in shown
    assert f"{file} line 10: max_rps: must be at least 0.1, got 0" in shown
    overridden = prewarm("start", "--request", str(file), "--region", "eux", "--max-rps", "1", code=2).stderr
    assert "--region: unknown region 'eux'" in overridden


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--file", "/none/urls.txt"], "--file /none/urls.txt: no such file or directory"),
        (["--file", "/"], "--file /: is a directory"),
        (["--request", "/none"], "--request /none: no such file or directory"),
        ([URL, "--sitemap", "{oops"], "--sitemap {oops: not valid JSON at column 2"),
    ],
)
def test_file_that_cannot_be_read_is_explained(api: FakeApi, arguments: list[str], text: str) -> None:
    assert text in shown_for(*arguments, "--region", "eu")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'{"a": 1,\n}', "line 2 column 1: not valid JSON"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"[" * 100_000, "is nested too deeply"),
        (b"[]", "must be a JSON object"),
        (
            b'{"url_list": ["https://www.example.com/"], "region_type": "region", "region": "eu", "max_rps": 1e400}',
            "finite",
        ),
    ],
)
def test_broken_request_file_is_explained(api: FakeApi, tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "request.json").write_bytes(content)
    assert text in shown_for("--request", str(tmp_path / "request.json"))


def test_headers_of_a_file_are_not_dropped_for_those_of_options(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text('{"url_list": ["https://www.example.com/"], "headers": ["x"]}')
    shown = prewarm("start", "--request", str(tmp_path / "request.json"), "--header", "a:b", "--region", "eu", code=2)
    assert "request.json line 1: headers: must be an object, to which --header adds" in shown.stderr
    assert api.calls == []


def test_problem_of_an_idempotency_key_names_its_option(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    message = "does not apply to a dry run; remove it"
    refused = error("InvalidRequest", message, {"field": "Idempotency-Key", "message": message, "near": []})
    with fake_api(monkeypatch, tmp_path) as served:
        served.responses["POST /prewarm"] = [(400, refused)]
        shown = prewarm("start", URL, "--region", "eu", "--dry-run", "--idempotency-key", "k", code=2).stderr
    assert f"--idempotency-key: {message}" in shown


def test_run_that_is_rejected_later_names_the_option(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cause = "max_rps: 900 fetches take 90 minutes | no distribution serves it: www.example.com"
    rejected = status(failedUrl=[], failures=[], error="Prewarm.InvalidRequest", cause=cause)
    with fake_api(monkeypatch, tmp_path) as served:
        served.responses["POST /prewarm"] = [(200, {"requestID": "x"})]
        served.responses["GET /status"] = [(200, rejected)]
        shown = prewarm("start", URL, "--region", "eu", "--max-rps", "1", "--wait", code=2).stdout
        assert "--max-rps: 900 fetches take 90 minutes | no distribution serves it: www.example.com" in shown
        document = prewarm("start", URL, "--region", "eu", "--max-rps", "1", "--wait", "--json", code=2).stdout
        assert json.loads(document)["cause"] == cause


def test_fields_of_requests_are_those_of_the_model() -> None:
    assert {*PrewarmRequest.model_fields, "target_type", "label"} == FIELDS


def wrapped(reason: Exception) -> requests.ConnectionError:
    """Return an exception as requests raises it."""
    pool = urllib3.HTTPSConnectionPool("api.example.com")
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/", reason))


def certificate_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


def caused(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            wrapped(urllib3.exceptions.NameResolutionError("a.example", None, socket.gaierror(-2, "x"))),  # type: ignore[arg-type]
            "does not resolve",
        ),
        (
            wrapped(urllib3.exceptions.SSLError(certificate_error())),
            "TLS certificate is not valid: self-signed certificate",
        ),
        (wrapped(urllib3.exceptions.SSLError(ssl.SSLError("WRONG_VERSION_NUMBER"))), "TLS handshake failed"),
        (requests.ReadTimeout("HTTPConnectionPool: Read timed out"), "no response in time"),
        (requests.ConnectTimeout("x"), "the connection timed out"),
        (requests.ConnectionError(caused(OSError("x"), ConnectionResetError(104, "reset"))), "was reset"),
        (
            requests.ConnectionError(
                urllib3.exceptions.ProtocolError("Connection aborted.", http.client.RemoteDisconnected("x"))
            ),
            "closed before the response",
        ),
        (requests.exceptions.ProxyError("x"), "proxy"),
        (requests.ConnectionError("HTTPSConnectionPool(host='x')"), "the connection failed"),
    ],
)
def test_connection_that_fails_is_explained_without_the_clients_text(error: Exception, text: str) -> None:
    reason = connection_reason(error)
    assert text in reason
    assert "Pool" not in reason
