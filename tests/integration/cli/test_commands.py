"""The commands against a fake API: requests, output and exit codes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import prewarm_cli.transport
from prewarm import __version__
from tests.support.fake_api import RUN, URL, FakeApi, error, fake_api, prewarm
from tests.support.statuses import running_status, status


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    with fake_api(monkeypatch, tmp_path) as served:
        yield served


def test_start_sends_request_with_key_and_idempotency_key_and_prints_request_id(api: FakeApi) -> None:
    api.responses["POST /prewarm"] = [(200, {"requestID": RUN})]
    result = prewarm("start", *URL, "--staged")
    assert result.stdout == f"{RUN}\n"
    assert "prewarm watch the-run" in result.stderr
    (call,) = api.calls
    assert json.loads(call.body) == {"url_list": URL[:1], "region_type": "region", "region": ["eu"], "staged": True}
    assert call.headers["x-api-key"] == "the-key"
    assert len(call.headers["idempotency-key"]) == 49
    assert json.loads(prewarm("start", *URL, "--idempotency-key", "mine", "--json").stdout) == {"requestID": RUN}
    assert api.calls[1].headers["idempotency-key"] == "mine"


def test_start_retries_a_lost_response_with_the_same_idempotency_key(api: FakeApi) -> None:
    api.responses["POST /prewarm"] = [None, (503, {}), (429, {}), (200, {"requestID": RUN})]
    prewarm("start", *URL)
    keys = {call.headers["idempotency-key"] for call in api.calls_to("POST", "/prewarm")}
    assert (len(api.calls), len(keys)) == (4, 1)


def test_start_with_persistent_service_error_exits_4_and_prints_the_idempotency_key(api: FakeApi) -> None:
    api.responses["POST /prewarm"] = [(500, error("ServiceError", "the service failed to respond"))]
    result = prewarm("start", *URL, "--json", code=4)
    key = api.calls[0].headers["idempotency-key"]
    assert f"--idempotency-key {key}: it starts no second run" in result.stderr
    assert json.loads(result.stdout)["error"]["code"] == "ServiceError"
    assert len(api.calls) == 1 + prewarm_cli.transport.RETRIES


DRY_RUN = {
    "urls": 3,
    "hosts": 2,
    "variants": ["br, gzip"],
    "targets": 30,
    "fetches": 33,
    "batches": 1,
    "stages": 1,
    "distributions": [
        {"domain": "d111abc.cloudfront.net", "urls": 2, "pops": ["A"] * 15, "skippedPops": [], "targets": 30}
    ],
    "noDistribution": {"urls": 1, "hosts": ["elsewhere.example.org"]},
    "invalidation": {"paths": 2, "rounds": 1, "dollars": 0.01, "minutes": 1, "patterns": []},
    "sizes": {"asked": 2, "known": 2},
    "estimatedBytes": 3_000_000,
    "cost": {"dollars": 0.0042},
    "warnings": ["mind the gap"],
}


def test_dry_run_is_sent_once_without_idempotency_key_and_printed_as_text(api: FakeApi) -> None:
    api.responses["POST /prewarm"] = [(200, {"dryRun": DRY_RUN})]
    output = prewarm("start", *URL, "--dry-run").stdout
    for part in (
        "30 targets",
        "33 fetches",
        "15 POPs",
        "elsewhere.example.org",
        "2 paths",
        "3.0 MB",
        "$0.0042",
        "gap",
    ):
        assert part in output
    assert "idempotency-key" not in api.calls[0].headers
    assert json.loads(prewarm("start", *URL, "--dry-run", "--json").stdout) == {"dryRun": DRY_RUN}
    api.calls.clear()
    api.responses["POST /prewarm"] = [(503, {})]
    prewarm("start", *URL, "--dry-run", code=4)
    assert len(api.calls) == 1


def test_dry_run_that_becomes_a_run_is_followed(api: FakeApi) -> None:
    api.responses["POST /prewarm"] = [(200, {"requestID": RUN})]
    ended = status(status="COMPLETED", total=0, completed=0, failedUrl=[], successUrl=[], dryRun=DRY_RUN)
    del ended["failures"]
    api.responses["GET /status"] = [(200, ended)]
    assert "33 fetches" in prewarm("start", *URL, "--dry-run", "--wait").stdout


@pytest.mark.parametrize("option", ["--junit", "--report"])
@pytest.mark.parametrize("command", [["start", "--wait"], ["run", "--distribution", "d111abc.cloudfront.net"]])
def test_dry_run_with_junit_or_report_exits_2_without_a_request(
    api: FakeApi, tmp_path: Path, command: list[str], option: str
) -> None:
    result = prewarm(*command, *URL, "--dry-run", option, str(tmp_path / "x.html"), code=2)
    assert "cannot be combined with --dry-run" in result.stderr
    assert api.calls == []


@pytest.mark.parametrize(("response", "code"), [(400, 2), (404, 2), (409, 2), (413, 2), (403, 4), (500, 4), (302, 4)])
def test_start_maps_error_statuses_to_exit_codes(api: FakeApi, response: int, code: int) -> None:
    api.responses["POST /prewarm"] = [(response, error("SomeError", "the message"))]
    result = prewarm("start", *URL, code=code)
    assert result.stdout == ""
    assert "the message" in result.stderr
    assert not api.calls_to("GET", "/elsewhere"), "the key was sent to a redirect's target"


def test_several_problems_are_printed_on_one_line_each(api: FakeApi) -> None:
    near = {"field": "region[0]", "message": "unknown region 'apca'", "near": ["apac", "ca"]}
    other = {"field": "url_list", "message": "is missing", "near": []}
    api.responses["POST /prewarm"] = [(400, error("InvalidRequest", "both in one line", near, other))]
    lines = prewarm("start", *URL, code=2).stderr.splitlines()
    assert lines[1:] == ["  --region: unknown region 'apca'; did you mean apac or ca?", "  URL: is missing"]


def test_response_that_is_not_json_exits_4(api: FakeApi) -> None:
    api.responses["GET /status"] = [(200, b"<html>a proxy's page</html>")]
    assert "a body that is not JSON" in prewarm("status", "the-run", code=4).stderr


def test_unreachable_address_exits_4(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREWARM_API_URL", "http://127.0.0.1:9")
    assert "cannot reach http://127.0.0.1:9" in prewarm("list", code=4).stderr


def test_missing_address_exits_2_and_mentions_configure(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREWARM_API_URL")
    assert "prewarm configure" in prewarm("list", code=2).stderr
    assert json.loads(prewarm("list", "--json", code=2).stdout)["error"]["code"] == "BadInput"


def test_wait_options_are_checked_before_the_request(api: FakeApi, tmp_path: Path) -> None:
    assert "need --wait" in prewarm("start", *URL, "--junit", str(tmp_path / "x.xml"), code=2).stderr
    assert "the file cannot be written" in prewarm("start", *URL, "--wait", "--junit", str(tmp_path), code=2).stderr
    assert api.calls == []


def test_status_exits_0_without_exit_code_option(api: FakeApi) -> None:
    api.responses["GET /status"] = [(200, status())]
    assert "failed   " in prewarm("status", RUN).stdout
    assert api.calls[0].query == {"requestID": RUN}
    prewarm("status", RUN, "--exit-code", code=1)
    api.responses["GET /status"] = [(200, running_status())]
    prewarm("status", RUN)
    prewarm("status", RUN, "--exit-code", code=3)


def run_line(number: int) -> dict[str, Any]:
    return {
        "requestID": f"{RUN}-{number}",
        "run": f"r{number}",
        "status": "FAILED",
        "startedAt": "then",
        "endedAt": None,
    }


def test_list_reads_pages_up_to_the_limit(api: FakeApi) -> None:
    runs = [run_line(number) for number in range(3)]
    listed = [
        {"runs": runs[:1], "nextToken": "a"},
        {"runs": [], "nextToken": "b"},
        {"runs": runs[1:], "nextToken": "c"},
    ]
    api.responses["GET /runs"] = [(200, each) for each in listed]
    found = json.loads(prewarm("list", "--limit", "3", "--status", "FAILED", "--json").stdout)
    assert found == {"runs": runs}
    assert [call.query for call in api.calls] == [
        {"status": "FAILED", "limit": "3"},
        {"status": "FAILED", "limit": "2", "nextToken": "a"},
        {"status": "FAILED", "limit": "2", "nextToken": "b"},
    ]


def test_list_reports_an_empty_list_with_its_filters(api: FakeApi) -> None:
    api.responses["GET /runs"] = [(200, {"runs": []})]
    empty = prewarm("list", "--status", "TIMEOUT", "--host", "www.example.com")
    assert (empty.stdout, empty.stderr) == ("", "no runs with status TIMEOUT, host www.example.com\n")


def test_cancel_prints_warm_urls_and_a_second_cancel_exits_2(api: FakeApi) -> None:
    ended = (409, error("RunAlreadyEnded", "requestID: the run has ended already"))
    api.responses["DELETE /prewarm"] = [(200, status(reason="cancelled")), (200, status()), ended]
    assert "CANCELLED: 1 of 2 URLs warm, 1 not warm" in prewarm("cancel", "the-run").stdout
    assert json.loads(prewarm("cancel", "the-run", "--json").stdout) == status()
    assert "ended already" in prewarm("cancel", "the-run", code=2).stderr


def test_retry_repeats_a_lost_response_with_one_idempotency_key(api: FakeApi) -> None:
    """The same key for all attempts, so that the service starts one run; a new key for a new retry."""
    api.responses["POST /retry"] = [(200, {"requestID": RUN, "retryOf": RUN, "urls": 7}), None]
    result = prewarm("retry", "the-run")
    assert (result.stdout, "7 URLs" in result.stderr) == (f"{RUN}\n", True)
    first = api.calls[0].headers["idempotency-key"]
    prewarm("retry", "the-run", code=4)
    (again,) = {call.headers["idempotency-key"] for call in api.calls[1:]}
    assert len(api.calls) > 2
    assert again != first


def test_version_option_prints_the_version() -> None:
    assert prewarm("--version").stdout == f"prewarm {__version__}\n"


def test_main_imports_no_slow_modules() -> None:
    code = "import prewarm_cli.main, sys; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert loaded & {"boto3", "moto", "requests", "pydantic", "pycurl", "dns", "prewarm_local.stack.stack"} == set()


@pytest.mark.parametrize("distribution", ["www", "a/b.example.com"])
def test_run_rejects_an_invalid_distribution_before_starting_the_service(distribution: str) -> None:
    result = prewarm("run", *URL, "--distribution", distribution, code=2)
    assert "is not a distribution" in result.stderr
