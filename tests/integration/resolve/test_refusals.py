"""Requests that ResolveTargets rejects: as data, with messages that name the field, and nothing warmed."""

import json
import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NoReturn

import boto3
import dns.resolver
import pytest
from botocore.stub import Stubber
from moto.cloudfront.models import cloudfront_backends

import resolve.dns_lookup
import resolve.handler
from prewarm.catalogue import catalogue
from prewarm.settings import Settings
from resolve.distributions.finder import DistributionFinder
from tests.support.edge_urls import HOST
from tests.support.handlers import (
    ACCOUNT,
    DOMAIN,
    OTHER_DOMAIN,
    OTHER_HOST,
    SYDNEY,
    Context,
    Machine,
    add_distribution,
    document,
    keys,
)

URL = f"https://{HOST}/1.txt"
GOOD: dict[str, Any] = {"url_list": [URL], "region_type": "pop", "region": SYDNEY[:1]}
BAD: list[tuple[object, str]] = [
    ("text", "must be a JSON object with url_list, region_type and region"),
    ({}, "url_list: is missing"),
    (GOOD | {"url_list": []}, "url_list: is empty; use a list"),
    (
        GOOD | {"url_list": [URL, "ftp://www.example.com/x", URL]},
        "url_list[1]: 'ftp://www.example.com/x' has the scheme",
    ),
    (GOOD | {"url_list": ["https://192.0.2.7/"]}, "url_list[0]: 'https://192.0.2.7/' contains an IP address"),
    (GOOD | {"region": ["SYD1-C9"]}, "region[0]: POP 'SYD1-C9' is not in the catalogue"),
    (GOOD | {"region": ["SYD1-C9"]}, "did you mean SYD1-C"),
    (GOOD | {"region_type": "country", "region": "austalia"}, "did you mean australia"),
    (GOOD | {"region_type": "region", "region": ["apac", "uk"]}, "region[1]: unknown region 'uk'"),
    (GOOD | {"region_type": "planet"}, "region_type: "),
    (GOOD | {"min_warm_percent": 101}, "min_warm_percent: "),
    (GOOD | {"max_bytes": "1 MB"}, "max_bytes: "),
    (GOOD | {"timeout_minute": 3}, "timeout_minute: unknown field; did you mean timeout_minutes?"),
    (GOOD | {"headers": {"Host": "a.example"}}, "headers.Host: is set by the service"),
    (GOOD | {"headers": {"X-A": "1\r\nX-B: 2"}}, "headers.X-A: contains a character"),
    (GOOD | {"cf_domain": "www.example.com"}, "cf_domain: "),
    (
        GOOD | {"cf_domain": "d999abcdef8.cloudfront.net"},
        "cf_domain: d999abcdef8.cloudfront.net is not a distribution of",
    ),
    (
        GOOD | {"url_list": ["https://www.example.net/"]},
        "url_list: none of its hosts can be warmed: no distribution of this account has the alias www.example.net",
    ),
]


def rejection(machine: Machine, request_document: object, name: str = "refused") -> str:
    """Return the Cause of a rejection, after checking that nothing but the request was stored."""
    event = {"run": name, "input": request_document}
    resolved = resolve.handler.handler(event, Context())
    assert set(resolved) == {"rejection"}, resolved
    assert resolved["rejection"]["error"] == "Prewarm.InvalidRequest"
    assert [key for key in keys(f"runs/{name}/") if not key.endswith("request.json")] == []
    assert machine.storage.ledger.control(name).ended
    return str(resolved["rejection"]["cause"])


@pytest.mark.parametrize(("request_document", "words"), BAD)
def test_bad_input_is_rejected_with_the_field(machine: Machine, request_document: object, words: str) -> None:
    cause = rejection(machine, request_document)
    assert words in cause
    assert "Traceback" not in cause
    assert "\n" not in cause


def test_all_problems_of_a_request_are_in_one_rejection(machine: Machine) -> None:
    request = GOOD | {"url_list": ["x", URL, "ftp://a.example/"], "region": ["SYD"], "headers": {"Host": "a"}}
    cause = rejection(machine, request)
    assert [part.split(":")[0] for part in cause.split(" | ")] == [
        "url_list[0]",
        "url_list[2]",
        "region[0]",
        "headers.Host",
    ]


def test_thousands_of_problems_fit_the_cause_of_a_fail_state(machine: Machine) -> None:
    cause = rejection(machine, GOOD | {"url_list": ["y" * 9000] * 3000})
    assert len(cause) <= 32_768
    assert "and 2980 more problems" in cause


