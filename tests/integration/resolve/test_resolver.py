"""ResolveTargets with valid requests: POPs kept or skipped with the reason, and the stored plan."""

from types import SimpleNamespace
from typing import Any

import pytest

from prewarm.catalogue import catalogue
from prewarm_local.edge.process import SimulatedCloudFront
from resolve.invalidation_rounds import before_first_round
from tests.support.edge_urls import HOST, fresh
from tests.support.handlers import (
    AUCKLAND,
    DARK,
    DOMAIN,
    EXPIRED,
    IMPOSTOR,
    OLD,
    OTHER_DOMAIN,
    OTHER_HOST,
    RETIRED,
    SYDNEY,
    TOKYO,
    WRONG_NAME,
    Machine,
    add_distribution,
    au_pops,
    document,
    keys,
    outcomes,
    plan_document,
    records,
)

URL = f"https://{HOST}/1.txt"


def request(**fields: Any) -> dict[str, Any]:
    return {"url_list": [URL], "region_type": "country", "region": ["AU", "NZ"]} | fields


def groups(run: str) -> list[dict[str, Any]]:
    stored: list[dict[str, Any]] = document(run, "plan/plan.json")["groups"]
    return stored


def skipped(run: str, group: int = 0) -> dict[str, str]:
    return {entry["pop"]: entry["reason"] for entry in groups(run)[group]["skipped"]}


def test_unreachable_pops_of_a_country_are_skipped_with_the_reason(machine: Machine) -> None:
    ran = machine.resolve(request())
    reasons = skipped(ran.name)
    assert reasons[RETIRED] == "unresolved_pop"
    assert reasons[DARK] == "connect_error"
    assert reasons[IMPOSTOR] == "wrong_pop"
    living = [pop for pop in au_pops() if pop.startswith(("SYD", "AKL"))]
    assert sorted(groups(ran.name)[0]["pops"]) == living
    assert set(reasons) == set(au_pops()) - set(living)
    assert ran.resolved["targets"] == len(living)


def test_skipped_pop_has_the_observation_as_detail(machine: Machine) -> None:
    ran = machine.resolve(request())
    details = {entry["pop"]: entry["detail"] for entry in groups(ran.name)[0]["skipped"]}
    assert details[RETIRED] == "the name does not resolve"
    assert details[IMPOSTOR] == "X-Amz-Cf-Pop: ATL56-C1"
    assert "connect" in details[DARK].lower()


def test_pops_with_bad_certificates_are_skipped(machine: Machine) -> None:
    ran = machine.resolve(request(region=["JP"]))
    assert {pop: skipped(ran.name)[pop] for pop in (EXPIRED, WRONG_NAME)} == {
        EXPIRED: "tls_error",
        WRONG_NAME: "tls_error",
    }
    assert groups(ran.name)[0]["pops"] == sorted([TOKYO, OLD])


