"""`prewarm doctor`: the API's address and key, and the clocks."""

import datetime as dt

import pytest

from prewarm.diagnosis import FAILURE, OK, WARNING
from prewarm_cli.api_client import Client
from prewarm_cli.doctor.service import ask_service, check_api, check_key_needed
from tests.support.doctor_world import (
    URL,
    DoctorWorld,
    explained,
)
from tests.support.fake_api import prewarm

pytestmark = pytest.mark.xdist_group("doctor")


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
