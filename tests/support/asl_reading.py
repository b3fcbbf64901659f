"""Read the state machine's definition for the rules: its states, tasks and transitions."""

from collections.abc import Iterator
from typing import Any

from tests.support.definitions import (
    MACHINE_ID,
    Document,
    template,
)


def machines(machine: Document) -> Iterator[Document]:
    """Yield the machine and those inside its Map and Parallel states."""
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
    """Return the states reachable from `starts`, including these."""
    seen: set[str] = set()
    left = starts & set(among)
    while left:
        name = left.pop()
        seen.add(name)
        left |= (successors(among[name]) & set(among)) - seen
    return seen


def walk(node: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield the path, key and value of everything below a node."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield f"{path}/{key}", str(key), value
        yield from walk(value, f"{path}/{key}")


def invoked_function(state: Document) -> str:
    """Return the logical id of the function that a task invokes.

    Empty if it invokes none.
    """
    if not state["Resource"].endswith(":lambda:invoke"):
        return ""
    substitutions = template()["Resources"][MACHINE_ID]["Properties"]["DefinitionSubstitutions"]
    arn = substitutions[state["Parameters"]["FunctionName"].removeprefix("${").removesuffix("}")]
    name: str = arn["Fn::GetAtt"][0]
    return name
