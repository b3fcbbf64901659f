"""POST /prewarm: nothing is stored or started of a bad request, and nothing secret is shown of a good one."""

import json
import re
from typing import Any

import pytest

from api.runs.start import BODY_LIMIT, NAMES_SHOWN, run_name, start, summary
from prewarm.errors import InvalidRequest, RequestTooLarge
from tests.support.builders import request

BODY = {"url_list": ["https://www.example.com/?token=s3cret"], "region_type": "pop", "region": ["ATL56-C1"]}


class Recorder:
    """Plays both store and executions, and notes in what order they were called."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.resolved: dict[str, Any] | None = {"dryRun": {}}

    def put_request(self, run: str, document: dict[str, Any]) -> str:
        self.calls.append(("store", run, document))
        return f"runs/{run}/request.json"

    def start(self, run: str, given: dict[str, Any]) -> str:
        self.calls.append(("start", run, given))
        return f"arn:{run}"

    def ask(self, run: str, _key: str) -> dict[str, Any] | None:
        self.calls.append(("ask", run, None))
        return self.resolved

    def get_dry_run(self, run: str) -> dict[str, Any] | None:
        return {"run": run}


def begun(body: bytes, recorder: Recorder | None = None) -> tuple[dict[str, Any], Recorder]:
    every: Any = recorder or Recorder()
    return start(body, every, every, every), every


def test_a_request_is_stored_before_its_run_starts_and_the_answer_is_the_arn() -> None:
    response, recorder = begun(json.dumps(BODY | {"headers": {"Cookie": "s3cret"}}).encode())
    (_, run, stored), (_, started, given) = recorder.calls
    assert [call[0] for call in recorder.calls] == ["store", "start"]
    assert run == started
    assert response == {"requestID": f"arn:{run}"}
    assert stored["headers"] == {"Cookie": "s3cret"}
    assert given == {
        "requestKey": f"runs/{run}/request.json",
        "summary": {"urls": 1, "pops": 1, "region_type": "pop", "region": ["ATL56-C1"]},
    }


@pytest.mark.parametrize("body", [b"", b"no json", b"{}", json.dumps(BODY | {"region": ["nowhere"]}).encode()])
def test_nothing_is_stored_or_started_of_a_bad_request(body: bytes) -> None:
    recorder = Recorder()
    with pytest.raises(InvalidRequest):
        begun(body, recorder)
    assert recorder.calls == []


def test_a_body_over_the_limit_is_refused_with_its_size_and_the_fix() -> None:
    recorder = Recorder()
    with pytest.raises(RequestTooLarge, match=r"^url_list: the body has 4,194,305 bytes, .* url_list_s3"):
        begun(b"x" * (BODY_LIMIT + 1), recorder)
    assert recorder.calls == []
    with pytest.raises(InvalidRequest):
        begun(b"x" * BODY_LIMIT)


def test_a_summary_shows_counts_and_selection_only() -> None:
    shown = summary(request(url_list=["https://www.example.com/1", "https://www.example.com/2"], region="all"))
    assert shown == {"urls": 2, "pops": 537, "region_type": "pop", "region": ["all"]}


def test_a_summary_of_many_names_counts_those_it_does_not_show() -> None:
    names = ["jp", "nz", "au", "de", "fr", "gb", "it", "es", "se", "ch", "at", "us"]
    shown = summary(request(region_type="country", region=names))
    assert shown["region"] == [*names[:NAMES_SHOWN], "and 2 more"]
    assert summary(request(region_type="country", region=names[:NAMES_SHOWN]))["region"] == names[:NAMES_SHOWN]


def test_a_run_name_begins_with_its_time_is_unique_and_may_name_an_execution() -> None:
    names = {run_name() for _ in range(200)}
    assert len(names) == 200
    assert all(re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", name) for name in names)
    assert max(map(len, names)) <= 80


def test_a_dry_run_is_told_at_once_and_starts_nothing() -> None:
    response, recorder = begun(json.dumps(BODY | {"dry_run": True}).encode())
    assert [call[0] for call in recorder.calls] == ["store", "ask"]
    assert response == {"dryRun": {"run": recorder.calls[0][1]}}


def test_a_dry_run_that_takes_too_long_goes_on_as_an_execution() -> None:
    recorder = Recorder()
    recorder.resolved = None
    response, _ = begun(json.dumps(BODY | {"dry_run": True}).encode(), recorder)
    assert [call[0] for call in recorder.calls] == ["store", "ask", "start"]
    assert response == {"requestID": f"arn:{recorder.calls[0][1]}"}


def test_a_dry_run_that_is_rejected_names_the_field() -> None:
    recorder = Recorder()
    recorder.resolved = {"rejection": {"details": [{"field": "region", "message": "no POP", "near": []}]}}
    with pytest.raises(InvalidRequest, match=r"^region: no POP$"):
        begun(json.dumps(BODY | {"dry_run": True}).encode(), recorder)


def test_a_summary_counts_the_sources_beside_the_list() -> None:
    lists = ["s3://bucket/lists/a.txt", "s3://bucket/lists/b.txt"]
    shown = summary(request(url_list_s3=lists, sitemap="https://www.example.com/sitemap.xml"))
    assert (shown["urls"], shown["url_list_s3"], shown["sitemap"]) == (1, 2, 1)
