"""One embedded stack for all tests of `prewarm doctor`, healed after each fault."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import prewarm_cli.transport
from prewarm.diagnosis import OK
from prewarm_cli.api_client import Client
from prewarm_cli.doctor.account import Account
from prewarm_cli.doctor.trials import Trials
from tests.support.doctor_world import (
    DoctorWorld,
    doctor_world,
)


@pytest.fixture(scope="package")
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
