"""Rules for the state machine's data: paths, AWS calls, maps, and features that AWS and moto both support."""

import json
import re

from prewarm_local.stack.moto_patches import percentages_as_floats
from prewarm_local.stack.moto_stepfunctions import AmazonStateLanguageParser, ASLParserException
from tests.support.asl_reading import states, tasks, walk
from tests.support.definitions import Document

CONTEXT = {
    "$$.Execution.Name",
    "$$.Execution.Input",
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


def sdk_calls(machine: Document) -> list[str]:
    """List tasks that call AWS by an SDK integration.

    An action that Step Functions does not know fails CreateStateMachine, and with it the whole stack.
    """
    return [name for name, state in tasks(machine) if ":aws-sdk:" in state["Resource"]]


def inline_maps(machine: Document) -> list[str]:
    """List maps whose iterations add their events to the execution's own history, which ends at 25,000."""
    return [
        name
        for name, state in states(machine)
        if state["Type"] == "Map" and state["ItemProcessor"].get("ProcessorConfig", {}).get("Mode") != "DISTRIBUTED"
    ]


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


def lost_run_names(machine: Document) -> list[str]:
    """List maps whose items do not get the run's name from the state's data, and states that drop it from there.

    No record of AWS shows what `$$.Execution.Name` is in a Distributed Map's ItemSelector.
    """
    problems = [
        name
        for name, state in states(machine)
        if "ItemReader" in state and state["ItemSelector"].get("run.$") != "$.run"
    ]
    replacing = [(name, state) for name, state in machine["States"].items() if state["Type"] == "Pass"]
    known = {True: "$$.Execution.Name", False: "$.run"}
    return problems + [
        name for name, state in replacing if state["Parameters"].get("run.$") != known[name == machine["StartAt"]]
    ]


def doubled_inputs(machine: Document) -> list[str]:
    """List states that take the execution's input from their own, and states but ResolveTargets that take it at all.

    A state of a later reading has other data; and input and data together may exceed the 256 KiB of a payload.
    """
    problems = []
    for name, state in machine["States"].items():
        templates = [state[part] for part in TEMPLATES if part in state]
        whole = [value for part in templates for _, key, value in walk(part) if value in ("$", "$$.Execution.Input")]
        if whole != (["$$.Execution.Input"] if name == "ResolveTargets" else []):
            problems.append(f"{name}: {whole}")
    if "Parameters" not in machine["States"].get(machine["StartAt"], {}):
        problems.append("the first state passes on the execution's input")
    return problems


def refused_by_moto(machine: Document) -> list[str]:
    """Return the parse error of moto's grammar, patched as in the embedded stack."""
    try:
        AmazonStateLanguageParser.parse(percentages_as_floats(json.dumps(machine)))
    except (ASLParserException, ValueError) as error:
        return [str(error)]
    return []
