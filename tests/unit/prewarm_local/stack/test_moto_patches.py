"""The patches of moto that are pure functions."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import moto.dynamodb.models.table
import pytest
from moto.dynamodb.exceptions import ConditionalCheckFailed
from moto.dynamodb.models import DynamoDBBackend

from prewarm_local.stack.moto_patches import (
    MotoPatches,
    patch_definitions,
    patch_table_writes,
    percentages_as_floats,
)
from prewarm_local.stack.moto_stepfunctions import AmazonStateLanguageParser, ASLParserException

MACHINE = {
    "StartAt": "Items",
    "States": {
        "Items": {
            "Type": "Map",
            "Label": "Items",
            "ToleratedFailurePercentage": 100,
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Parameters": {"Bucket": "b", "Key": "k"},
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Nothing",
                "States": {"Nothing": {"Type": "Pass", "End": True}},
            },
            "End": True,
        }
    },
}


def test_whole_percentage_becomes_a_float_and_the_rest_stays() -> None:
    text = percentages_as_floats(json.dumps(MACHINE))
    assert '"ToleratedFailurePercentage": 100.0' in text
    assert json.loads(text) == MACHINE


@pytest.mark.parametrize("text", ['{"ToleratedFailurePercentage": 12.5}', '{"Comment": "100"}', "not JSON"])
def test_other_definitions_stay_unchanged(text: str) -> None:
    assert percentages_as_floats(text) == text


def test_moto_parses_whole_percentages_only_while_patched() -> None:
    definition = json.dumps(MACHINE)
    with pytest.raises(ASLParserException):
        AmazonStateLanguageParser.parse(definition)
    with MotoPatches() as patches:
        patch_definitions(patches)
        AmazonStateLanguageParser.parse(definition)
    with pytest.raises(ASLParserException):
        AmazonStateLanguageParser().parse(definition)


def test_definition_is_parsed_once_and_each_execution_has_components_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[str] = []
    original = AmazonStateLanguageParser.parse

    def parse(definition: str) -> Any:
        parsed.append(definition)
        return original(definition)

    monkeypatch.setattr(AmazonStateLanguageParser, "parse", staticmethod(parse))
    with MotoPatches() as patches:
        patch_definitions(patches)
        programs: list[Any] = [AmazonStateLanguageParser.parse(json.dumps(MACHINE))[0] for _ in range(2)]
        for _ in range(2):
            with pytest.raises(ASLParserException):
                AmazonStateLanguageParser.parse("{}")
    assert len(parsed) == 3
    assert programs[0] is not programs[1]
    assert programs[0].states.states["Items"] is not programs[1].states.states["Items"]


def test_condition_and_write_of_a_table_are_atomic_while_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight threads put an item unless it exists; moto's check is slowed down, so that all of them would pass it."""
    table: Any = moto.dynamodb.models.table
    check = table.get_filter_expression

    def slow(*arguments: Any) -> Any:
        time.sleep(0.02)
        return check(*arguments)

    monkeypatch.setattr(table, "get_filter_expression", slow)
    schema = [{"AttributeName": "k", "KeyType": "HASH"}]
    backend = DynamoDBBackend("eu-central-1", "123456789012")
    names = [{"AttributeName": "k", "AttributeType": "S"}]
    options: Any = {"deletion_protection_enabled": False, "warm_throughput": None}
    backend.create_table("t", schema, None, names, None, None, None, "PAY_PER_REQUEST", None, [], **options)

    def put(number: int) -> bool:
        item = {"k": {"S": "a"}, "n": {"N": str(number)}}
        try:
            backend.put_item("t", item, condition_expression="attribute_not_exists(k)")
        except ConditionalCheckFailed:
            return False
        return True

    with MotoPatches() as patches, ThreadPoolExecutor(8) as pool:
        patch_table_writes(patches)
        assert sum(pool.map(put, range(8))) == 1
