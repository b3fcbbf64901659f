"""The rules for the state machine's definition: each is a function that lists what breaks it."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
from botocore.model import StructureShape
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException

from tests.contract.definitions import (
    MACHINE_ID,
    Document,
    functions,
    template,
)

Rule = Callable[[Document], list[str]]

# The way of a run: each state of the machine and of its maps, and where it may go on.
WAY = {
    "ResolveTargets": {"Accepted"},
    "Accepted": {"Rejected", "DryRunTold", "InvalidationWanted"},
    "Rejected": set(),
    "DryRunTold": set(),
    "InvalidationWanted": {"CreateInvalidations", "WarmTargets"},
    "CreateInvalidations": {"AwaitInvalidations"},
    "AwaitInvalidations": {"InvalidationsLeft"},
    "InvalidationsLeft": {"CreateInvalidations", "WarmTargets"},
    "WaitForInvalidation": {"WhoseInvalidation"},
    "WhoseInvalidation": {"GetInvalidation", "GetTenantInvalidation"},
    "GetTenantInvalidation": {"CountCheck"},
    "GetInvalidation": {"CountCheck"},
    "CountCheck": {"InvalidationDone"},
    "InvalidationDone": {"Invalidated", "InvalidationOverdue", "WaitForInvalidation"},
    "Invalidated": set(),
    "InvalidationOverdue": set(),
    "WarmTargets": {"StagesLeft"},
    "WarmBatch": {"BatchFinished"},
    "BatchFinished": {"BatchWarmed", "ContinueBatch"},
    "ContinueBatch": {"WarmBatch"},
    "BatchWarmed": set(),
    "StagesLeft": {"NextStage", "AggregateResults"},
    "NextStage": {"WarmTargets"},
    "AggregateResults": {"AllWarmed"},
    "AllWarmed": {"Warmed", "NotWarmed"},
    "Warmed": set(),
    "NotWarmed": set(),
}

# What Lambda can answer for reasons that pass: throttles, its own faults, a sandbox that died.
PASSING_LAMBDA_ERRORS = {
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "States.Timeout",
}
# What a function raises by a name of its own for a reason that passes.
OWN_PASSING_ERRORS = {"CreateInvalidations": {"TooManyInvalidationsInProgress"}}
CATCH_ALLS = {"States.ALL", "States.TaskFailed", "States.Runtime"}
# A new account runs 10 functions at once: others may hold them all for this long.
MIN_LAMBDA_PATIENCE_SECONDS = 600

NUMBERS = {
    "TimeoutSeconds",
    "HeartbeatSeconds",
    "Seconds",
    "IntervalSeconds",
    "BackoffRate",
    "MaxDelaySeconds",
    "MaxAttempts",
    "MaxConcurrency",
}
CONTEXT = {
    "$$.Execution.Name",
    "$$.Execution.Id",
    "$$.Execution.StartTime",
    "$$.Execution.RedriveCount",
    "$$.Map.Item.Value",
}
TEMPLATES = ("Parameters", "ItemSelector", "ResultSelector")

# AWS's limits: a state's name, a map's label, a Fail state's Error and Cause.
MAX_STATE_NAME = 80
MAX_LABEL = 40
MAX_ERROR = 256
MAX_CAUSE = 32_768
MAX_INVALIDATION_WAIT_SECONDS = 3600


# ---- reading the definition ----


def machines(machine: Document) -> Iterator[Document]:
    """Give the machine and those inside its Map and Parallel states."""
    yield machine
    for state in machine["States"].values():
        for inner in [state.get("ItemProcessor"), state.get("Iterator"), *state.get("Branches", [])]:
            if inner is not None:
                yield from machines(inner)


def states(machine: Document) -> Iterator[tuple[str, Document]]:
    for inner in machines(machine):
        yield from inner["States"].items()


def tasks(machine: Document) -> Iterator[tuple[str, Document]]:
    return ((name, state) for name, state in states(machine) if state["Type"] == "Task")


def successors(state: Document) -> set[str]:
    steps = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {step[key] for step in steps for key in ("Next", "Default") if key in step}


def reachable(starts: set[str], among: Document) -> set[str]:
    """Give the states that can be reached from these, these included."""
    seen: set[str] = set()
    left = starts & set(among)
    while left:
        name = left.pop()
        seen.add(name)
        left |= (successors(among[name]) & set(among)) - seen
    return seen


def walk(node: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Give every key and value below a node, and the path to them."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield f"{path}/{key}", str(key), value
        yield from walk(value, f"{path}/{key}")


def invoked_function(state: Document) -> str:
    """Name the function's logical id behind a task's ${Substitution}; empty when the task invokes none."""
    if not state["Resource"].endswith(":lambda:invoke"):
        return ""
    substitutions = template()["Resources"][MACHINE_ID]["Properties"]["DefinitionSubstitutions"]
    arn = substitutions[state["Parameters"]["FunctionName"].removeprefix("${").removesuffix("}")]
    name: str = arn["Fn::GetAtt"][0]
    return name


# ---- the graph ----


def dangling_targets(machine: Document) -> list[str]:
    problems = []
    for inner in machines(machine):
        there = set(inner["States"])
        if inner["StartAt"] not in there:
            problems.append(f"StartAt: {inner['StartAt']}")
        for name, state in inner["States"].items():
            problems += [f"{name}: {target}" for target in sorted(successors(state) - there)]
    return problems


def unreachable_states(machine: Document) -> list[str]:
    return [
        name
        for inner in machines(machine)
        for name in sorted(set(inner["States"]) - reachable({inner["StartAt"]}, inner["States"]))
    ]


def endless_states(machine: Document) -> list[str]:
    """List states from which no end can be reached, and those that go both on and nowhere, or neither."""
    problems = []
    for inner in machines(machine):
        all_states = inner["States"]
        ends = {n for n, s in all_states.items() if s["Type"] in {"Succeed", "Fail"} or s.get("End") is True}
        problems += [name for name in all_states if not ends & reachable({name}, all_states)]
        for name, state in all_states.items():
            ways_on = ("Next" in state) + ("End" in state)
            if ways_on != (state["Type"] not in {"Choice", "Succeed", "Fail"}):
                problems.append(f"{name}: {ways_on} of Next and End")
    return problems


def ambiguous_names(machine: Document) -> list[str]:
    names = [name for name, _ in states(machine)]
    return [name for name in names if names.count(name) > 1 or len(name) > MAX_STATE_NAME]


def detours(machine: Document) -> list[str]:
    way = {name: successors(state) for name, state in states(machine)}
    return sorted(name for name in way.keys() | WAY.keys() if way.get(name) != WAY.get(name))


def choices_without_default(machine: Document) -> list[str]:
    return [name for name, state in states(machine) if state["Type"] == "Choice" and "Default" not in state]


def speechless_failures(machine: Document) -> list[str]:
    """List Fail states that do not say what failed and why, or in more words than AWS takes."""
    problems = []
    for name, state in states(machine):
        if state["Type"] == "Fail":
            for key, most in (("Error", MAX_ERROR), ("Cause", MAX_CAUSE)):
                if (key in state) == (f"{key}Path" in state) or not len(state.get(key, "")) <= most:
                    problems.append(f"{name}: {key}")
    return problems


def swallowed_errors(machine: Document) -> list[str]:
    return [name for name, state in states(machine) if "Catch" in state]


def uncommented_states(machine: Document) -> list[str]:
    named = [("the machine", machine), *states(machine)]
    return [name for name, state in named if not str(state.get("Comment", "")).strip()]


# ---- time and patience ----


def impatient_tasks(machine: Document) -> list[str]:
    """List tasks without a literal timeout, or with one that ends before their function's own."""
    problems = []
    for name, state in tasks(machine):
        seconds = state.get("TimeoutSeconds")
        function = invoked_function(state)
        least = functions(template())[function]["Timeout"] if function else 0
        if not isinstance(seconds, int) or seconds <= least:
            problems.append(f"{name}: {seconds} s, {function or 'AWS'} {least} s")
    return problems


