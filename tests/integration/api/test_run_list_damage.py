"""The list of runs when an item in it is damaged."""

from typing import Any

import pytest

from prewarm.storage.ledger_items import pack, unpack_item
from tests.support.edge_urls import HOST
from tests.support.handlers import TABLE, client
from tests.support.run_starts import names, runs, started

pytestmark = pytest.mark.usefixtures("rest")

DAMAGE: list[dict[str, Any]] = [
    {"micros": "a lot"},
    {"hosts": 7},
    {"label": {"a": 1}},
    {"name": None},
    {"state": "SUCCESS", "endedAt": None},
    {"region": "tokyo", "total": "many"},
]


def damage(run: str, values: dict[str, Any]) -> None:
    """Change attributes of a run's item; None removes one."""
    place = client("dynamodb").get_item(TableName=TABLE, Key={"run": {"S": run}, "sk": {"S": "listed"}})["Item"]
    key = unpack_item(place)["at"]
    place = {"run": {"S": f"#runs#{key[:7]}"}, "sk": {"S": key}}
    item = client("dynamodb").get_item(TableName=TABLE, Key=place)["Item"]
    kept = {name: value for name, value in item.items() if values.get(name, "") is not None}
    item = kept | {name: pack(value) for name, value in values.items() if value is not None}
    client("dynamodb").put_item(TableName=TABLE, Item=item)


@pytest.mark.parametrize("values", DAMAGE, ids=str)
def test_damaged_item_is_a_row_of_its_own_and_hides_no_other_run(values: dict[str, Any]) -> None:
    first, broken, last = started(), started(label="main"), started()
    damage(broken, values)
    listed = {each["run"]: each for each in runs()}
    assert set(listed) == {first, broken, last}
    assert [run for run, each in listed.items() if each.get("damaged")] == [broken]
    assert listed[broken]["status"] == "IN_PROGRESS", "the execution knows it"
    assert listed[broken]["requestID"].endswith(broken)
    assert (listed[broken]["label"], listed[broken]["hosts"], listed[broken]["dollars"]) == (None, [], None)
    assert set(names(host=HOST)) == {first, broken, last}
