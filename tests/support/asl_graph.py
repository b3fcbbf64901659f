"""Rules for the state machine's graph: every state has its way in and out, its words, and no error is swallowed."""

from tests.support.asl_reading import machines, reachable, states, successors
from tests.support.definitions import (
    Document,
)

# The way of a run: each state of the machine and of its maps, and where it may go on.
WAY = {
    "ResolveTargets": {"Accepted"},
    "Accepted": {"Rejected", "DryRunCompleted", "InvalidationWanted"},
    "Rejected": set(),
    "DryRunCompleted": set(),
    "InvalidationWanted": {"CreateInvalidations", "WarmTargets"},
    "CreateInvalidations": {"AwaitInvalidations"},
    "AwaitInvalidations": {"InvalidationsLeft"},
    "InvalidationsLeft": {"CreateInvalidations", "WarmTargets"},
    "WaitForInvalidation": {"IsTenantInvalidation"},
    "IsTenantInvalidation": {"GetInvalidation", "GetTenantInvalidation"},
    "GetTenantInvalidation": {"IncrementChecks"},
    "GetInvalidation": {"IncrementChecks"},
    "IncrementChecks": {"InvalidationDone"},
    "InvalidationDone": {"Invalidated", "InvalidationTimedOut", "WaitForInvalidation"},
    "Invalidated": set(),
    "InvalidationTimedOut": set(),
    "WarmTargets": {"HasMoreStages"},
    "WarmBatch": {"BatchFinished"},
    "BatchFinished": {"BatchWarmed", "ContinueBatch"},
    "ContinueBatch": {"WarmBatch"},
    "BatchWarmed": set(),
    "HasMoreStages": {"NextStage", "AggregateResults"},
    "NextStage": {"WarmTargets"},
    "AggregateResults": {"AllWarmed"},
    "AllWarmed": {"Warmed", "NotWarmed"},
    "Warmed": set(),
    "NotWarmed": set(),
}

# AWS's limits: a state's name, a map's label, a Fail state's Error and Cause.
MAX_STATE_NAME = 80

MAX_ERROR = 256

MAX_CAUSE = 32_768


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
