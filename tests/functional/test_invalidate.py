"""CreateInvalidations: one per distribution, with the right paths, and the same again in a retry."""

from types import SimpleNamespace
from typing import Any

import pytest

import resolve.invalidate
from tests.functional.conftest import HOST, OTHER_HOST, SYDNEY, Context, Machine, client


def invalidate(run: str) -> list[dict[str, str]]:
    answer = resolve.invalidate.handler({"run": run}, Context())
    assert set(answer) == {"invalidations"}
    created: list[dict[str, str]] = answer["invalidations"]
    return created


def planned(machine: Machine, urls: list[str], name: str = "fresh") -> None:
    given: dict[str, Any] = {"url_list": urls, "region_type": "pop", "region": SYDNEY[:1], "invalidate": True}
    assert machine.resolve(given, name).resolved["invalidate"] is True


def batch(created: dict[str, str]) -> dict[str, Any]:
    answer = client("cloudfront").get_invalidation(
        DistributionId=created["distributionId"], Id=created["invalidationId"]
    )
    found: dict[str, Any] = answer["Invalidation"]["InvalidationBatch"]
    return found


def test_paths_are_those_of_the_urls_with_their_queries(machine: Machine) -> None:
    urls = [f"https://{HOST}{tail}" for tail in ("", "/", "/a/b.html", "/a?b=1&c=%20", "/ü", "/x?", "/y#part")]
    planned(machine, urls)
    (created,) = invalidate("fresh")
    paths = batch(created)["Paths"]
    assert paths["Items"] == ["/", "/a/b.html", "/a?b=1&c=%20", "/%C3%BC", "/x?", "/y"]
    assert paths["Quantity"] == 6


def test_a_path_listed_under_both_schemes_is_invalidated_once(machine: Machine) -> None:
    planned(machine, [f"https://{HOST}/a", f"http://{HOST}/a"])
    (created,) = invalidate("fresh")
    assert batch(created)["Paths"]["Items"] == ["/a"]


def test_each_distribution_gets_one_invalidation_of_its_own_paths(machine: Machine, account: SimpleNamespace) -> None:
    urls = [f"https://{HOST}/1", f"https://{OTHER_HOST}/2", f"https://{HOST}/3", "https://www.example.net/4"]
    planned(machine, urls)
    created = invalidate("fresh")
    assert [entry["distributionId"] for entry in created] == account.distribution_ids
    assert [batch(entry)["Paths"]["Items"] for entry in created] == [["/1", "/3"], ["/2"]]


def test_the_caller_reference_is_the_same_in_every_try_and_another_in_every_run(
    machine: Machine, account: SimpleNamespace
) -> None:
    """The same reference with the same paths creates nothing at CloudFront: a retry finds what it made before."""
    planned(machine, [f"https://{HOST}/1"])
    first, again = invalidate("fresh"), invalidate("fresh")
    planned(machine, [f"https://{HOST}/1"], "later")
    later = invalidate("later")
    references = [batch(entry)["CallerReference"] for (entry,) in (first, again, later)]
    assert references == [f"{run}-{account.distribution_ids[0]}-0" for run in ("fresh", "fresh", "later")]
    assert [batch(entry)["Paths"]["Items"] for (entry,) in (first, again)] == [["/1"], ["/1"]]


def test_only_ids_go_into_the_state(machine: Machine) -> None:
    planned(machine, [f"https://{HOST}/{n}" for n in range(3000)])
    (created,) = invalidate("fresh")
    assert set(created) == {"distributionId", "invalidationId"}
    assert batch(created)["Paths"]["Quantity"] == 3000


def test_a_run_without_a_plan_is_broken_infrastructure(machine: Machine) -> None:
    with pytest.raises(FileNotFoundError, match="run nowhere has no plan"):
        invalidate("nowhere")
