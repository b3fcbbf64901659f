"""Fixtures that run the handlers against moto and the simulated CloudFront."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from moto import mock_aws

import api.handler
import prewarm.planning.batching
import prewarm.storage.run_store
from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import (
    DARK,
    DOMAIN,
    EXPIRED,
    IMPOSTOR,
    OLD,
    OTHER_DOMAIN,
    OTHER_HOST,
    SYDNEY,
    TOKYO,
    WRONG_NAME,
    Machine,
    Ran,
    an_account,
    au_pops,
)
from tests.support.strict_edge import strict_cloudfront


@pytest.fixture(scope="session")
def edge() -> Iterator[SimulatedCloudFront]:
    """A CloudFront of Oceania: one POP is dark, one is an impostor, the catalogue's others do not exist."""
    living = [pop for pop in au_pops() if pop.startswith(("SYD", "AKL"))]
    config = {
        "distributions": [
            {"domain": DOMAIN, "aliases": [HOST, "*.wild.example.com"]},
            {"domain": OTHER_DOMAIN, "aliases": [OTHER_HOST]},
        ],
        "pops": [*living, DARK, IMPOSTOR, TOKYO, OLD, EXPIRED, WRONG_NAME],
        "areas": dict.fromkeys((TOKYO, OLD, EXPIRED, WRONG_NAME), "NRT"),
        "addresses_per_pop": 2,
        "http1_only": [OLD],
        "tls_faults": {EXPIRED: "expired", WRONG_NAME: "wrong_name"},
        "dark": [DARK],
        "impostors": {IMPOSTOR: "ATL56-C1"},
        "objects": {f"/{i}.txt": {"size": 1000 + i, "content_type": "text/plain"} for i in range(40)},
        "default_object": {"size": 500},
        "error_ttl": 1,
    }
    with strict_cloudfront(config) as running:
        yield running


@pytest.fixture(scope="module")
def _moto() -> Iterator[None]:
    """Keep moto and the functions' AWS clients for a whole module, because creating them is slow."""
    prewarm.storage.run_store.storage.cache_clear()
    api.handler._executions.cache_clear()
    with mock_aws():
        yield
    prewarm.storage.run_store.storage.cache_clear()
    api.handler._executions.cache_clear()


@pytest.fixture
def account(edge: SimulatedCloudFront, _moto: None) -> Iterator[SimpleNamespace]:
    with an_account(edge) as made:
        yield made


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide even a small run into several batches."""
    monkeypatch.setattr(prewarm.planning.batching, "MIN_TARGETS_PER_BATCH", 200)


@pytest.fixture
def machine(account: SimpleNamespace) -> Machine:
    return Machine(account.storage)


@pytest.fixture
def ran(machine: Machine, edge: SimulatedCloudFront) -> Ran:
    """A run of three URLs: one is blocked at Tokyo, one contains a secret."""
    good, bad = fresh(2)
    edge.fault(path_of(bad), "waf_block", pops=[TOKYO])
    signed = f"{fresh()[0]}?Signature=s3cr3t&Key-Pair-Id=K"
    request = {"url_list": [good, bad, signed], "region_type": "pop", "region": [SYDNEY[0], TOKYO]}
    return machine.run(request | {"headers": {"Accept-Language": "en"}}, "reported")
