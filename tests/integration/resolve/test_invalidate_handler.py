"""CreateInvalidations: one invalidation per distribution, with its paths, and the same one in a retry."""

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

import resolve.invalidate_handler
from resolve.invalidation import InvalidationBatch
from tests.support.edge_urls import HOST
from tests.support.handlers import OTHER_HOST, REGION, SYDNEY, Context, Machine, client


def invalidate(run: str, number: int = 0, *, more: bool = False) -> list[dict[str, str]]:
    response = resolve.invalidate_handler.handler({"run": run, "round": number}, Context())
    assert set(response) == {"invalidations", "round", "more"}
    assert (response["round"], response["more"]) == (number + 1, more)
    created: list[dict[str, str]] = response["invalidations"]
    return created


def planned(machine: Machine, urls: list[str], name: str = "fresh") -> None:
    request: dict[str, Any] = {"url_list": urls, "region_type": "pop", "region": SYDNEY[:1], "invalidate": True}
    assert machine.resolve(request, name).resolved["invalidate"] is True


def batch(created: dict[str, str]) -> dict[str, Any]:
    response = client("cloudfront").get_invalidation(
        DistributionId=created["distributionId"], Id=created["invalidationId"]
    )
    created_batch: dict[str, Any] = response["Invalidation"]["InvalidationBatch"]
    return created_batch


def test_paths_are_those_of_the_urls_with_their_queries(machine: Machine) -> None:
    urls = [f"https://{HOST}{tail}" for tail in ("", "/", "/a/b.html", "/a?b=1&c=%20", "/ü", "/x?", "/y#part")]
    planned(machine, urls)
    (created,) = invalidate("fresh")
    paths = batch(created)["Paths"]
    assert paths["Items"] == ["/", "/a/b.html", "/a?b=1&c=%20", "/%C3%BC", "/x?", "/y"]
    assert paths["Quantity"] == 6


def test_path_of_both_schemes_is_invalidated_once(machine: Machine) -> None:
    planned(machine, [f"https://{HOST}/a", f"http://{HOST}/a"])
    (created,) = invalidate("fresh")
    assert batch(created)["Paths"]["Items"] == ["/a"]


def test_each_distribution_has_one_invalidation_of_its_own_paths(machine: Machine, account: SimpleNamespace) -> None:
    urls = [f"https://{HOST}/1", f"https://{OTHER_HOST}/2", f"https://{HOST}/3", "https://www.example.net/4"]
    planned(machine, urls)
    created = invalidate("fresh")
    assert [entry["distributionId"] for entry in created] == account.distribution_ids
    assert [batch(entry)["Paths"]["Items"] for entry in created] == [["/1", "/3"], ["/2"]]


def test_caller_reference_is_stable_across_tries_and_differs_between_runs(
    machine: Machine, account: SimpleNamespace
) -> None:
    """The same reference with the same paths creates nothing at CloudFront: a retry returns the first one."""
    planned(machine, [f"https://{HOST}/1"])
    first, again = invalidate("fresh"), invalidate("fresh")
    planned(machine, [f"https://{HOST}/1"], "later")
    later = invalidate("later")
    references = [batch(entry)["CallerReference"] for (entry,) in (first, again, later)]
    assert references == [f"{run}-{account.distribution_ids[0]}-0" for run in ("fresh", "fresh", "later")]
    assert [batch(entry)["Paths"]["Items"] for (entry,) in (first, again)] == [["/1"], ["/1"]]


def test_state_contains_only_ids(machine: Machine) -> None:
    planned(machine, [f"https://{HOST}/{n}" for n in range(3000)])
    (created,) = invalidate("fresh")
    assert set(created) == {"distributionId", "invalidationId"}
    assert batch(created)["Paths"]["Quantity"] == 3000


def test_long_list_is_invalidated_in_rounds_and_a_retried_round_is_the_same(machine: Machine) -> None:
    planned(machine, [f"https://{HOST}/{n}" for n in range(7000)] + [f"https://{OTHER_HOST}/0"])
    first = invalidate("fresh", 0, more=True)
    second = invalidate("fresh", 1, more=True)
    (third,) = invalidate("fresh", 2)
    assert [batch(entry)["Paths"]["Quantity"] for entry in [*first, *second, third]] == [3000, 1, 3000, 1000]
    assert batch(third)["Paths"]["Items"][0] == "/6000"
    (again,) = invalidate("fresh", 2)
    assert batch(again)["CallerReference"] == batch(third)["CallerReference"]


def test_tenant_is_invalidated_by_its_own_call() -> None:
    client = boto3.client("cloudfront", region_name=REGION)
    invalidation = {"Paths": {"Quantity": 1, "Items": ["/a"]}, "CallerReference": "run-dt_1-0"}
    made = {
        "Id": "I1",
        "Status": "InProgress",
        "CreateTime": "2026-01-01T00:00:00Z",
        "InvalidationBatch": invalidation,
    }
    with Stubber(client) as stub:
        stub.add_response(
            "create_invalidation_for_distribution_tenant",
            {"Location": "x", "Invalidation": made},
            {"Id": "dt_1", "InvalidationBatch": invalidation},
        )
        created = resolve.invalidate_handler.create(client, InvalidationBatch("E1", "dt_1", "run-dt_1-0", ["/a"]))
        stub.assert_no_pending_responses()
    assert created == {"tenantId": "dt_1", "invalidationId": "I1"}


def test_too_many_invalidations_raise_the_error_that_the_state_machine_retries() -> None:
    client = boto3.client("cloudfront", region_name=REGION)
    with Stubber(client) as stub:
        stub.add_client_error("create_invalidation", "TooManyInvalidationsInProgress", "3000 paths in progress")
        with pytest.raises(Exception, match="3000 paths") as caught:
            resolve.invalidate_handler.create(client, InvalidationBatch("E1", "", "run-E1-0", ["/a"]))
    # Lambda names a Python error by its class.
    assert type(caught.value).__name__ == "TooManyInvalidationsInProgress"


def test_run_without_a_plan_raises(machine: Machine) -> None:
    with pytest.raises(FileNotFoundError, match="run nowhere has no plan"):
        invalidate("nowhere")
