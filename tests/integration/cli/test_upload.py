"""Lists that are too long for a request are uploaded, from files and from stdin."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import prewarm_cli.upload
from prewarm.request.url_list import read_url_list
from tests.support.fake_api import RUN, FakeApi, error, fake_api, prewarm

ADDRESS = "s3://bucket/uploads/x/urls.jsonl.gz"
# Texts that other formats of lists would change.
URLS = [f"https://www.example.com/{number}" for number in range(50)] + ["https://www.example.com/é?a= #b,;'\""]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    monkeypatch.setattr(prewarm_cli.upload, "MAX_BODY_BYTES", 1_000)
    with fake_api(monkeypatch, tmp_path) as served:
        served.responses["POST /prewarm"] = [(200, {"requestID": RUN})]
        form = {"url": f"{served.url}/store", "fields": {"key": "the-key", "policy": "p"}, "address": ADDRESS}
        served.responses["POST /uploads"] = [(200, form)]
        served.responses["POST /store"] = [(204, {})]
        yield served


def stored_file(api: FakeApi) -> bytes:
    """Return the file of the form that was sent to the store, after checking the form."""
    (call,) = api.calls_to("POST", "/store")
    assert "x-api-key" not in call.headers
    boundary = call.headers["content-type"].partition("boundary=")[2].encode()
    parts = call.body.split(b"--" + boundary)[1:-1]
    named = {re.search(rb'name="(\w+)"', part)[1]: part.partition(b"\r\n\r\n")[2][:-2] for part in parts}  # type: ignore[index]
    assert list(named) == [b"key", b"policy", b"file"]
    assert named[b"key"] == b"the-key"
    return named[b"file"]


def sent_request(api: FakeApi) -> dict[str, Any]:
    return dict(json.loads(api.calls_to("POST", "/prewarm")[-1].body))


def test_long_file_is_uploaded_and_named_in_the_request(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "urls.json"
    file.write_text(json.dumps(URLS))
    result = prewarm("start", "--file", str(file), "--region", "eu", "--url-list-s3", "s3://b/lists/a.txt")
    request = sent_request(api)
    assert "url_list" not in request
    assert request["url_list_s3"] == ["s3://b/lists/a.txt", ADDRESS]
    body = stored_file(api)
    asked = json.loads(api.calls_to("POST", "/uploads")[0].body)
    assert asked == {"name": "urls.jsonl.gz", "sha256": hashlib.sha256(body).hexdigest()}
    assert [url for _, url in read_url_list(gzip.decompress(body), asked["name"])] == URLS
    assert "uploaded 51 URLs" in result.stderr
    assert result.stdout == f"{RUN}\n"


def test_long_list_from_stdin_is_uploaded(api: FakeApi) -> None:
    prewarm("start", "--file", "-", "--region", "eu", stdin="\n".join(URLS[:50]))
    assert sent_request(api)["url_list_s3"] == [ADDRESS]


def test_line_that_is_too_long_for_a_url_is_named_before_the_upload(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text(f"{URLS[0]}\n{URLS[1]}{'x' * 30_000}\n")
    result = prewarm("start", "--file", str(file), "--region", "eu", code=2)
    assert "urls.txt line 2: has 30,025 characters, too many for a URL" in result.stderr
    assert api.calls == []


def test_own_upload_with_a_long_first_url_is_read_again(api: FakeApi, tmp_path: Path) -> None:
    listed = [URLS[0] + "x" * 5_000, *URLS]
    (tmp_path / "urls.txt").write_text("\n".join(listed[:50]))
    prewarm("start", "--file", str(tmp_path / "urls.txt"), "--region", "eu")
    assert [url for _, url in read_url_list(gzip.decompress(stored_file(api)), "urls.jsonl.gz")] == listed[:50]


def test_same_list_is_the_same_request_each_time(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("\n".join(URLS[:50]))
    for _ in range(2):
        prewarm("start", "--file", str(file), "--region", "eu", "--idempotency-key", "k")
    first, second = api.calls_to("POST", "/uploads")
    assert first.body == second.body


def test_list_that_fits_or_is_invalid_is_sent_as_it_is(api: FakeApi, tmp_path: Path) -> None:
    prewarm("start", URLS[0], "--region", "eu")
    assert sent_request(api)["url_list"] == [URLS[0]]
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"url_list": [7] * 1_000, "region_type": "region", "region": "eu"}))
    prewarm("start", "--request", str(file))
    assert sent_request(api)["url_list"] == [7] * 1_000
    assert api.calls_to("POST", "/uploads") == []


def test_many_short_urls_are_uploaded_too(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prewarm_cli.upload, "MAX_BODY_BYTES", 10**9)
    monkeypatch.setattr(prewarm_cli.upload, "MAX_BODY_URLS", 2)
    prewarm("start", *URLS[:3], "--region", "eu")
    assert sent_request(api)["url_list_s3"] == [ADDRESS]


@pytest.mark.parametrize(
    ("route", "response", "code", "message"),
    [
        ("POST /store", (403, b"<Error/>"), 4, "cannot upload the list: S3 returned 403"),
        ("POST /uploads", (403, error("Forbidden", "no key")), 4, "no key"),
        ("POST /uploads", (200, {"url": "x"}), 4, "field 'fields' is missing"),
    ],
)
def test_upload_that_fails_starts_nothing(
    api: FakeApi, tmp_path: Path, route: str, response: Any, code: int, message: str
) -> None:
    api.responses[route] = [response]
    file = tmp_path / "urls.txt"
    file.write_text("\n".join(URLS[:50]))
    assert message in prewarm("start", "--file", str(file), "--region", "eu", code=code).stderr
    assert api.calls_to("POST", "/prewarm") == []


TARGETS = "url,pop,requests,bytes\nhttps://www.example.com/a,NRT57-P3,3,9\n#end,pairs=1,requests=3\n"


@pytest.mark.parametrize("packed", [False, True])
def test_targets_are_uploaded_and_named_without_a_region(api: FakeApi, tmp_path: Path, *, packed: bool) -> None:
    file = tmp_path / "targets.csv"
    file.write_bytes(gzip.compress(TARGETS.encode()) if packed else TARGETS.encode())
    result = prewarm("start", "--targets", str(file), "--nearest")
    assert sent_request(api) == {"targets_s3": ADDRESS, "nearest": True}
    assert gzip.decompress(stored_file(api)) == TARGETS.encode()
    assert json.loads(api.calls_to("POST", "/uploads")[0].body)["name"] == "targets.csv.gz"
    assert "uploaded targets" in result.stderr


def test_targets_of_a_stream_need_their_end(api: FakeApi) -> None:
    prewarm("start", "--targets", "-", stdin=TARGETS)
    api.calls.clear()
    cut = prewarm("start", "--targets", "-", stdin=TARGETS.partition("#end")[0], code=2)
    assert "--targets stdin: ends after line 2 without #end, so it was cut off; create it again" in cut.stderr
    assert api.calls == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--targets", "-", "--file", "-"], "stdin can be read only once"),
        (["--targets", "none.csv"], "--targets none.csv: "),
        (["--targets", "-", "--targets-s3", "s3://b/k"], "--targets and --targets-s3 cannot be combined"),
    ],
)
def test_wrong_use_of_targets_is_named(api: FakeApi, arguments: list[str], message: str) -> None:
    result = prewarm("start", *arguments, stdin="url,pop\nhttps://www.example.com/a,tokyo\n", code=2)
    assert api.calls == []
    assert message in result.stderr


def test_damaged_line_of_targets_is_named_before_anything_is_sent(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "targets.csv"
    file.write_text("url,pop\nhttps://www.example.com/a,tokyo\n")
    result = prewarm("start", "--targets", str(file), code=2)
    assert api.calls == []
    assert "targets.csv: line 2, column pop: 'TOKYO' is not a POP id" in result.stderr
