"""Dry runs: the figures and the cost of a run, without warming or invalidating anything."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

import api.handler
import resolve.handler
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import fresh, path_of
from tests.support.handlers import BUCKET, DARK, OTHER_HOST, SYDNEY, Context, Machine, client, document, keys
from tests.support.rest import call, describe_executions_as, executions, make_state_machine


def dry(machine: Machine, name: str = "dry", **fields: Any) -> dict[str, Any]:
    request = {"region_type": "region", "region": "au", "dry_run": True} | fields
    response = machine.resolve(request, name).resolved
    assert set(response) == {"dryRun"}, response
    result: dict[str, Any] = document(name, "dry_run.json")
    return result


def test_dry_run_has_the_figures_of_the_run(machine: Machine) -> None:
    urls = [*fresh(3), *fresh(2, OTHER_HOST), "https://www.example.net/"]
    result = dry(machine, url_list=urls, staged=True, accept_encodings=["br, gzip", "identity"])
    ran = machine.resolve({"url_list": urls, "region_type": "region", "region": "au", "staged": True,
                           "accept_encodings": ["br, gzip", "identity"]}, "real")  # fmt: skip
    assert (result["targets"], result["batches"], result["stages"]) == (
        ran.resolved["targets"],
        ran.resolved["batches"],
        len(ran.resolved["stages"]),
    )
    assert (result["urls"], result["hosts"]) == (6, 3)
    assert result["noDistribution"] == {"urls": 1, "hosts": ["www.example.net"]}
    first = result["distributions"][0]
    assert (first["urls"], first["targets"]) == (3, 3 * 2 * len(first["pops"]))
    assert DARK in {skipped["pop"] for skipped in first["skippedPops"]}
    assert sum(each["targets"] for each in result["distributions"]) == result["targets"]
    # The sample verifies each URL and each POP at least once.
    assert result["targets"] < result["fetches"] < 2 * result["targets"]
    # All POPs of Oceania are behind one regional edge cache: each URL and variant is fetched once.
    assert result["originFetches"] == {"fetches": 5 * 2, "direct": 0, "bypasses": []}


def test_sizes_are_requested_from_the_edge(machine: Machine, edge: SimulatedCloudFront) -> None:
    """Of what the edge does not compress: a compressed copy has no Content-Length."""
    urls = fresh(4)
    for size, url in enumerate(urls, start=1001):
        edge.put_object(path_of(url), {"size": size, "content_type": "image/png"})
    result = dry(machine, url_list=urls, verify="none")
    assert result["sizes"] == {"asked": 4, "known": 4}
    assert result["estimatedBytes"] == pytest.approx(1002.5 * result["targets"], abs=result["targets"])
    transfer = [part for part in result["cost"]["parts"] if part["name"].startswith("CloudFront transfer")]
    assert sum(part["quantity"] for part in transfer) == pytest.approx(result["estimatedBytes"] / 1e9, abs=0.002)
    assert result["cost"]["dollars"] > 0


def test_dry_run_warms_plans_and_invalidates_nothing(machine: Machine, edge: SimulatedCloudFront) -> None:
    urls = fresh(2)
    result = dry(machine, url_list=urls, invalidate=True)
    assert result["invalidation"] == {
        "paths": 2, "rounds": 1, "dollars": 0.01, "minutes": 1, "patterns": []
    }  # fmt: skip
    assert keys("runs/dry/") == ["runs/dry/dry_run.json", "runs/dry/request.json"]
    assert machine.run({"url_list": urls, "region_type": "pop", "region": SYDNEY[:1]}, "later").output["warm"]
    assert path_of(urls[0])


def test_settings_and_hosts_without_a_distribution_are_warnings(machine: Machine) -> None:
    result = dry(machine, url_list=[*fresh(), "https://www.example.net/"], accept_encodings=["br, gzip", "gzip"])
    assert any("no distribution of this account has the alias www.example.net" in text for text in result["warnings"])
    assert any("select one cached copy (gzip)" in text for text in result["warnings"])


@pytest.fixture
def resolve_events(account: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Connect the API to the real resolve function; return the list of its events."""
    events: list[dict[str, Any]] = []

    def invoke(**parameters: Any) -> dict[str, Any]:
        event = json.loads(parameters["Payload"])
        events.append(event)
        response = resolve.handler.handler(event, Context())
        payload = json.dumps(response).encode()
        return {"StatusCode": 200, "Payload": SimpleNamespace(read=lambda: payload)}

    make_state_machine()
    monkeypatch.setattr(api.handler._resolver(), "_client", SimpleNamespace(invoke=invoke))
    return events


def test_api_returns_the_dry_run_and_starts_no_execution(resolve_events: list[dict[str, Any]]) -> None:
    request = {"url_list": fresh(2), "region_type": "pop", "region": SYDNEY, "dry_run": True}
    status, response = call("POST", "/prewarm", request)
    assert (status, set(response)) == (200, {"dryRun"})
    assert response["dryRun"]["targets"] == 6
    assert executions() == []
    (event,) = resolve_events
    request_key = f"runs/{event['run']}/request.json"
    assert (event["input"], event["direct"]) == ({"requestKey": request_key}, True)
    assert keys(f"runs/{event['run']}/") == [request_key], "a direct dry run stores no result"


def test_api_rejects_a_dry_run_that_resolve_rejects(resolve_events: list[dict[str, Any]]) -> None:
    request = {"url_list": ["https://www.example.net/"], "region_type": "pop", "region": SYDNEY, "dry_run": True}
    status, response = call("POST", "/prewarm", request)
    assert status == 400
    assert response["error"]["details"][0]["field"] == "url_list"


@pytest.mark.parametrize("failing", [{"FunctionError": "Unhandled"}, None])
def test_failed_or_slow_dry_run_continues_as_an_execution(
    resolve_events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, failing: dict[str, Any] | None
) -> None:
    def invoke(**_parameters: Any) -> dict[str, Any]:
        if failing is None:
            raise ReadTimeoutError(endpoint_url="lambda")
        return failing

    monkeypatch.setattr(api.handler._resolver(), "_client", SimpleNamespace(invoke=invoke))
    request = {"url_list": fresh(2), "region_type": "pop", "region": SYDNEY, "dry_run": True}
    status, response = call("POST", "/prewarm", request)
    assert (status, set(response)) == (200, {"requestID"})
    (execution,) = executions()
    assert json.loads(execution["input"])["summary"]["urls"] == 2


def test_status_of_a_dry_run_has_its_result_and_no_urls(
    machine: Machine, resolve_events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = dry(machine, url_list=fresh())
    describe_executions_as(monkeypatch, status="SUCCEEDED")
    status, response = call("GET", "/status", query={"requestID": "dry"})
    assert status == 200
    assert (response["status"], response["total"], response["inProgress"]) == ("COMPLETED", 0, 0)
    assert response["dryRun"] == result
    assert client("s3").list_objects_v2(Bucket=BUCKET, Prefix="runs/dry/plan")["KeyCount"] == 0