def hasty_retries(machine: Document) -> list[str]:
    """List tasks that do not retry what passes, by name, with jitter, long enough."""
    problems = []
    for name, state in tasks(machine):
        retriers = state.get("Retry", [])
        errors = {error for retrier in retriers for error in retrier["ErrorEquals"]}
        if errors & CATCH_ALLS or "States.Timeout" not in errors:
            problems.append(f"{name}: errors")
        if invoked_function(state) and errors != PASSING_LAMBDA_ERRORS | OWN_PASSING_ERRORS.get(name, set()):
            problems.append(f"{name}: not Lambda's passing errors")
        for retrier in retriers:
            if retrier.get("JitterStrategy") != "FULL" or retrier.get("MaxDelaySeconds") != 60:
                problems.append(f"{name}: jitter or delay")
            if invoked_function(state) and patience(retrier) < MIN_LAMBDA_PATIENCE_SECONDS:
                problems.append(f"{name}: {patience(retrier)} s of patience")
    return problems


def patience(retrier: Document) -> float:
    """Add up a retrier's waits, jitter left out; AWS's defaults where it gives none."""
    first, rate = retrier.get("IntervalSeconds", 1), retrier.get("BackoffRate", 2)
    tries = range(retrier.get("MaxAttempts", 3))
    return float(sum(min(retrier.get("MaxDelaySeconds", 60), first * rate**n) for n in tries))


