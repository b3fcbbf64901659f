"""Workers fetch only what was checked: the plan's addresses and the URL's host, without redirects."""

import socket

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import SYDNEY, Machine, outcomes, plan_document, records


def test_workers_do_not_resolve_names_again(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: a name that resolved to CloudFront when it was checked may resolve elsewhere later."""
    ran = machine.resolve({"url_list": fresh(3), "region_type": "pop", "region": SYDNEY})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nameserver:
        nameserver.bind(("127.0.0.1", 0))
        nameserver.settimeout(0.01)
        monkeypatch.setenv("PREWARM_NAMESERVERS", f"127.0.0.1:{nameserver.getsockname()[1]}")
        for item in machine.items(ran):
            machine.warm(ran, item)
        with pytest.raises(TimeoutError):
            nameserver.recv(512)
    (pinned,) = plan_document(ran.name, "addresses.json.gz")
    assert sum(outcomes(ran.name).values()) == 9
    assert set(outcomes(ran.name)) <= {"warmed", "already_warm"}
    assert all(record["address"] in pinned[record["pop"]] for record in records(ran.name))


def test_redirect_is_not_followed(machine: Machine, edge: SimulatedCloudFront) -> None:
    url, location = fresh(2)
    edge.put_object(path_of(url), {"status": 302, "headers": {"location": location}})
    ran = machine.run({"url_list": [url], "region_type": "pop", "region": SYDNEY[:1]})
    assert outcomes(ran.name) == {"redirect": 1}
    assert path_of(location) not in str(edge.stats())


def test_headers_cannot_change_the_host(machine: Machine) -> None:
    request = {"url_list": fresh(), "region_type": "pop", "region": SYDNEY[:1]}
    for name in ("Host", "Connection", "X-A\r\nHost"):
        rejected = machine.resolve(request | {"headers": {name: "other.example"}}).resolved["rejection"]
        assert rejected["details"][0]["field"].startswith("headers.")
    assert machine.run(request | {"headers": {"X-Forwarded-Host": "other.example"}}).output["warm"]
    assert HOST in request["url_list"][0]
