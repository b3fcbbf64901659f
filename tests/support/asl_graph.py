"""Rules for the state machine's graph: transitions, comments and failures."""

from tests.support.asl_reading import machines, reachable, states, successors
from tests.support.definitions import Document

# Each state of the machine and of its maps, and its successors.
TRANSITIONS = {
    "FirstReading": {"ResolveTargets"},
    "ResolveTargets": {"Accepted"},
    "Accepted": {"Rejected", "DryRunCompleted", "InvalidationWanted"},
    "Rejected": set(),
    "DryRunCompleted": set(),
    "InvalidationWanted": {"CreateInvalidations", "WarmTargets"},
    "CreateInvalidations": {"InvalidationsLate"},
    "InvalidationsLate": {"AggregateResults", "DeadlinePassed", "WaitForInvalidations"},
    "WaitForInvalidations": {"CheckInvalidations"},
    "CheckInvalidations": {"RoundCompleted"},
    "RoundCompleted": {
        "WarmTargets",
        "ResolveTargets",
        "CreateInvalidations",
        "AggregateResults",
        "DeadlinePassed",
        "InvalidationTimedOut",
        "WaitForInvalidations",
    },
    "InvalidationTimedOut": set(),
    "DeadlinePassed": set(),
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
        names = set(inner["States"])
        if inner["StartAt"] not in names:
            problems.append(f"StartAt: {inner['StartAt']}")
        for name, state in inner["States"].items():
            problems += [f"{name}: {target}" for target in sorted(successors(state) - names)]
    return problems


def unreachable_states(machine: Document) -> list[str]:
    return [
        name
        for inner in machines(machine)
        for name in sorted(set(inner["States"]) - reachable({inner["StartAt"]}, inner["States"]))
    ]


def endless_states(machine: Document) -> list[str]:
    """List states that cannot reach an end, or have both or neither of Next and End."""
    problems = []
    for inner in machines(machine):
        all_states = inner["States"]
        ends = {n for n, s in all_states.items() if s["Type"] in {"Succeed", "Fail"} or s.get("End") is True}
        problems += [name for name in all_states if not ends & reachable({name}, all_states)]
        for name, state in all_states.items():
            exits = ("Next" in state) + ("End" in state)
            if exits != (state["Type"] not in {"Choice", "Succeed", "Fail"}):
                problems.append(f"{name}: {exits} of Next and End")
    return problems


def ambiguous_names(machine: Document) -> list[str]:
    names = [name for name, _ in states(machine)]
    return [name for name in names if names.count(name) > 1 or len(name) > MAX_STATE_NAME]


def unexpected_transitions(machine: Document) -> list[str]:
    actual = {name: successors(state) for name, state in states(machine)}
    names = actual.keys() | TRANSITIONS.keys()
    return sorted(name for name in names if actual.get(name) != TRANSITIONS.get(name))


def choices_without_default(machine: Document) -> list[str]:
    return [name for name, state in states(machine) if state["Type"] == "Choice" and "Default" not in state]


def unexplained_failures(machine: Document) -> list[str]:
    """List Fail states whose Error or Cause is missing, ambiguous or too long."""
    problems = []
    for name, state in states(machine):
        if state["Type"] == "Fail":
            for key, limit in (("Error", MAX_ERROR), ("Cause", MAX_CAUSE)):
                if (key in state) == (f"{key}Path" in state) or not len(state.get(key, "")) <= limit:
                    problems.append(f"{name}: {key}")
    return problems


def swallowed_errors(machine: Document) -> list[str]:
    return [name for name, state in states(machine) if "Catch" in state]


def uncommented_states(machine: Document) -> list[str]:
    named = [("the machine", machine), *states(machine)]
    return [name for name, state in named if not str(state.get("Comment", "")).strip()]
