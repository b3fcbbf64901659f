"""GET /urls: when a URL was last warmed, whether it was warm, and how far the search went."""

from types import SimpleNamespace
from typing import Any

import pytest

import api.runs.url_history
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import BUCKET, SYDNEY, TOKYO, Machine, client
from tests.support.rest import call, make_state_machine

REQUEST: dict[str, Any] = {"region_type": "pop", "region": [SYDNEY[0], TOKYO]}


@pytest.fixture
def _rest(account: SimpleNamespace) -> None:
    make_state_machine()


pytestmark = pytest.mark.usefixtures("_rest")


def look(url: str, **query: str) -> dict[str, Any]:
    status, response = call("GET", "/urls", query={"url": url} | query)
    assert status == 200, response
    return dict(response)


def test_url_is_found_in_the_newest_run_and_in_the_newest_after_which_it_was_warm(
    machine: Machine, edge: SimulatedCloudFront
) -> None:
    url, other = fresh(2)
    machine.run(REQUEST | {"url_list": [url, other], "label": "first"}, "first")
    edge.fault(path_of(url), "waf_block", pops=[TOKYO])
    machine.run(REQUEST | {"url_list": [url]}, "second")
    machine.run(REQUEST | {"url_list": [other]}, "third")
    machine.resolve(REQUEST | {"url_list": [url], "dry_run": True}, "dry")
    machine.resolve(REQUEST | {"url_list": [url]}, "running")
    found = look(url)
    assert (found["last"]["run"], found["last"]["warm"], found["last"]["coverage"]) == ("second", False, 50.0)
    assert (found["last"]["warmTargets"], found["last"]["reachableTargets"]) == (1, 2)
    assert (found["lastWarm"]["run"], found["lastWarm"]["warm"]) == ("first", True)
    assert (found["lastWarm"]["label"], found["lastWarm"]["status"]) == ("first", "COMPLETED")
    looked = {name: found["looked"][name] for name in ("runs", "withoutIndex", "inProgress", "complete", "days")}
    assert looked == {"runs": 5, "withoutIndex": 1, "inProgress": 1, "complete": True, "days": 30}


def test_url_is_found_in_any_spelling_by_its_fetched_form(machine: Machine) -> None:
    (url,) = fresh(1)
    machine.run(REQUEST | {"url_list": [f"{url}?q=a b"]}, "spelled")
    assert look(f"{url}?q=a%20b")["last"]["run"] == "spelled"
    assert look(f"{url}?q=a b#x")["fetched"] == f"{url}?q=a%20b"
    assert look(url)["last"] is None


def test_url_that_no_run_had_is_not_found_and_the_window_is_said() -> None:
    found = look(f"https://{HOST}/never", days="7")
    assert (found["last"], found["lastWarm"]) == (None, None)
    assert (found["looked"]["runs"], found["looked"]["days"], found["looked"]["complete"]) == (0, 7, True)


def test_search_is_bounded_and_says_that_it_is_not_complete(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (url,) = fresh(1)
    machine.run(REQUEST | {"url_list": [url]}, "oldest")
    for number in range(3):
        machine.storage.runs.start(f"later-{number}", {"hosts": [HOST]})
        machine.storage.runs.end(f"later-{number}", {"state": "FAILED", "endedAt": "x", "error": ""})
    monkeypatch.setattr(api.runs.url_history, "MAX_RUNS", 3)
    monkeypatch.setattr(api.runs.url_history, "PAGE_RUNS", 2)
    found = look(url)
    assert found["last"] is None
    assert (found["looked"]["runs"], found["looked"]["withoutIndex"], found["looked"]["complete"]) == (3, 3, False)
    monkeypatch.setattr(api.runs.url_history, "MAX_RUNS", 4)
    assert look(url)["lastWarm"]["run"] == "oldest"


def test_run_whose_index_has_expired_counts_as_one_without(machine: Machine) -> None:
    (url,) = fresh(1)
    machine.run(REQUEST | {"url_list": [url]}, "expired")
    client("s3").delete_object(Bucket=BUCKET, Key="runs/expired/urls.index")
    found = look(url)
    assert (found["last"], found["looked"]["withoutIndex"]) == (None, 1)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://www.example.com/"}, "url"),
        ({"url": f"https://{HOST}/", "days": "0"}, "days"),
        ({"url": f"https://{HOST}/", "days": "3651"}, "days"),
        ({"url": f"https://{HOST}/", "days": "x"}, "days"),
    ],
)
def test_invalid_parameter_is_named(query: dict[str, str], field: str) -> None:
    status, response = call("GET", "/urls", query=query)
    assert (status, response["error"]["details"][0]["field"]) == (400, field)


def test_secret_of_the_url_is_not_repeated() -> None:
    found = look(f"https://{HOST}/a?Signature=s3cr3t")
    assert "s3cr3t" not in str(found)
