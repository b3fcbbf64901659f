"""CreateInvalidations and CheckInvalidations: rounds of stored paths, one invalidation per distribution and round."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from moto.cloudfront.models import cloudfront_backends

import resolve.invalidate_handler
from prewarm.settings import Settings
from resolve.invalidation_rounds import before_first_round
from tests.support.edge_urls import HOST
from tests.support.handlers import ACCOUNT, OTHER_HOST, SYDNEY, Context, Machine, client, keys, plan_document


@pytest.fixture(autouse=True)
def patterns_allowed(account: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow path patterns, in an account without invalidations."""
    monkeypatch.setenv("PREWARM_ALLOW_INVALIDATION_PATTERNS", "true")
    cloudfront_backends[ACCOUNT]["aws"].invalidations.clear()


def step(run: str, progress: dict[str, Any], redrives: int = 0) -> dict[str, Any]:
    event = {"run": run, "redrives": redrives, "invalidation": progress}
    after: dict[str, Any] = resolve.invalidate_handler.handler(event, Context(900.0))
    assert set(after) == set(before_first_round(1))
    return after


def planned(machine: Machine, urls: list[str], name: str = "fresh", *, invalidate: object = True) -> dict[str, Any]:
    request: dict[str, Any] = {
        "url_list": urls, "region_type": "pop", "region": SYDNEY[:1], "invalidate": invalidate
    }  # fmt: skip
    resolved = machine.resolve(request, name).resolved
    assert resolved["invalidate"] is True
    progress: dict[str, Any] = resolved["invalidation"]
    return progress


def invalidation(created: dict[str, str]) -> Any:
    """Return moto's invalidation, whose status a test may change."""
    listed = cloudfront_backends[ACCOUNT]["aws"].invalidations[created["distributionId"]]
    return next(each for each in listed if each.id == created["invalidationId"])


def batch(created: dict[str, str]) -> dict[str, Any]:
    response = client("cloudfront").get_invalidation(
        DistributionId=created["distributionId"], Id=created["invalidationId"]
    )
    created_batch: dict[str, Any] = response["Invalidation"]["InvalidationBatch"]
    return created_batch


def complete(progress: dict[str, Any]) -> None:
    for each in progress["created"]:
        invalidation(each).status = "Completed"


def test_paths_are_those_of_the_cache_key(machine: Machine) -> None:
    """The distribution's settings forward no query strings."""
    urls = [f"https://{HOST}{tail}" for tail in ("", "/", "/a/b.html", "/a?b=1&c=%20", "/ü", "/x?", "/y#part")]
    (created,) = step("fresh", planned(machine, urls))["created"]
    paths = batch(created)["Paths"]
    assert paths["Items"] == ["/", "/a/b.html", "/a", "/%C3%BC", "/x", "/y"]
    assert paths["Quantity"] == 6


def test_path_of_both_schemes_is_invalidated_once(machine: Machine) -> None:
    (created,) = step("fresh", planned(machine, [f"https://{HOST}/a", f"http://{HOST}/a"]))["created"]
    assert batch(created)["Paths"]["Items"] == ["/a"]


def test_each_distribution_has_one_invalidation_of_its_own_paths(machine: Machine, account: SimpleNamespace) -> None:
    urls = [f"https://{HOST}/1", f"https://{OTHER_HOST}/2", f"https://{HOST}/3", "https://www.example.net/4"]
    created = step("fresh", planned(machine, urls))["created"]
    assert [entry["distributionId"] for entry in created] == account.distribution_ids
    assert [batch(entry)["Paths"]["Items"] for entry in created] == [["/1", "/3"], ["/2"]]


def test_patterns_are_invalidated_in_each_distribution(machine: Machine, account: SimpleNamespace) -> None:
    urls = [f"https://{HOST}/a/1", f"https://{OTHER_HOST}/a/2"]
    created = step("fresh", planned(machine, urls, invalidate=["/a/*", "/index.html"]))["created"]
    assert [entry["distributionId"] for entry in created] == account.distribution_ids
    assert [batch(entry)["Paths"]["Items"] for entry in created] == [["/a/*", "/index.html"]] * 2


def test_workers_know_which_urls_no_pattern_covers(machine: Machine) -> None:
    """Their copies may be older than the run."""
    planned(machine, [f"https://{HOST}/a/1", f"https://{HOST}/b", f"https://{HOST}/a?2"], invalidate=["/a/*"])
    assert plan_document("fresh", "blocks/000000.json.gz")["kept"] == [1, 2]