def test_rejected_url_is_shown_without_its_signature(machine: Machine) -> None:
    url = f"https://{HOST}:8443/film.mp4?Expires=1&Signature=s3cr3t&Key-Pair-Id=K1"
    cause = rejection(machine, GOOD | {"url_list": [url]})
    assert "has port 8443" in cause
    assert "film.mp4" in cause
    assert "s3cr3t" not in cause


def test_rejected_url_is_shown_without_its_password(machine: Machine) -> None:
    cause = rejection(machine, GOOD | {"url_list": [f"https://user:s3cr3t@{HOST}/"]})
    assert "user name or password" in cause
    assert "s3cr3t" not in cause


@pytest.mark.parametrize("name", ["Cookie", "authorization", "X-Api-Key"])
def test_secret_headers_are_rejected_in_a_direct_start(machine: Machine, name: str) -> None:
    cause = rejection(machine, GOOD | {"headers": {name: "s3cr3t"}})
    assert f"headers.{name}: contains a secret" in cause
    assert "s3cr3t" not in cause
    assert keys("runs/refused/") == []


def test_secret_headers_of_a_stored_request_are_accepted(machine: Machine) -> None:
    machine.storage.put_request("stored", GOOD | {"headers": {"Cookie": "s3cr3t"}})
    ran = machine.resolve({"requestKey": "runs/stored/request.json"}, "stored")
    assert ran.resolved["targets"] == 1


def test_request_of_another_run_is_rejected(machine: Machine) -> None:
    machine.storage.put_request("victim", GOOD)
    cause = rejection(machine, {"requestKey": "runs/victim/request.json"}, "thief")
    assert "requestKey: must be runs/thief/request.json, the request of this run" in cause


@pytest.mark.parametrize("key", ["runs/refused/../victim/request.json", "", None, 7, ["runs/refused/request.json"]])
def test_malformed_request_key_is_rejected(machine: Machine, key: object) -> None:
    assert rejection(machine, {"requestKey": key}).startswith("requestKey: ")


def test_request_that_is_not_stored_is_rejected(machine: Machine) -> None:
    assert "no request is stored" in rejection(machine, {"requestKey": "runs/refused/request.json"})


def test_direct_start_stores_its_request(machine: Machine) -> None:
    machine.resolve(GOOD | {"url_list": [URL, URL]}, "direct")
    stored = document("direct", "request.json")
    assert stored["url_list"] == [URL]
    assert (stored["region_type"], stored["region"]) == ("pop", SYDNEY[:1])


def test_url_without_a_distribution_fails_and_the_others_are_planned(machine: Machine) -> None:
    ran = machine.resolve(GOOD | {"url_list": ["https://www.example.net/", URL]})
    assert ran.resolved["targets"] == 1
    assert document(ran.name, "plan/urls.json.gz") == [URL, "https://www.example.net/"]
    for item in machine.items(ran):
        machine.warm(ran, item)
    machine.aggregate(ran)
    failures = document(ran.name, "summary.json")["failures"]
    assert [(entry["url"], entry["reasons"]) for entry in failures] == [
        ("https://www.example.net/", {"no_distribution": 1})
    ]


def test_host_must_be_an_alias_of_the_cf_domain(machine: Machine) -> None:
    """Otherwise a caller could send another customer's Host header through an address of this distribution."""
    request = GOOD | {"cf_domain": OTHER_DOMAIN}
    assert f"{HOST} is served by {DOMAIN}, not by the cf_domain {OTHER_DOMAIN}" in rejection(machine, request)


def test_only_hosts_of_the_cf_domain_are_planned(machine: Machine) -> None:
    request = GOOD | {"cf_domain": OTHER_DOMAIN, "url_list": [URL, f"https://{OTHER_HOST}/1.txt"]}
    ran = machine.resolve(request)
    assert document(ran.name, "plan/urls.json.gz") == [f"https://{OTHER_HOST}/1.txt", URL]
    assert [group["domain"] for group in document(ran.name, "plan/plan.json")["groups"]] == [OTHER_DOMAIN]


def test_disabled_cf_domain_is_rejected(machine: Machine) -> None:
    add_distribution("d333abcdef8.cloudfront.net", ["off.example.com"], enabled=False)
    request = GOOD | {"url_list": ["https://off.example.com/"], "cf_domain": "d333abcdef8.cloudfront.net"}
    assert "d333abcdef8.cloudfront.net is disabled" in rejection(machine, request)


def test_disabled_distribution_serves_no_host(machine: Machine) -> None:
    add_distribution("d333abcdef8.cloudfront.net", ["off.example.com"], enabled=False)
    cause = rejection(machine, GOOD | {"url_list": ["https://off.example.com/"]})
    assert "off.example.com" in cause


