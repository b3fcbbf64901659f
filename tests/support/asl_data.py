"""Rules for the state machine's data: paths, AWS calls, maps, and features that AWS and moto both support."""

import json
import re
from typing import Any

import botocore.session
from botocore.model import StructureShape
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException

from prewarm_local.stack.moto_patches import percentages_as_floats
from tests.support.asl_reading import states, tasks, walk
from tests.support.definitions import Document

CONTEXT = {
    "$$.Execution.Name",
    "$$.Execution.Id",
    "$$.Execution.StartTime",
    "$$.Execution.RedriveCount",
    "$$.Map.Item.Value",
}

TEMPLATES = ("Parameters", "ItemSelector", "ResultSelector")

MAX_LABEL = 40


def jsonata(machine: Document) -> list[str]:
    return [
        path
        for path, key, value in walk(machine)
        if key in {"QueryLanguage", "Arguments", "Output", "Assign"} or (isinstance(value, str) and "{%" in value)
    ]


def mistyped_paths(machine: Document) -> list[str]:
    """List fields whose `.$` and value disagree, and unknown context fields."""
    problems = []
    for name, state in states(machine):
        for part in TEMPLATES:
            for path, key, value in walk(state.get(part, {}), f"{name}/{part}"):
                is_path = isinstance(value, str) and re.match(r"\$(\$?\.|$)|States\.", value) is not None
                if is_path != key.endswith(".$"):
                    problems.append(path)
    used = set(re.findall(r"\$\$[\w.]+", json.dumps(machine)))
    return [*problems, *sorted(used - CONTEXT)]


def unknown_aws_calls(machine: Document) -> list[str]:
    """List SDK operations, parameters and response members unknown to botocore."""
    problems = []
    for name, state in tasks(machine):
        call = re.fullmatch(r"arn:aws:states:::aws-sdk:(\w+):(\w)(\w+)", state["Resource"])
        if call is None:
            continue
        model = botocore.session.get_session().get_service_model(call[1])
        operation = call[2].upper() + call[3]
        if operation not in model.operation_names:
            problems.append(f"{name}: {operation}")
            continue
        shapes = model.operation_model(operation)
        assert shapes.input_shape is not None
        passed = {key.removesuffix(".$") for key in state["Parameters"]}
        problems += [f"{name}: {key}" for key in sorted(passed ^ set(shapes.input_shape.required_members))]
        problems += [
            f"{name}: {p}" for p in state["ResultSelector"].values() if not has_member(shapes.output_shape, p)
        ]
    return problems


def has_member(shape: Any, path: str) -> bool:
    for step in path.removeprefix("$.").split("."):
        if not isinstance(shape, StructureShape) or step not in shape.members:
            return False
        shape = shape.members[step]
    return True


def unfit_maps(machine: Document) -> list[str]:
    """List properties of Distributed Maps that break runs.

    Some only break them on AWS, or only on the embedded stack.
    """
    problems = []
    for name, state in states(machine):
        processor = state.get("ItemProcessor", {})
        if processor.get("ProcessorConfig", {}).get("Mode") != "DISTRIBUTED":
            continue
        if processor["ProcessorConfig"].get("ExecutionType") != "STANDARD":
            problems.append(f"{name}: children are not STANDARD")
        if not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{MAX_LABEL}}}", state.get("Label", "")):
            problems.append(f"{name}: Label")
        if "ItemBatcher" in state or state["ItemReader"].get("ReaderConfig") != {"InputType": "JSON"}:
            problems.append(f"{name}: items are not read one by one from JSON")
        if state.get("ToleratedFailurePercentage") != 100:
            problems.append(f"{name}: a failed batch would end the map before the others are warmed")
        if "MaxConcurrencyPath" not in state:
            problems.append(f"{name}: the concurrency is not the request's")
        writer = state.get("ResultWriter", {}).get("Parameters", {})
        if "$$.Execution.Name" not in writer.get("Prefix.$", "") or not writer.get("Bucket", "").startswith("${"):
            problems.append(f"{name}: results are not written under the run's prefix")
        if state.get("ResultPath", "$") is not None:
            problems.append(f"{name}: the map's result would replace the run's state")
    return problems


def refused_by_moto(machine: Document) -> list[str]:
    """Return the parse error of moto's grammar, patched as in the embedded stack."""
    try:
        AmazonStateLanguageParser.parse(percentages_as_floats(json.dumps(machine)))
    except (ASLParserException, ValueError) as error:
        return [str(error)]
    return []