def test_addresses_outside_the_edge_networks_receive_no_request(
    machine: Machine, edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = edge.addresses[SYDNEY[0]]
    monkeypatch.setenv("PREWARM_EDGE_NETWORKS", ",".join(f"{address}/32" for address in inside))
    before = edge.stats()["pops"]
    ran = machine.resolve(request(region=["AU"]))
    assert groups(ran.name)[0]["pops"] == [SYDNEY[0]]
    assert skipped(ran.name)[SYDNEY[1]] == "outside_edge_networks"
    detail = next(entry["detail"] for entry in groups(ran.name)[0]["skipped"] if entry["pop"] == SYDNEY[1])
    assert detail == ", ".join(edge.addresses[SYDNEY[1]])
    after = edge.stats()["pops"]
    requested = [pop for pop in after if after[pop]["requests"] > before[pop]["requests"]]
    assert requested == [SYDNEY[0]]


def test_only_addresses_inside_the_networks_are_kept(
    machine: Machine, edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = edge.addresses[SYDNEY[0]]
    monkeypatch.setenv("PREWARM_EDGE_NETWORKS", f"{second}/32")
    ran = machine.resolve(request(region_type="pop", region=[SYDNEY[0]]))
    assert plan_document(ran.name, "addresses.json.gz") == [{SYDNEY[0]: [second]}]
    assert first != second


def test_named_pops_are_kept_in_order_and_fail(machine: Machine) -> None:
    named = [RETIRED, TOKYO, DARK, IMPOSTOR, EXPIRED]
    ran = machine.run(request(url_list=fresh(), region_type="pop", region=named))
    assert groups(ran.name)[0]["pops"] == named
    assert skipped(ran.name) == {}
    assert {record["pop"]: record["outcome"] for record in records(ran.name)} == {
        RETIRED: "unresolved_pop",
        TOKYO: "warmed",
        DARK: "connect_error",
        IMPOSTOR: "wrong_pop",
        EXPIRED: "tls_error",
    }
    assert not ran.output["passed"]
    assert document(ran.name, "summary.json")["failures"][0]["coverage"] == 20.0


def test_country_without_a_reachable_pop_keeps_all_and_fails(machine: Machine) -> None:
    """Otherwise the run would have nothing to do, and succeed."""
    ran = machine.run(request(url_list=fresh(), region=["FR"]))
    assert groups(ran.name)[0]["pops"] == catalogue().in_countries(frozenset({"FR"}))
    assert skipped(ran.name) == {}
    assert set(outcomes(ran.name)) == {"unresolved_pop"}
    assert (ran.output["passed"], ran.output["failed"]) == (False, 1)


def test_all_selects_every_pop_and_skips_unreachable_ones_for_any_type(machine: Machine) -> None:
    """The request does not name them."""
    for region_type in ("pop", "region"):
        ran = machine.resolve(request(region_type=region_type, region="all"))
        kept, unreachable = groups(ran.name)[0]["pops"], skipped(ran.name)
        assert sorted([*kept, *unreachable]) == sorted(catalogue().pops), region_type
        assert TOKYO in kept
        assert unreachable[DARK] == "connect_error"


def test_urls_are_grouped_by_distribution(machine: Machine) -> None:
    urls = [f"https://{OTHER_HOST}/1", URL, f"https://{OTHER_DOMAIN}/2", "https://a.wild.example.com/3", URL + "?v=2"]
    ran = machine.resolve(request(url_list=urls, region_type="pop", region=[SYDNEY[0], TOKYO]))
    assert [(group["domain"], group["url_from"], group["url_to"]) for group in groups(ran.name)] == [
        (OTHER_DOMAIN, 0, 2),
        (DOMAIN, 2, 5),
    ]
    assert document(ran.name, "plan/urls.json.gz") == [urls[0], urls[2], urls[1], urls[3], urls[4]]
    assert ran.resolved["targets"] == 5 * 2


def test_each_host_of_a_mixed_list_is_warmed_through_its_own_distribution(machine: Machine) -> None:
    urls = [*fresh(2, OTHER_HOST), *fresh(2, "deep.wild.example.com"), *fresh(1, DOMAIN), *fresh(1)]
    ran = machine.run(request(url_list=urls, region_type="pop", region=[SYDNEY[0], OLD]))
    assert outcomes(ran.name) == {"warmed": 12}
    assert ran.output["passed"]


def test_wildcard_alias_covers_deep_names_and_an_exact_alias_beats_it(machine: Machine) -> None:
    add_distribution("d444abcdef8.cloudfront.net", ["special.wild.example.com"])
    urls = ["https://special.wild.example.com/", "https://a.b.wild.example.com/", "https://WILD2.wild.example.com/"]
    ran = machine.resolve(request(url_list=urls, region_type="pop", region=[SYDNEY[0]]))
    assert {group["domain"]: group["url_to"] - group["url_from"] for group in groups(ran.name)} == {
        "d444abcdef8.cloudfront.net": 1,
        DOMAIN: 2,
    }


def test_wildcard_alias_does_not_cover_its_parent(machine: Machine) -> None:
    urls = [URL, "https://wild.example.com/"]
    ran = machine.resolve(request(url_list=urls, region_type="pop", region=[SYDNEY[0]]))
    assert groups(ran.name)[0]["url_to"] == 1


def test_addresses_are_kept_in_the_order_of_the_dns_response(machine: Machine, edge: SimulatedCloudFront) -> None:
    ran = machine.resolve(request(region_type="pop", region=[*SYDNEY, *AUCKLAND, RETIRED]))
    expected = {pop: edge.addresses[pop] for pop in [*SYDNEY, *AUCKLAND]}
    assert all(len(addresses) == 2 for addresses in expected.values())
    assert plan_document(ran.name, "addresses.json.gz") == [expected]


def test_plan_is_stored_under_the_documented_keys(machine: Machine, account: SimpleNamespace) -> None:
    urls = [f"https://{HOST}/{n}.txt" for n in range(300)] + [f"https://{OTHER_HOST}/x", "https://www.example.net/"]
    submitted = request(url_list=urls, headers={"X-A": "1"}, user_agent="me", accept_encodings=["identity", "gzip"])
    ran = machine.resolve(submitted, "stored")
    plan, base = document("stored", "plan/plan.json"), "runs/stored/"
    attempt = plan["attempt"]
    blocks = sorted(key for key in keys(base) if "/blocks/" in key)
    assert [key for key in sorted(keys(base)) if key not in blocks] == [
        f"{base}{name}"
        for name in (
            f"plan/{attempt}/addresses.json.gz",
            f"plan/{attempt}/batches.json.gz",
            "plan/plan.json",
            "plan/urls.json.gz",
            "request.json",
            f"stages/{attempt}/1.json",
        )
    ]
    assert blocks == [f"{base}plan/{attempt}/blocks/{n:06}.json.gz" for n in range(len(blocks))]
    stored = [document("stored", key.removeprefix(base)) for key in blocks]
    assert [url for block in stored for url in block["urls"]] == urls[:-1]
    assert {(tuple(block["headers"].items()), block["user_agent"]) for block in stored} == {((("X-A", "1"),), "me")}
    assert document("stored", "plan/urls.json.gz") == urls
    assert (plan["run"], plan["url_count"], plan["variants"]) == ("stored", 302, ["gzip", "identity"])
    assert plan["deadline"] - plan["started_at"] == pytest.approx(300 * 60)
    assert [group["distribution_id"] for group in plan["groups"]] == account.distribution_ids
    assert ran.resolved == {
        "run": "stored",
        "invalidate": False,
        "invalidation": before_first_round(0),
        "maxConcurrency": 5,
        "stages": [f"runs/stored/stages/{attempt}/1.json"],
        "targets": plan["targets"],
        "batches": len(machine.items(ran)),
    }
    assert not machine.storage.ledger.control("stored").ended


def test_batches_cover_every_target_once(machine: Machine) -> None:
    urls = [f"https://{HOST}/{n}.txt" for n in range(250)] + [f"https://{OTHER_HOST}/{n}" for n in range(30)]
    ran = machine.resolve(request(url_list=urls, staged=True, accept_encodings=["gzip", "identity"]))
    plan, items = document(ran.name, "plan/plan.json"), machine.items(ran)
    covered = [
        (item["group"], url, pop)
        for item in items
        for url in range(item["url_from"], item["url_to"])
        for pop in range(item["pop_from"], item["pop_to"])
    ]
    expected = [
        (number, url, pop)
        for number, group in enumerate(plan["groups"])
        for url in range(group["url_from"], group["url_to"])
        for pop in range(len(group["pops"]))
    ]
    assert sorted(covered) == expected
    assert sum(item["targets"] for item in items) == 2 * len(expected) == ran.resolved["targets"]
    assert len({item["id"] for item in items}) == len(items) == ran.resolved["batches"]


def test_retry_of_resolve_stores_the_same_plan(machine: Machine) -> None:
    submitted = request(url_list=[f"https://{HOST}/{n}.txt" for n in range(20)])
    first = machine.resolve(submitted, "again")
    stored, items = sorted(keys("runs/again/")), machine.items(first)
    second = machine.resolve(submitted, "again")
    assert second.resolved == first.resolved
    assert sorted(keys("runs/again/")) == stored
    assert machine.items(second) == items
