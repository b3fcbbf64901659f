"""The commands before a fake API: what they send, what they print, how they leave."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import prewarm_cli.api_client
from prewarm import __version__
from tests.support.fake_api import RUN, URL, FakeApi, error, fake_api, going, prewarm
from tests.unit.prewarm_cli.output.test_text import status


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    with fake_api(monkeypatch, tmp_path) as served:
        yield served


def test_start_sends_the_request_with_key_and_idempotency_key_and_prints_the_request_id(api: FakeApi) -> None:
    api.answers["POST /prewarm"] = [(200, {"requestID": RUN})]
    result = prewarm("start", *URL, "--staged")
    assert result.stdout == f"{RUN}\n"
    assert "prewarm watch the-run" in result.stderr
    (call,) = api.calls
    assert json.loads(call.body) == {"url_list": URL[:1], "region_type": "region", "region": ["eu"], "staged": True}
    assert call.headers["x-api-key"] == "the-key"
    assert len(call.headers["idempotency-key"]) == 49
    assert json.loads(prewarm("start", *URL, "--idempotency-key", "mine", "--json").stdout) == {"requestID": RUN}
    assert api.calls[1].headers["idempotency-key"] == "mine"


def test_a_lost_answer_is_asked_for_again_under_the_same_key(api: FakeApi) -> None:
    api.answers["POST /prewarm"] = [None, (503, {}), (429, {}), (200, {"requestID": RUN})]
    prewarm("start", *URL)
    keys = {call.headers["idempotency-key"] for call in api.of("POST", "/prewarm")}
    assert (len(api.calls), len(keys)) == (4, 1)


def test_a_service_that_stays_broken_is_exit_4_and_names_the_key_to_repeat_it_with(api: FakeApi) -> None:
    api.answers["POST /prewarm"] = [(500, error("ServiceError", "the service failed to response"))]
    result = prewarm("start", *URL, "--json", code=4)
    key = api.calls[0].headers["idempotency-key"]
    assert f"--idempotency-key {key} starts no second run" in result.stderr
    assert json.loads(result.stdout)["error"]["code"] == "ServiceError"
    assert len(api.calls) == 1 + prewarm_cli.api_client.RETRIES


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
    "invalidation": {"paths": 2, "rounds": 1},
    "sizes": {"asked": 2, "known": 2},
    "estimatedBytes": 3_000_000,
    "cost": {"dollars": 0.0042},
    "warnings": ["mind the gap"],
}


def test_a_dry_run_is_sent_once_without_a_key_and_told_in_words(api: FakeApi) -> None:
    api.answers["POST /prewarm"] = [(200, {"dryRun": DRY_RUN})]
    shown = prewarm("start", *URL, "--dry-run").stdout
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
        assert part in shown
    assert "idempotency-key" not in api.calls[0].headers
    assert json.loads(prewarm("start", *URL, "--dry-run", "--json").stdout) == {"dryRun": DRY_RUN}
    api.calls.clear()
    api.answers["POST /prewarm"] = [(503, {})]
    prewarm("start", *URL, "--dry-run", code=4)
    assert len(api.calls) == 1


def test_a_dry_run_that_takes_long_is_waited_for(api: FakeApi) -> None:
    api.answers["POST /prewarm"] = [(200, {"requestID": RUN})]
    told = status(status="COMPLETED", total=0, completed=0, failedUrl=[], successUrl=[], dryRun=DRY_RUN)
    del told["failures"]
    api.answers["GET /status"] = [(200, told)]
    assert "33 fetches" in prewarm("start", *URL, "--dry-run", "--wait").stdout


@pytest.mark.parametrize("option", ["--junit", "--report"])
@pytest.mark.parametrize("command", [["start", "--wait"], ["run", "--distribution", "d111abc.cloudfront.net"]])
def test_a_dry_run_is_asked_for_no_file_that_it_would_not_write(
    api: FakeApi, tmp_path: Path, command: list[str], option: str
) -> None:
    refused = prewarm(*command, *URL, "--dry-run", option, str(tmp_path / "x.html"), code=2)
    assert "a dry run warms nothing" in refused.stderr
    assert api.calls == []


@pytest.mark.parametrize(("response", "code"), [(400, 2), (404, 2), (409, 2), (413, 2), (403, 4), (500, 4), (302, 4)])
def test_answers_become_exit_codes(api: FakeApi, response: int, code: int) -> None:
    api.answers["POST /prewarm"] = [(response, error("Told", "what is wrong"))]
    result = prewarm("start", *URL, code=code)
    assert result.stdout == ""
    assert "what is wrong" in result.stderr
    assert not api.of("GET", "/elsewhere"), "the key went along with a redirect"


def test_every_problem_has_a_line_of_its_own(api: FakeApi) -> None:
    near = {"field": "region[0]", "message": "unknown region 'apca'", "near": ["apac", "ca"]}
    other = {"field": "url_list", "message": "is missing", "near": []}
    api.answers["POST /prewarm"] = [(400, error("InvalidRequest", "both in one line", near, other))]
    lines = prewarm("start", *URL, code=2).stderr.splitlines()
    assert lines[1:] == ["  region[0]: unknown region 'apca'; did you mean apac or ca?", "  url_list: is missing"]


def test_an_answer_that_is_no_json_is_the_services_fault(api: FakeApi) -> None:
    api.answers["GET /status"] = [(200, b"<html>a proxy's page</html>")]
    assert "no JSON" in prewarm("status", "the-run", code=4).stderr


def test_nobody_there_is_exit_4(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREWARM_API_URL", "http://127.0.0.1:9")
    assert "cannot reach http://127.0.0.1:9" in prewarm("list", code=4).stderr


def test_no_address_is_exit_2_and_names_configure(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREWARM_API_URL")
    assert "prewarm configure" in prewarm("list", code=2).stderr
    assert json.loads(prewarm("list", "--json", code=2).stdout)["error"]["code"] == "BadInput"


def test_options_that_need_wait_say_so(api: FakeApi, tmp_path: Path) -> None:
    assert "need --wait" in prewarm("start", *URL, "--junit", str(tmp_path / "x.xml"), code=2).stderr
    assert "no file can be written" in prewarm("start", *URL, "--wait", "--junit", str(tmp_path), code=2).stderr
    assert api.calls == []


def test_status_is_exit_0_whatever_it_says_unless_asked(api: FakeApi) -> None:
    api.answers["GET /status"] = [(200, status())]
    assert "failed   " in prewarm("status", RUN).stdout
    assert api.calls[0].query == {"requestID": RUN}
    prewarm("status", RUN, "--exit-code", code=1)
    api.answers["GET /status"] = [(200, going())]
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


def test_list_goes_through_pages_until_it_has_enough(api: FakeApi) -> None:
    runs = [run_line(number) for number in range(3)]
    listed = [
        {"runs": runs[:1], "nextToken": "a"},
        {"runs": [], "nextToken": "b"},
        {"runs": runs[1:], "nextToken": "c"},
    ]
    api.answers["GET /runs"] = [(200, each) for each in listed]
    found = json.loads(prewarm("list", "--limit", "3", "--status", "FAILED", "--json").stdout)
    assert found == {"runs": runs}
    assert [call.query for call in api.calls] == [
        {"status": "FAILED", "limit": "3"},
        {"status": "FAILED", "limit": "2", "nextToken": "a"},
        {"status": "FAILED", "limit": "2", "nextToken": "b"},
    ]


def test_list_shows_a_line_a_run_and_says_when_there_is_none(api: FakeApi) -> None:
    api.answers["GET /runs"] = [(200, {"runs": [run_line(1)]}), (200, {"runs": []})]
    assert prewarm("list").stdout == "r1  FAILED       then\n"
    empty = prewarm("list", "--status", "TIMEOUT")
    assert (empty.stdout, empty.stderr) == ("", "no runs that are TIMEOUT\n")


def test_cancel_says_what_was_warm_and_a_second_one_is_exit_2(api: FakeApi) -> None:
    ended = (409, error("RunAlreadyEnded", "requestID: the run has ended already"))
    api.answers["DELETE /prewarm"] = [(200, status(reason="cancelled")), (200, status()), ended]
    assert "1 of 2 URLs were warm" in prewarm("cancel", "the-run").stdout
    assert json.loads(prewarm("cancel", "the-run", "--json").stdout) == status()
    assert "ended already" in prewarm("cancel", "the-run", code=2).stderr


def test_retry_is_sent_again_under_one_key_only(api: FakeApi) -> None:
    """A lost response, and the same question again: the service starts one run of them."""
    api.answers["POST /retry"] = [(200, {"requestID": RUN, "retryOf": RUN, "urls": 7}), None]
    result = prewarm("retry", "the-run")
    assert (result.stdout, "7 URLs" in result.stderr) == (f"{RUN}\n", True)
    first = api.calls[0].headers["idempotency-key"]
    prewarm("retry", "the-run", code=4)
    (again,) = {call.headers["idempotency-key"] for call in api.calls[1:]}
    assert len(api.calls) > 2
    assert again != first


def test_the_version_is_told() -> None:
    assert prewarm("--version").stdout == f"prewarm {__version__}\n"


def test_the_help_loads_nothing_that_takes_long() -> None:
    code = "import prewarm_cli.main, sys; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert loaded & {"boto3", "moto", "requests", "pydantic", "pycurl", "dns", "prewarm_local.stack.stack"} == set()


@pytest.mark.parametrize("distribution", ["www", "a/b.example.com"])
def test_run_refuses_what_is_no_distribution_before_it_starts_anything(distribution: str) -> None:
    refused = prewarm("run", *URL, "--distribution", distribution, code=2)
    assert "is no distribution" in refused.stderr
