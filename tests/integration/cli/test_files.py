"""Files written by the command: reports and the configuration."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_api import RUN, FakeApi, error, fake_api, prewarm


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    with fake_api(monkeypatch, tmp_path) as served:
        yield served


def test_report_is_downloaded_without_sending_the_api_key(api: FakeApi, tmp_path: Path) -> None:
    link = {"requestID": RUN, "format": "csv", "url": f"{api.url}/store?signature=s", "expiresInSeconds": 300}
    api.responses["GET /report"] = [(200, link)]
    api.responses["GET /store"] = [(503, {}), (200, b"url,outcome\n")]
    file = tmp_path / "report.csv"
    result = prewarm("report", "the-run", "--format", "csv", "--output", str(file))
    assert file.read_bytes() == b"url,outcome\n"
    assert (result.stdout, "12 bytes" in result.stderr) == ("", True)
    assert api.calls[0].query == {"requestID": "the-run", "format": "csv"}
    assert all("x-api-key" not in call.headers for call in api.calls_to("GET", "/store"))
    assert prewarm("report", "the-run", "--format", "csv").stdout_bytes == b"url,outcome\n"
    assert json.loads(prewarm("report", "the-run", "--format", "csv", "--json").stdout) == link
    written = json.loads(prewarm("report", "the-run", "--format", "csv", "-o", str(file), "--json").stdout)
    assert written == link | {"output": str(file), "bytes": 12}


@pytest.mark.parametrize(
    ("code", "name", "exit_code"), [(409, "RunInProgress", 2), (404, "ReportNotFound", 2), (500, "X", 4)]
)
def test_report_that_is_missing_writes_no_file(
    api: FakeApi, tmp_path: Path, code: int, name: str, exit_code: int
) -> None:
    api.responses["GET /report"] = [(code, error(name, "wait until it ends"))]
    prewarm("report", "the-run", "--output", str(tmp_path / "r.html"), code=exit_code)
    assert list(tmp_path.iterdir()) == []


def test_failed_download_keeps_the_old_file(api: FakeApi, tmp_path: Path) -> None:
    api.responses["GET /report"] = [(200, {"url": f"{api.url}/store"})]
    api.responses["GET /store"] = [(403, b"<Error/>")]
    file = tmp_path / "r.html"
    file.write_text("old")
    assert "returned 403" in prewarm("report", "the-run", "--output", str(file), code=4).stderr
    assert (file.read_text(), len(list(tmp_path.iterdir()))) == ("old", 1)


def test_configure_reads_the_key_from_stdin_and_commands_use_the_file(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREWARM_API_URL")
    monkeypatch.delenv("PREWARM_API_KEY")
    api.responses["GET /runs"] = [(200, {"runs": []})]
    result = prewarm("configure", "--api-url", f"{api.url}/", "--json", stdin="filed-key\n")
    file = tmp_path / "config" / "prewarm" / "config.toml"
    assert json.loads(result.stdout) == {"config": str(file), "apiUrl": api.url}
    assert "filed-key" not in result.output
    prewarm("list")
    assert [call.headers["x-api-key"] for call in api.calls] == ["filed-key", "filed-key"]
    assert "no API key on stdin" in prewarm("configure", "--api-url", api.url, stdin="", code=2).stderr
    assert "pass --api-url" in prewarm("configure", stdin="k", code=2).stderr
