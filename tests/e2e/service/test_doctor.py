"""`prewarm doctor` against the embedded stack: a healthy one, and one with each of its faults in turn."""

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import prewarm_cli.transport
from prewarm.diagnosis import FAILURE, OK, WARNING, Row
from prewarm_cli.api_client import Client
from prewarm_cli.doctor.account import Account
from prewarm_cli.doctor.service import ask_service, check_api, check_key_needed
from prewarm_cli.doctor.trials import Trials, trial
from tests.support.doctor_world import (
    FORBIDDEN_HOST,
    NEVER_KEPT,
    POPS,
    URL,
    Denied,
    DoctorWorld,
    Reply,
    doctor_world,
)
from tests.support.fake_api import prewarm
from tests.trust.dns_proxy import OUTSIDE, address, code, silent, without_subnet

pytestmark = pytest.mark.xdist_group("doctor")
ALWAYS = 1_000
THREE = POPS[:3]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DoctorWorld]:
    with doctor_world(tmp_path_factory.mktemp("logs")) as made:
        yield made


@pytest.fixture
def world(running: DoctorWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[DoctorWorld]:
    settings = {
        "PREWARM_API_URL": running.stack.api,
        "PREWARM_API_KEY": running.stack.api_key,
        "AWS_ENDPOINT_URL": running.aws.endpoint,
        "AWS_ACCESS_KEY_ID": "doctor",
        "AWS_SECRET_ACCESS_KEY": "doctor",
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(prewarm_cli.transport, "BACKOFF_SECONDS", 0.0)
    try:
        yield running
    finally:
        running.heal()


@pytest.fixture
def client(world: DoctorWorld) -> Client:
    return Client(world.stack.api, world.stack.api_key)


@pytest.fixture
def trials(client: Client) -> Trials:
    made = Trials(client, 0)
    made.ends = made.clock() + 60
    return made


@pytest.fixture
def account(world: DoctorWorld) -> Account:
    made = Account(world.stack.state_machine_arn)
    assert made.credentials().result == OK
    return made


def explained(row: Row) -> bool:
    """Return whether a row that is not ok says what it means and what to do."""
    return row.result != OK and bool(row.detail and row.meaning and row.action)


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


# ---- address, key and clock ----


def test_wrong_key_is_found(world: DoctorWorld) -> None:
    shown = prewarm("doctor", URL, "--api-key", "wrong", code=1).stdout
    assert "failure  api: the x-api-key header is missing or is not a key of this API" in shown
    assert "prewarm configure" in shown
    assert "1 failure" in shown


@pytest.mark.parametrize("wrong", ["http://127.0.0.1:9/v1", "{api}/nowhere", "{host}"])
def test_wrong_address_is_found(world: DoctorWorld, wrong: str) -> None:
    address_ = wrong.format(api=world.stack.api, host=world.stack.api.rpartition("/")[0])
    row = check_api(Client(address_, world.stack.api_key))
    assert row.result == FAILURE
    assert "ApiUrl" in row.action


def test_another_key_is_refused(client: Client) -> None:
    assert check_key_needed(client).result == OK


@pytest.mark.parametrize(("skew", "result"), [(0, OK), (-90, WARNING), (400, FAILURE)])
def test_clock_that_is_wrong_is_found(client: Client, skew: float, result: str) -> None:
    def now() -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=skew)

    _, rows = ask_service(client, None, now)
    (clock,) = [row for row in rows if row.check == "clock"]
    assert clock.result == result
    assert result == OK or explained(clock)


# ---- the account ----


def test_missing_credentials_are_a_warning(world: DoctorWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    row = Account(world.stack.state_machine_arn).credentials()
    assert row.result == WARNING
    assert row.detail.startswith("skipped: no credentials")
    assert explained(row)


def test_credentials_that_aws_refuses_are_found(world: DoctorWorld) -> None:
    world.aws.add("sts:.*", Denied("sts:GetCallerIdentity"), times=ALWAYS)
    row = Account(world.stack.state_machine_arn).credentials()
    assert row.result == FAILURE
    assert explained(row)


def test_credentials_of_another_account_are_found(world: DoctorWorld) -> None:
    row = Account(world.stack.state_machine_arn.replace("123456789012", "210987654321")).credentials()
    assert (row.result, "123456789012" in row.detail) == (WARNING, True)


@pytest.mark.parametrize(("unreserved", "result"), [(4, FAILURE), (14, WARNING), (15, OK)])
def test_concurrency_below_that_of_requests_is_found(
    world: DoctorWorld, account: Account, unreserved: int, result: str
) -> None:
    limits = {"ConcurrentExecutions": 20, "UnreservedConcurrentExecutions": unreserved}
    world.aws.add("lambda:GET .*account-settings.*", Reply({"AccountLimit": limits}), times=ALWAYS)
    row = account.concurrency(5)
    assert row.result == result
    assert result == OK or explained(row)


def test_missing_right_to_read_the_concurrency_is_a_warning(world: DoctorWorld, account: Account) -> None:
    world.aws.add("lambda:GET .*account-settings.*", Denied("lambda:GetAccountSettings"), times=ALWAYS)
    row = account.concurrency(5)
    assert (row.result, "lambda:GetAccountSettings" in row.action) == (WARNING, True)


def test_missing_right_to_start_directly_is_found(world: DoctorWorld, account: Account) -> None:
    world.aws.add("stepfunctions:StartExecution", Denied("states:StartExecution", status=400), times=ALWAYS)
    row = account.start("direct", trial(URL, THREE, dry_run=True))
    assert isinstance(row, Row)
    assert (row.result, row.check, "StartExecution" in row.detail) == (WARNING, "direct_start", True)
    assert explained(row)


# ---- runs ----


def test_url_that_is_not_kept_is_found(trials: Trials) -> None:
    run, transitions, report = trials.three_pops(NEVER_KEPT, THREE)
    assert (run.result, run.detail) == (FAILURE, "3 unproven")
    assert "TTL" in run.action
    assert (transitions.result, report.result) == (OK, OK)


def test_missing_right_to_start_runs_is_found(world: DoctorWorld, trials: Trials) -> None:
    world.aws.add("stepfunctions:StartExecution", Denied("states:StartExecution", status=400), times=ALWAYS)
    (row,) = trials.three_pops(URL, THREE)
    assert (row.check, row.result) == ("run", FAILURE)
    assert explained(row)


def test_workers_that_may_not_store_their_records_are_found(world: DoctorWorld, trials: Trials) -> None:
    world.aws.add("s3:PUT records", Denied("s3:PutObject"), times=ALWAYS)
    run, *_ = trials.three_pops(URL, THREE)
    assert run.result == FAILURE
    assert explained(run)


def test_broken_report_link_is_found(world: DoctorWorld, trials: Trials) -> None:
    run = trials.start(trial(URL, THREE))
    trials.watch(run)
    for fault in ("s3:GET report.json", "s3:HEAD report.json"):
        world.aws.clear()
        world.aws.add(fault, Denied("s3:GetObject"), times=ALWAYS)
        row = trials.report(run)
        assert (row.check, row.result) == ("report", FAILURE)
        assert explained(row)


@pytest.mark.parametrize("fault", ["denied", "ignored"])
def test_cancel_that_has_no_effect_is_found(world: DoctorWorld, trials: Trials, fault: str) -> None:
    reply = Denied("states:StopExecution", status=400) if fault == "denied" else Reply({"stopDate": 1})
    world.aws.add("stepfunctions:StopExecution", reply, times=ALWAYS)
    row = trials.cancel(URL, THREE)
    assert (row.check, row.result) == ("cancel", FAILURE)
    assert explained(row)


def test_missing_right_to_invalidate_is_found(world: DoctorWorld, trials: Trials) -> None:
    pattern = "cloudfront:POST /2020-05-31/distribution/.*/invalidation"
    world.aws.add(pattern, Denied("cloudfront:CreateInvalidation"), times=ALWAYS)
    run = trials.invalidate(URL, THREE)
    assert isinstance(run, str)
    row = trials.invalidated(run, 60)
    assert (row.check, row.result) == ("invalidation", FAILURE)
    assert explained(row)


def test_examination_that_would_cost_too_much_starts_no_run(world: DoctorWorld) -> None:
    world.edge.put_object("/page.html", {"size": 30_000_000})
    world.edge.purge(["/page.html"])
    world.aws.calls.clear()
    try:
        result = json.loads(prewarm("doctor", URL, "--json", code=1).stdout)
    finally:
        world.edge.put_object("/page.html", {"size": 900})
        world.edge.purge(["/page.html"])
    (cost,) = [row for row in result["checks"] if row["check"] == "cost"]
    assert (cost["result"], "the limit is $0.01" in cost["detail"]) == (FAILURE, True)
    assert world.aws.calls["stepfunctions:StartExecution"] == 0
