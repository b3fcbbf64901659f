"""The patches of moto that are pure functions."""

import json

import pytest
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException

from prewarm_local.stack.moto_patches import MotoPatches, patch_percentages, percentages_as_floats

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
        patch_percentages(patches)
        AmazonStateLanguageParser.parse(definition)
    with pytest.raises(ASLParserException):
        AmazonStateLanguageParser().parse(definition)
