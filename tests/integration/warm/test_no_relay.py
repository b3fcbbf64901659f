"""What is fetched is what was checked: the address of the plan, the host of the URL, and nothing it leads to."""

import socket

import pytest

from prewarm_local.edge.process import SimulatedCloudFront
from tests.support.edge_urls import HOST, fresh, path_of
from tests.support.handlers import SYDNEY, Machine, document, outcomes, records


def test_an_answer_of_dns_after_resolve_changes_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: a name that led to CloudFront when it was checked may lead anywhere when it is used."""
    ran = machine.resolve({"url_list": fresh(3), "region_type": "pop", "region": SYDNEY})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        nobody.settimeout(0.01)
        monkeypatch.setenv("PREWARM_NAMESERVERS", f"127.0.0.1:{nobody.getsockname()[1]}")
        for item in machine.items(ran):
            machine.warm(ran, item)
        with pytest.raises(TimeoutError):
            nobody.recv(512)
    (pinned,) = document(ran.name, "plan/addresses.json.gz")
    assert sum(outcomes(ran.name).values()) == 9
    assert set(outcomes(ran.name)) <= {"warmed", "already_warm"}
    assert all(record["address"] in pinned[record["pop"]] for record in records(ran.name))


def test_a_redirect_is_never_followed(machine: Machine, edge: SimulatedCloudFront) -> None:
    url, leads_to = fresh(2)
    edge.put_object(path_of(url), {"status": 302, "headers": {"location": leads_to}})
    ran = machine.run({"url_list": [url], "region_type": "pop", "region": SYDNEY[:1]})
    assert outcomes(ran.name) == {"redirect": 1}
    assert path_of(leads_to) not in str(edge.stats())


def test_only_the_host_of_the_url_is_asked_for_whatever_headers_are_given(machine: Machine) -> None:
    given = {"url_list": fresh(), "region_type": "pop", "region": SYDNEY[:1]}
    for name in ("Host", "Connection", "X-A\r\nHost"):
        rejected = machine.resolve(given | {"headers": {name: "other.example"}}).resolved["rejection"]
        assert rejected["details"][0]["field"].startswith("headers.")
    assert machine.run(given | {"headers": {"X-Forwarded-Host": "other.example"}}).output["warm"]
    assert HOST in given["url_list"][0]