def test_distributions_are_listed_to_the_last_page(account: SimpleNamespace) -> None:
    client = boto3.client("cloudfront")
    template = client.list_distributions()["DistributionList"]["Items"][0] | {"Staging": False}

    def page(number: int, marker: str) -> dict[str, Any]:
        item = template | {"Id": f"E{number}", "DomainName": f"D{number}.cloudfront.net"}
        response = {"Marker": "", "MaxItems": 1, "IsTruncated": bool(marker), "Quantity": 1, "Items": [item]}
        return {"DistributionList": response | ({"NextMarker": marker} if marker else {})}

    with Stubber(client) as stub:
        stub.add_response("list_distributions", page(1, "next"), {})
        stub.add_response("list_distributions", page(2, "last"), {"Marker": "next"})
        stub.add_response("list_distributions", page(3, ""), {"Marker": "last"})
        listed = DistributionFinder(Settings.from_environment(), {"": client}).listed
        stub.assert_no_pending_responses()
    assert [(each.id, each.domain) for each in listed] == [(f"E{n}", f"d{n}.cloudfront.net") for n in (1, 2, 3)]


def test_account_without_distributions_rejects_every_host(machine: Machine) -> None:
    cloudfront_backends[ACCOUNT]["aws"].distributions.clear()
    assert HOST in rejection(machine, GOOD)


@pytest.fixture
def silent_nameserver() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unanswered:
        unanswered.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{unanswered.getsockname()[1]}"


def test_dead_nameserver_is_a_refusal_in_time(
    machine: Machine, silent_nameserver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A fifth of the time limits in AWS, where it may take 12 seconds.
    monkeypatch.setattr(resolve.dns_lookup, "SECONDS_PER_TRY", resolve.dns_lookup.SECONDS_PER_TRY / 5)
    monkeypatch.setattr(resolve.dns_lookup, "SECONDS_PER_QUERY", resolve.dns_lookup.SECONDS_PER_QUERY / 5)
    monkeypatch.setenv("PREWARM_NAMESERVERS", silent_nameserver)
    started = time.monotonic()
    cause = rejection(machine, GOOD | {"region_type": "region", "region": "all"}, "silent")
    # One query for the distribution's own name.
    assert f"none of {len(catalogue().pops) + 1} DNS queries was answered by {silent_nameserver}" in cause
    assert cause.startswith("no name resolves: ")
    assert cause.endswith("does this machine have DNS?")
    assert time.monotonic() - started < 12 / 5 + 2


def test_machine_without_a_nameserver_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_configuration(_settings: Settings) -> NoReturn:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(resolve.dns_lookup, "resolver_for", no_configuration)
    cause = rejection(machine, GOOD)
    assert "this machine has no nameserver" in cause
    assert cause.endswith("does this machine have DNS?")


UNKNOWN = "d777abcdef8.cloudfront.net"


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ({"region_type": "region", "region": ["au"]}, "none of 15 POP names resolves"),
        ({"region_type": "pop", "region": SYDNEY[:1]}, "its POP name does not resolve"),
        ({"region_type": "country", "region": ["qatar"]}, "check the name"),
    ],
)
def test_distribution_that_no_nameserver_knows_is_refused(
    machine: Machine, selection: dict[str, Any], words: str, *, dry_run: bool
) -> None:
    add_distribution(UNKNOWN, ["gone.example.com"])
    request = GOOD | selection | {"url_list": ["https://gone.example.com/"], "dry_run": dry_run}
    cause = rejection(machine, request)
    assert cause.startswith(f"url_list: no nameserver knows {UNKNOWN}, so there is no such distribution")
    assert words in cause
    assert rejection(machine, request | {"cf_domain": UNKNOWN}).startswith(
        f"cf_domain: no nameserver knows {UNKNOWN}"
    )


def test_every_unknown_distribution_is_listed(machine: Machine) -> None:
    add_distribution(UNKNOWN, ["gone.example.com"])
    add_distribution("d888abcdef8.cloudfront.net", ["gone.example.org"])
    urls = ["https://gone.example.com/", "https://gone.example.org/"]
    cause = rejection(machine, GOOD | {"url_list": urls})
    assert f"knows {UNKNOWN}" in cause
    assert "knows d888abcdef8.cloudfront.net" in cause
    mixed = machine.run(GOOD | {"url_list": [*urls, URL]})
    assert not mixed.output["warm"]
    summary = document(mixed.name, "summary.json")
    assert summary["success"] == 1
    warned = [text for text in summary["warnings"] if text.startswith("not warmed: no nameserver knows d")]
    assert len(warned) == 2
    assert not any(f"knows {DOMAIN}" in text for text in warned)


def test_rejection_is_encodable_json(machine: Machine) -> None:
    cause = rejection(machine, GOOD | {"headers": {"\ud800": "1"}})
    json.dumps({"cause": cause}, ensure_ascii=False).encode()