def computed_numbers(machine: Document) -> list[str]:
    """List timeouts, waits and counts that are no literal numbers; the map's concurrency is the request's."""
    paths = {f"{number}Path" for number in NUMBERS - {"MaxConcurrency"}}
    problems = []
    for path, key, value in walk(machine):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if key in paths or (key in NUMBERS and not is_number):
            problems.append(path)
    return problems


def timeless_machines(machine: Document) -> list[str]:
    return [] if machine.get("TimeoutSeconds", 0) > 0 else ["the machine"]


def unbounded_waits(machine: Document) -> list[str]:
    """List Wait states that may come round for ever, or for longer than an invalidation deserves.

    Each loop through a Wait passes a state that counts it (States.MathAdd) and a Choice that ends it at a number.
    """
    problems = []
    for inner in machines(machine):
        all_states = inner["States"]
        counting = {n for n, s in all_states.items() if re.search(r"States\.MathAdd\(\$\.\w+, 1\)", json.dumps(s))}
        bounds = {
            name: rule["NumericGreaterThanEquals"]
            for name, state in all_states.items()
            for rule in state.get("Choices", [])
            if all_states.get(rule["Next"], {}).get("Type") == "Fail" and "NumericGreaterThanEquals" in rule
        }
        for name in [n for n, s in all_states.items() if s["Type"] == "Wait"]:
            for keepers in (counting, set(bounds)):
                uncounted = {n: s for n, s in all_states.items() if n not in keepers}
                if name in reachable(successors(all_states[name]), uncounted):
                    problems.append(f"{name} has a loop that nothing {'counts' if keepers is counting else 'ends'}")
            longest = all_states[name]["Seconds"] * max(bounds.values(), default=1)
            if longest > MAX_INVALIDATION_WAIT_SECONDS:
                problems.append(f"{name} waits up to {longest} s")
    return problems


# ---- data ----


def jsonata(machine: Document) -> list[str]:
    return [
        path
        for path, key, value in walk(machine)
        if key in {"QueryLanguage", "Arguments", "Output", "Assign"} or (isinstance(value, str) and "{%" in value)
    ]


def mistyped_paths(machine: Document) -> list[str]:
    """List template fields whose `.$` and value disagree, and context fields that do not exist."""
    problems = []
    for name, state in states(machine):
        for part in TEMPLATES:
            for path, key, value in walk(state.get(part, {}), f"{name}/{part}"):
                is_path = isinstance(value, str) and re.match(r"\$(\$?\.|$)|States\.", value) is not None
                if is_path != key.endswith(".$"):
                    problems.append(path)
    found = set(re.findall(r"\$\$[\w.]+", json.dumps(machine)))
    return [*problems, *sorted(found - CONTEXT)]


def unknown_aws_calls(machine: Document) -> list[str]:
    """List SDK tasks whose operation, parameters or read answers botocore does not know."""
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
        takes, gives = model.operation_model(operation).input_shape, model.operation_model(operation).output_shape
        assert takes is not None
        given = {key.removesuffix(".$") for key in state["Parameters"]}
        problems += [f"{name}: {key}" for key in sorted(given ^ set(takes.required_members))]
        problems += [f"{name}: {p}" for p in state["ResultSelector"].values() if not has_member(gives, p)]
    return problems


def has_member(shape: Any, path: str) -> bool:
    for step in path.removeprefix("$.").split("."):
        if not isinstance(shape, StructureShape) or step not in shape.members:
            return False
        shape = shape.members[step]
    return True


def unfit_maps(machine: Document) -> list[str]:
    """List what keeps a Distributed Map from running alike on AWS and on the embedded stack."""
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
        if "ToleratedFailurePercentagePath" not in state or "MaxConcurrencyPath" not in state:
            problems.append(f"{name}: tolerance and concurrency are not the plan's")
        writer = state.get("ResultWriter", {}).get("Parameters", {})
        if "$$.Execution.Name" not in writer.get("Prefix.$", "") or not writer.get("Bucket", "").startswith("${"):
            problems.append(f"{name}: results do not go under the run's own prefix")
        if state.get("ResultPath", "$") is not None:
            problems.append(f"{name}: the map's result would replace the run's state")
    return problems


def refused_by_moto(machine: Document) -> list[str]:
    """Parse with the grammar that the embedded stack runs on."""
    try:
        AmazonStateLanguageParser.parse(json.dumps(machine))
    except (ASLParserException, ValueError) as error:
        return [str(error)]
    return []


RULES: tuple[Rule, ...] = (
    dangling_targets,
    unreachable_states,
    endless_states,
    ambiguous_names,
    detours,
    choices_without_default,
    speechless_failures,
    swallowed_errors,
    uncommented_states,
    impatient_tasks,
    hasty_retries,
    computed_numbers,
    timeless_machines,
    unbounded_waits,
    jsonata,
    mistyped_paths,
    unknown_aws_calls,
    unfit_maps,
    refused_by_moto,
)
