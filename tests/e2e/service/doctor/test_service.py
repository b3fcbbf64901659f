"""`prewarm doctor` against the embedded stack: a healthy one, and one with each fault that only the service sees."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from prewarm.diagnosis import FAILURE, OK, WARNING
from tests.support.doctor_world import (
    ALWAYS,
    FORBIDDEN_HOST,
    POPS,
    URL,
    Denied,
    DoctorWorld,
)
from tests.support.fake_api import prewarm
from tests.trust.dns_proxy import OUTSIDE, address, code, silent, without_subnet

pytestmark = pytest.mark.xdist_group("doctor")


# ---- a healthy service ----


def test_healthy_service_passes_and_its_report_identifies_no_one(world: DoctorWorld, tmp_path: Path) -> None:
    report = tmp_path / "acceptance.md"
    before = len(world.invalidated)
    result = json.loads(prewarm("doctor", URL, "--json", "--report", str(report)).stdout)
    assert [row for row in result["checks"] if row["result"] != OK] == []
    names = [row["check"] for row in result["checks"]]
    assert len(names) == len(set(names)) == 24
    assert 0 < result["dollars"] <= result["estimatedDollars"] < 0.01
    assert result["seconds"] < 120
    (path,) = world.invalidated[before:]
    assert path.startswith("/page.html?prewarm-doctor=")
    text = report.read_text()
    for secret in (world.stack.api, world.stack.api_key, "www.example.com", "d111abcdef8", "123456789012"):
        assert secret not in text
    assert all(f"| {name} | ok |" in text for name in names)


def test_without_url_no_run_is_made_and_nothing_fails(world: DoctorWorld) -> None:
    world.aws.calls.clear()
    shown = prewarm("doctor").stdout
    assert "not checked: no URL was given" in shown
    assert "failure" not in shown
    assert world.aws.calls["stepfunctions:StartExecution"] == 0


# ---- what only the service sees ----


@contextlib.contextmanager
def _without_bucket(world: DoctorWorld) -> Iterator[None]:
    s3 = world.stack.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=world.stack.bucket)
    for key in [entry["Key"] for page in pages for entry in page.get("Contents", [])]:
        s3.delete_object(Bucket=world.stack.bucket, Key=key)
    s3.delete_bucket(Bucket=world.stack.bucket)
    try:
        yield
    finally:
        s3.create_bucket(Bucket=world.stack.bucket)


@contextlib.contextmanager
def _without_table(world: DoctorWorld) -> Iterator[None]:
    dynamodb, table = world.stack.client("dynamodb"), world.stack.template.tables[0]
    dynamodb.delete_table(TableName=table.name)
    try:
        yield
    finally:
        dynamodb.create_table(TableName=table.name, **table.schema)


@contextlib.contextmanager
def _without_state_machine(world: DoctorWorld) -> Iterator[None]:
    states, machine = world.stack.client("stepfunctions"), world.stack.template.state_machines[0]
    states.delete_state_machine(stateMachineArn=machine.arn)
    try:
        yield
    finally:
        states.create_state_machine(name=machine.name, definition=machine.definition, roleArn=machine.role)


def _dns(behaviour: Any, affects: Callable[[str], bool] = lambda _: True) -> Callable[[DoctorWorld], None]:
    def provoke(world: DoctorWorld) -> None:
        world.dns.behaviour, world.dns.affects = behaviour, affects

    return provoke


def _aws(pattern: str, fault: Any) -> Callable[[DoctorWorld], None]:
    def provoke(world: DoctorWorld) -> None:
        world.aws.add(pattern, fault, times=ALWAYS)

    return provoke


def _dark(*pops: str) -> Callable[[DoctorWorld], None]:
    def provoke(world: DoctorWorld) -> None:
        for pop in pops:
            world.edge.dark(pop)

    return provoke


def _nothing(_: DoctorWorld) -> None:
    """The fault is in the URL."""


def of_pop(name: str) -> bool:
    return name.count(".") == 4 and name.endswith(".cloudfront.net.")


def not_of_pop(name: str) -> bool:
    return not of_pop(name)


SERVICE_FAULTS: dict[str, tuple[Callable[[DoctorWorld], Any], str, str, str, str]] = {
    "silent nameserver": (_dns(silent), URL, "dns", FAILURE, "none of 1 DNS queries was answered"),
    "POP names do not exist": (_dns(code("NXDOMAIN"), of_pop), URL, "pop_names", FAILURE, "0 of 30 POP names"),
    "POP names lead elsewhere": (_dns(address(OUTSIDE), of_pop), URL, "pop_names", FAILURE, OUTSIDE),
    "no nameserver uses the client subnet": (
        _dns(without_subnet, not_of_pop), URL, "client_subnets", WARNING, "0 of 5 client subnets"
    ),
    "port 443 closed everywhere": (_dark(*POPS), URL, "reachability", FAILURE, "no POP responds"),
    "a continent without a living POP": (_dark(POPS[1]), URL, "reachability", WARNING, "none of Europe"),
    "host without distribution": (_nothing, "https://www.elsewhere.test/", "distribution", FAILURE, "elsewhere.test"),
    "distribution that is not allowed": (
        _nothing, f"https://{FORBIDDEN_HOST}/", "distribution", FAILURE, "AllowedDistributions"
    ),
    "right to list distributions missing": (
        _aws("cloudfront:GET /2020-05-31/distribution", Denied("cloudfront:ListDistributions")),
        URL, "cloudfront_api", FAILURE, "cloudfront:ListDistributions",
    ),
    "right to write the bucket missing": (
        _aws("s3:PUT request.json", Denied("s3:PutObject")), URL, "bucket", FAILURE, "s3:PutObject"
    ),
    "right to read the ledger missing": (
        _aws("dynamodb:get control", Denied("dynamodb:GetItem", status=400)), URL, "table", FAILURE, "AccessDenied"
    ),
    "bucket missing": (_without_bucket, URL, "bucket", FAILURE, "NoSuchBucket"),
    "table missing": (_without_table, URL, "table", FAILURE, "ResourceNotFound"),
    "state machine missing": (_without_state_machine, URL, "state_machine", FAILURE, "StateMachineDoesNotExist"),
    "resolve function cannot be invoked": (
        _aws("lambda:POST .*", Denied("lambda:InvokeFunction")), URL, "resolve_function", FAILURE, "InvokeFunction"
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", SERVICE_FAULTS)
def test_fault_that_only_the_service_sees_is_found(world: DoctorWorld, fault: str) -> None:
    provoke, url, check, result, detail = SERVICE_FAULTS[fault]
    with provoke(world) or contextlib.nullcontext():
        rows = world.diagnose(url)
    found = rows[check]
    assert (found["result"], detail in found["detail"]) == (result, True), found
    assert found["meaning"]
    assert found["action"]
    # Nothing else is blamed: other failures are those of checks that depend on the same.
    failed = {name for name, row in rows.items() if row["result"] == FAILURE} - {check}
    assert failed <= ({"pop_names"} if fault == "silent nameserver" else set())


def test_diagnose_needs_the_key_and_checks_its_parameters(world: DoctorWorld) -> None:
    def status(key: str, **query: str) -> int:
        headers = {"x-api-key": key}
        return requests.get(f"{world.stack.api}/diagnose", params=query, headers=headers, timeout=30).status_code

    key = world.stack.api_key
    assert status("wrong") == 403
    assert [status(key, url=bad) for bad in ("", "ftp://www.example.com/", "https://10.0.0.1/")] == [400] * 3
    assert status(key, host="www.example.com") == 400
