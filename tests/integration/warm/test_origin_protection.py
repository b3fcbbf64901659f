"""Protection of others: streams of a broken connection, overloaded origins, max_rps, and warnings."""

import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from moto.cloudfront.models import cloudfront_backends

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import (
    ACCOUNT,
    DOMAIN,
    OLD,
    OTHER_HOST,
    SYDNEY,
    TOKYO,
    Machine,
    an_account,
    document,
    outcomes,
    records,
)
from tests.support.strict_edge import strict_cloudfront


@pytest.mark.parametrize("pop", [SYDNEY[0], OLD], ids=["h2", "h1"])
def test_url_that_breaks_connections_does_not_fail_others(
    machine: Machine, edge: SimulatedCloudFront, pop: str
) -> None:
    urls = fresh(60)
    edge.fault(path_of(urls[30]), "reset")
    ran = machine.run({"url_list": urls, "region_type": "pop", "region": [pop], "verify": "none"})
    outcome_of = {record["url"]: record["outcome"] for record in records(ran.name)}
    assert outcome_of.pop(urls[30]) == "connect_error"
    assert Counter(outcome_of.values()).keys() <= {"warmed", "already_warm"}
    assert len(outcome_of) == 59


@pytest.mark.usefixtures("small_batches")
def test_overloaded_origin_is_skipped_by_all_workers_of_the_run(machine: Machine, edge: SimulatedCloudFront) -> None:
    urls = fresh(400)
    for url in urls:
        edge.fault(path_of(url), "status:503")
    ran = machine.resolve({"url_list": urls, "region_type": "pop", "region": [TOKYO], "verify": "none"})
    first, second, *_ = machine.items(ran)
    before = sum(edge.stats()["origin"].values())
    machine.warm(ran, first)
    assert machine.storage.ledger.control(ran.name).open_hosts == {HOST}
    asked = sum(edge.stats()["origin"].values()) - before
    assert asked < 150
    machine.warm(ran, second)
    assert sum(edge.stats()["origin"].values()) - before == asked
    assert set(outcomes(ran.name)) <= {"origin_overload", "server_error"}
    output = machine.aggregate(ran)
    assert not output["passed"]
    assert "the host's origin was overloaded" in output["cause"]


def test_max_rps_is_not_exceeded(machine: Machine) -> None:
    ran = machine.resolve(
        {"url_list": fresh(31), "region_type": "pop", "region": [TOKYO], "verify": "none", "max_rps": 20}
    )
    started = time.monotonic()
    for item in machine.items(ran):
        machine.warm(ran, item)
    assert time.monotonic() - started >= 29 / 20
    assert outcomes(ran.name) == {"warmed": 31}


def test_max_rps_too_low_for_the_deadline_is_rejected(machine: Machine) -> None:
    ran = machine.resolve(
        {"url_list": fresh(7), "region_type": "pop", "region": [TOKYO], "max_rps": 0.1, "timeout_minutes": 1}
    )
    cause = ran.resolved["rejection"]["cause"]
    assert "max_rps: 7 fetches take 1 minutes or more" in cause
    assert "raise timeout_minutes (1)" in cause


PARTED = ["FRA56-C1", "NRT57-P3"]


@pytest.fixture(scope="module")
def timing_edge() -> Iterator[SimulatedCloudFront]:
    """Two POPs, each with a regional edge cache of its own, of a distribution with Server-Timing enabled."""
    config = {
        "distributions": [{"domain": DOMAIN, "aliases": [HOST], "server_timing": True}],
        "pops": PARTED,
        "areas": {pop: pop[:3] for pop in PARTED},
        "default_object": {"size": 300, "content_type": "text/html"},
    }
    with strict_cloudfront(config) as running:
        yield running


def test_old_copy_at_one_pop_is_a_warning(timing_edge: SimulatedCloudFront) -> None:
    old, same = fresh(2)
    for revision, pop in enumerate(PARTED):
        timing_edge.put_object(path_of(old), {"size": 300, "revision": revision})
        with an_account(timing_edge) as account:
            request: dict[str, Any] = {"url_list": [old, same], "region_type": "pop", "region": [pop]}
            Machine(account.storage).run(request)
    with an_account(timing_edge) as account:
        ran = Machine(account.storage).run(request | {"region": PARTED})
        (warning,) = document(ran.name, "summary.json")["warnings"]
    assert warning.startswith("one URL has different contents")
    assert old in warning
    assert same not in warning


def test_layer_is_recorded_where_the_distribution_sends_server_timing(
    timing_edge: SimulatedCloudFront,
) -> None:
    with an_account(timing_edge) as account:
        request = {"url_list": fresh(3), "region_type": "pop", "region": PARTED[:1], "verify": "none"}
        first, second = (Machine(account.storage).run(request, f"layers-{number}") for number in (1, 2))
        assert {record["layer"] for record in records(first.name)} == {"REC"}
        assert {record["layer"] for record in records(second.name)} == {"EDGE"}
        assert document(second.name, "summary.json")["layers"] == {"EDGE": 3}


def test_url_that_the_settings_keep_from_caching_is_not_cacheable(
    machine: Machine, account: SimpleNamespace, edge: SimulatedCloudFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution = cloudfront_backends[ACCOUNT]["aws"].distributions[account.distribution_ids[1]]
    monkeypatch.setattr(vars(distribution.distribution_config)["DefaultCacheBehavior"], "max_ttl", 0)
    never, kept = fresh(1, host=OTHER_HOST) + fresh(1)
    edge.put_object(path_of(never), {"size": 500, "headers": {"Cache-Control": "no-store"}})
    ran = machine.run({"url_list": [never, kept], "region_type": "pop", "region": [TOKYO, OLD]})
    seen = {(record["url"], record["outcome"], record["tries"]) for record in records(ran.name)}
    assert {entry for entry in seen if entry[0] == never} == {(never, "not_cacheable", 2)}
    assert {outcome for url, outcome, _ in seen if url == kept} <= {"warmed", "already_warm"}
    assert "or the origin's headers, keep the edge from caching it" in ran.output["cause"]
    assert any("maximum TTL 0" in record["detail"] for record in records(ran.name))
