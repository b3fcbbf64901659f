"""POST /prewarm: nothing is stored or started for an invalid request, and a run's input has no secrets."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from api.runs.start import NAMES_SHOWN, request_summary, run_name, start
from prewarm.catalogue import catalogue
from prewarm.errors import InvalidRequest, RequestTooLarge
from prewarm.knowledge import Knowledge
from prewarm.request.bounds import MAX_BODY_BYTES
from tests.support.builders import request

BODY = {"url_list": ["https://www.example.com/?token=s3cret"], "region_type": "pop", "region": ["ATL56-C1"]}


class Recorder:
    """A fake of storage, executions and resolver that records the order of the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.output: dict[str, Any] | None = {"dryRun": {"targets": 1}}
        self.runs = SimpleNamespace(start=lambda run, facts: self.calls.append(("list", run, facts)))

    def put_request(self, run: str, document: dict[str, Any]) -> str:
        self.calls.append(("store", run, document))
        return f"runs/{run}/request.json"

    def get_knowledge(self, _today: object) -> tuple[Knowledge, str]:
        return Knowledge(), ""

    def start(self, run: str, document: dict[str, Any]) -> str:
        self.calls.append(("start", run, document))
        return f"arn:{run}"

    def invoke(self, run: str, key: str) -> dict[str, Any] | None:
        self.calls.append(("invoke", run, key))
        return self.output


def start_with(body: bytes, recorder: Recorder | None = None) -> tuple[dict[str, Any], Recorder]:
    fake: Any = recorder or Recorder()
    return start(body, fake, fake, fake), fake


def test_request_is_stored_before_its_run_starts_and_the_response_is_the_arn() -> None:
    response, recorder = start_with(json.dumps(BODY | {"headers": {"Cookie": "s3cret"}}).encode())
    (_, run, stored), (_, listed, facts), (_, started, document) = recorder.calls
    assert [call[0] for call in recorder.calls] == ["store", "list", "start"]
    assert run == listed == started
    assert "s3cret" not in json.dumps(facts)
    assert response == {"requestID": f"arn:{run}"}
    assert stored["headers"] == {"Cookie": "s3cret"}
    assert document == {
        "requestKey": f"runs/{run}/request.json",
        "summary": {"urls": 1, "pops": 1, "region_type": "pop", "region": ["ATL56-C1"]},
    }


@pytest.mark.parametrize("body", [b"", b"no json", b"{}", json.dumps(BODY | {"region": ["nowhere"]}).encode()])
def test_invalid_request_is_neither_stored_nor_started(body: bytes) -> None:
    recorder = Recorder()
    with pytest.raises(InvalidRequest):
        start_with(body, recorder)
    assert recorder.calls == []


def test_body_over_the_limit_is_rejected_with_its_size_and_the_fix() -> None:
    recorder = Recorder()
    with pytest.raises(RequestTooLarge, match=r"^url_list: the body has 4,194,305 bytes, .* url_list_s3"):
        start_with(b"x" * (MAX_BODY_BYTES + 1), recorder)
    assert recorder.calls == []
    with pytest.raises(InvalidRequest):
        start_with(b"x" * MAX_BODY_BYTES)


def test_request_summary_has_counts_and_selection_only() -> None:
    summary = request_summary(
        request(url_list=["https://www.example.com/1", "https://www.example.com/2"], region="all")
    )
    assert summary == {"urls": 2, "pops": len(catalogue().pops), "region_type": "pop", "region": ["all"]}


def test_request_summary_of_many_names_counts_the_omitted_ones() -> None:
    names = ["jp", "nz", "au", "de", "fr", "gb", "it", "es", "se", "ch", "at", "us"]
    summary = request_summary(request(region_type="country", region=names))
    assert summary["region"] == [*names[:NAMES_SHOWN], "and 2 more"]
    few = request_summary(request(region_type="country", region=names[:NAMES_SHOWN]))
    assert few["region"] == names[:NAMES_SHOWN]


def test_request_summary_counts_the_other_sources() -> None:
    lists = ["s3://bucket/lists/a.txt", "s3://bucket/lists/b.txt"]
    summary = request_summary(request(url_list_s3=lists, sitemap="https://www.example.com/sitemap.xml"))
    assert (summary["urls"], summary["url_list_s3"], summary["sitemap"]) == (1, 2, 1)


def test_run_name_starts_with_the_time_is_unique_and_is_a_valid_execution_name() -> None:
    names = {run_name() for _ in range(200)}
    assert len(names) == 200
    assert all(re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", name) for name in names)
    assert max(map(len, names)) <= 80


def test_dry_run_returns_the_result_and_starts_nothing() -> None:
    response, recorder = start_with(json.dumps(BODY | {"dry_run": True}).encode())
    assert [call[0] for call in recorder.calls] == ["store", "invoke"]
    assert recorder.calls[1][2] == f"runs/{recorder.calls[0][1]}/request.json"
    assert response == {"dryRun": {"targets": 1}}


@pytest.mark.parametrize("output", [None, {}])
def test_dry_run_without_a_result_becomes_an_execution(output: dict[str, Any] | None) -> None:
    recorder = Recorder()
    recorder.output = output
    response, _ = start_with(json.dumps(BODY | {"dry_run": True}).encode(), recorder)
    assert [call[0] for call in recorder.calls] == ["store", "invoke", "list", "start"]
    assert response == {"requestID": f"arn:{recorder.calls[0][1]}"}


def test_rejected_dry_run_names_the_field() -> None:
    recorder = Recorder()
    recorder.output = {"rejection": {"details": [{"field": "region", "message": "no POP", "near": []}]}}
    with pytest.raises(InvalidRequest, match=r"^region: no POP$"):
        start_with(json.dumps(BODY | {"dry_run": True}).encode(), recorder)