def test_patterns_are_rejected_by_default_with_the_parameter(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREWARM_ALLOW_INVALIDATION_PATTERNS")
    assert Settings.from_environment().invalidation_patterns is False
    request = {"url_list": [f"https://{HOST}/a"], "region_type": "pop", "region": SYDNEY[:1], "invalidate": ["/*"]}
    for given in (request, request | {"dry_run": True}):
        rejection = machine.resolve(given).resolved["rejection"]
        assert "deploy it with AllowInvalidationPatterns=true" in rejection["cause"]
        assert rejection["details"][0]["field"] == "invalidate"


def test_caller_reference_is_stable_across_tries_and_differs_between_runs(
    machine: Machine, account: SimpleNamespace
) -> None:
    """The same reference with the same paths creates nothing at CloudFront: a retry returns the first one."""
    progress = planned(machine, [f"https://{HOST}/1"])
    first, again = step("fresh", progress)["created"], step("fresh", progress)["created"]
    later = step("later", planned(machine, [f"https://{HOST}/1"], "later"))["created"]
    references = [batch(entry)["CallerReference"] for (entry,) in (first, again, later)]
    assert references == [f"{run}-{account.distribution_ids[0]}-0" for run in ("fresh", "fresh", "later")]
    assert [batch(entry)["Paths"]["Items"] for (entry,) in (first, again)] == [["/1"], ["/1"]]


def test_state_contains_only_ids_and_numbers(machine: Machine) -> None:
    progress = step("fresh", planned(machine, [f"https://{HOST}/{n}" for n in range(3000)]))
    (created,) = progress["created"]
    assert set(created) == {"distributionId", "invalidationId"}
    assert batch(created)["Paths"]["Quantity"] == 3000


def test_paths_of_each_round_are_stored_once_and_not_computed_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = planned(machine, [f"https://{HOST}/{n}" for n in range(3001)])
    assert keys("runs/fresh/plan/invalidations/") == [
        f"runs/fresh/plan/invalidations/000{n}.json.gz" for n in range(2)
    ]
    # A release that would compute other paths uses the stored ones in a run that was planned before.
    monkeypatch.setattr(machine.storage, "get_urls", None)
    (created,) = step("fresh", progress)["created"]
    assert batch(created)["Paths"]["Quantity"] == 3000


def test_round_is_checked_until_all_its_invalidations_are_completed(machine: Machine) -> None:
    progress = step("fresh", planned(machine, [f"https://{HOST}/1", f"https://{OTHER_HOST}/2"]))
    assert (progress["status"], progress["wait"], progress["checks"]) == ("waiting", 5, 0)
    first, second = progress["created"]
    for each in (first, second):
        invalidation(each).status = "InProgress"
    progress = step("fresh", progress)
    assert (progress["status"], progress["done"], progress["checks"], progress["wait"]) == ("waiting", 0, 1, 8)
    # The second one alone: the round is still waiting.
    invalidation(second).status = "Completed"
    progress = step("fresh", progress)
    assert (progress["status"], progress["done"], progress["wait"]) == ("waiting", 0, 12)
    invalidation(first).status = "Completed"
    progress = step("fresh", progress)
    assert (progress["status"], progress["done"], progress["checks"]) == ("completed", 2, 3)
    assert progress["waited"] == 5 + 8 + 12


def test_check_does_not_request_completed_invalidations_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = step("fresh", planned(machine, [f"https://{HOST}/1", f"https://{OTHER_HOST}/2"]))
    first, second = progress["created"]
    invalidation(first).status, invalidation(second).status = "Completed", "InProgress"
    progress = step("fresh", progress)
    assert (progress["done"], progress["status"]) == (1, "waiting")
    monkeypatch.setitem(cloudfront_backends[ACCOUNT]["aws"].invalidations, first["distributionId"], [])
    invalidation(second).status = "Completed"
    assert step("fresh", progress)["status"] == "completed"


def test_long_list_is_invalidated_in_rounds_and_a_retried_round_is_the_same(machine: Machine) -> None:
    progress = planned(machine, [f"https://{HOST}/{n}" for n in range(7000)] + [f"https://{OTHER_HOST}/0"])
    assert (progress["round"], progress["rounds"]) == (0, 3)
    sizes: list[int] = []
    statuses: list[str] = []
    while progress["status"] in {"next", "waiting"} and len(statuses) < 10:
        if not progress["created"]:
            again = step("fresh", progress)
            progress = step("fresh", progress)
            batches = [batch(entry) for entry in progress["created"]]
            assert batches == [batch(entry) for entry in again["created"]]
            sizes += [each["Paths"]["Quantity"] for each in batches]
            complete(progress)
        progress = step("fresh", progress)
        statuses.append(progress["status"])
    assert sizes == [3000, 1, 3000, 1000]
    assert statuses == ["next", "next", "completed"]


def test_later_round_begins_with_half_of_the_last_rounds_time(machine: Machine) -> None:
    progress = step("fresh", planned(machine, [f"https://{HOST}/{n}" for n in range(3001)]))
    for each in progress["created"]:
        invalidation(each).status = "InProgress"
    for _ in range(4):
        progress = step("fresh", progress)
    complete(progress)
    progress = step("fresh", progress)
    assert (progress["status"], progress["waited"]) == ("next", 5 + 8 + 12 + 18 + 27)
    assert step("fresh", progress)["wait"] == 35


def test_run_past_its_deadline_invalidates_no_further_paths(machine: Machine) -> None:
    progress = planned(machine, [f"https://{HOST}/1"])
    machine.storage.ledger.reopen_run("fresh", time.time() - 1, 1)
    assert step("fresh", progress, redrives=1)["status"] == "late"
    assert not cloudfront_backends[ACCOUNT]["aws"].invalidations
    # A redrive renews the deadline.
    assert step("fresh", progress, redrives=2)["status"] == "waiting"


def test_run_that_has_ended_invalidates_no_further_paths(machine: Machine) -> None:
    progress = planned(machine, [f"https://{HOST}/1"])
    machine.storage.ledger.end_run("fresh")
    assert step("fresh", progress)["status"] == "late"
    assert not cloudfront_backends[ACCOUNT]["aws"].invalidations


def test_run_without_a_plan_raises(machine: Machine) -> None:
    with pytest.raises(FileNotFoundError, match="run nowhere has no plan"):
        step("nowhere", before_first_round(1))
