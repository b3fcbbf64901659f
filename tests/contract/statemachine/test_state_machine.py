"""The state machine's definition, held to the rules that make a run patient, bounded, readable and honest.

BREAKS shows, for each rule, broken copies in which it finds the break.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.asl_data import jsonata, mistyped_paths, refused_by_moto, unfit_maps, unknown_aws_calls
from tests.support.asl_graph import (
    ambiguous_names,
    choices_without_default,
    dangling_targets,
    detours,
    endless_states,
    speechless_failures,
    swallowed_errors,
    uncommented_states,
    unreachable_states,
)
from tests.support.asl_retries import (
    PASSING_LAMBDA_ERRORS,
    computed_numbers,
    hasty_retries,
    impatient_tasks,
    timeless_machines,
    unbounded_waits,
)
from tests.support.asl_rules import RULES, Rule
from tests.support.definitions import (
    MACHINE_ID,
    STATE_MACHINE,
    Document,
    lint_document,
    state_machine,
    template,
    translate,
)

# Room for the Retry list that each Task must carry itself, and for no second idea.
MAX_LINES = 320

GONE = object()
RESOLVE = "States/ResolveTargets"
AWAIT = "States/AwaitInvalidations/ItemProcessor/States"
WARM = "States/WarmTargets/ItemProcessor/States"
BREAKS: tuple[tuple[Rule, str, Any], ...] = (
    (dangling_targets, "StartAt", "Nowhere"),
    (dangling_targets, "States/Accepted/Default", "Nowhere"),
    (dangling_targets, f"{WARM}/WarmBatch/Next", "AllWarmed"),
    (dangling_targets, "States/HasMoreStages/Choices/0/Next", "Nowhere"),
    (unreachable_states, "States/AllWarmed/Default", "Warmed"),
    (unreachable_states, f"{WARM}/BatchFinished/Default", "BatchWarmed"),
    (endless_states, "States/HasMoreStages/Default", "NextStage"),
    (endless_states, f"{WARM}/BatchWarmed/End", GONE),
    (endless_states, f"{RESOLVE}/Next", GONE),
    (ambiguous_names, f"{WARM}/Warmed", {"Type": "Succeed"}),
    (ambiguous_names, f"States/{'W' * 81}", {"Type": "Succeed"}),
    (detours, "States/AwaitInvalidations/Next", "AggregateResults"),
    (detours, "States/NotWarmed", GONE),
    (choices_without_default, "States/AllWarmed/Default", GONE),
    (speechless_failures, "States/NotWarmed/CausePath", GONE),
    (speechless_failures, "States/NotWarmed/Error", "both a literal and a path"),
    (speechless_failures, f"{AWAIT}/InvalidationTimedOut/Error", "x" * 257),
    (swallowed_errors, f"{RESOLVE}/Catch", [{"ErrorEquals": ["States.ALL"], "Next": "Rejected"}]),
    (uncommented_states, f"{WARM}/BatchWarmed/Comment", GONE),
    (uncommented_states, "Comment", " "),
    (impatient_tasks, f"{RESOLVE}/TimeoutSeconds", 900),
    (impatient_tasks, f"{WARM}/WarmBatch/TimeoutSeconds", GONE),
    (impatient_tasks, f"{AWAIT}/GetInvalidation/TimeoutSeconds", GONE),
    (hasty_retries, f"{RESOLVE}/Retry", GONE),
    (hasty_retries, f"{RESOLVE}/Retry/0/ErrorEquals", ["States.ALL"]),
    (hasty_retries, f"{AWAIT}/GetInvalidation/Retry/0/ErrorEquals/0", "States.TaskFailed"),
    (hasty_retries, f"{RESOLVE}/Retry/0/ErrorEquals", sorted(PASSING_LAMBDA_ERRORS - {"Lambda.Unknown"})),
    (hasty_retries, f"{RESOLVE}/Retry/0/JitterStrategy", GONE),
    (hasty_retries, f"{RESOLVE}/Retry/0/MaxDelaySeconds", 600),
    (hasty_retries, f"{WARM}/WarmBatch/Retry/0/MaxAttempts", 10),
    (computed_numbers, f"{RESOLVE}/TimeoutSeconds", "930"),
    (computed_numbers, f"{RESOLVE}/TimeoutSecondsPath", "$.timeout"),
    (computed_numbers, f"{RESOLVE}/Retry/0/MaxAttempts", True),
    (timeless_machines, "TimeoutSeconds", GONE),
    (unbounded_waits, f"{AWAIT}/InvalidationDone/Choices/1", GONE),
    (unbounded_waits, f"{AWAIT}/InvalidationDone/Choices/1/NumericGreaterThanEquals", 361),
    (unbounded_waits, f"{AWAIT}/IncrementChecks/Parameters/checks.$", "$.checks"),
    (unbounded_waits, f"{AWAIT}/GetInvalidation/Next", "InvalidationDone"),
    (jsonata, "QueryLanguage", "JSONata"),
    (jsonata, f"{RESOLVE}/Parameters/FunctionName", "{% $states.input.function %}"),
    (mistyped_paths, f"{RESOLVE}/Parameters/Payload/run", "$.run"),
    (mistyped_paths, f"{WARM}/BatchWarmed/Parameters/batch.$", "batch"),
    (mistyped_paths, f"{RESOLVE}/Parameters/Payload/run.$", "$$.Execution.RunName"),
    (unknown_aws_calls, f"{AWAIT}/GetInvalidation/Resource", "arn:aws:states:::aws-sdk:cloudfront:readInvalidation"),
    (unknown_aws_calls, f"{AWAIT}/GetInvalidation/Parameters/DistributionID.$", "$.x"),
    (unknown_aws_calls, f"{AWAIT}/GetInvalidation/Parameters/Id.$", GONE),
    (unknown_aws_calls, f"{AWAIT}/GetInvalidation/ResultSelector/status.$", "$.Invalidation.State"),
    (unfit_maps, "States/WarmTargets/Label", "W" * 41),
    (unfit_maps, "States/WarmTargets/ItemBatcher", {"MaxItemsPerBatch": 10}),
    (unfit_maps, "States/WarmTargets/ItemReader/ReaderConfig/InputType", "JSONL"),
    (unfit_maps, "States/WarmTargets/ToleratedFailurePercentagePath", GONE),
    (unfit_maps, "States/WarmTargets/ItemProcessor/ProcessorConfig/ExecutionType", "EXPRESS"),
    (unfit_maps, "States/WarmTargets/ResultWriter/Parameters/Prefix.$", "$.prefix"),
    (unfit_maps, "States/WarmTargets/ResultPath", GONE),
    (refused_by_moto, "States/WarmTargets/ToleratedFailurePercentage", 100),
    (refused_by_moto, "States/WarmTargets/ItemReader/Resources", "typo"),
    (refused_by_moto, "States/Warmed/Type", "Success"),
)


def broken(path: str, value: Any) -> Document:
    """Give a copy of the state machine with one value set or, when GONE, removed."""
    machine = state_machine()
    node: Any = machine
    *way, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    for step in way:
        node = node[step]
    if value is GONE:
        del node[last]
    else:
        node[last] = value
    return machine


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_the_state_machine_has_no(rule: Rule) -> None:
    assert rule(state_machine()) == []


@pytest.mark.parametrize(
    ("rule", "path", "value"), BREAKS, ids=[f"{r.__name__}-{n}" for n, (r, *_) in enumerate(BREAKS)]
)
def test_a_broken_state_machine_has(rule: Rule, path: str, value: Any) -> None:
    assert rule(broken(path, value))


def test_every_rule_is_shown_to_find_a_break() -> None:
    assert {rule for rule, *_ in BREAKS} == set(RULES)


# ---- the definition and its surroundings ----


def loose_substitutions(text: str, given: set[str]) -> set[str]:
    return set(re.findall(r"\$\{(\w+)\}", text)) ^ given


def test_substitutions_match_both_ways() -> None:
    given = set(template()["Resources"][MACHINE_ID]["Properties"]["DefinitionSubstitutions"])
    assert loose_substitutions(STATE_MACHINE.read_text(), given) == set()
    assert loose_substitutions("${Used} ${Forgotten}", {"Used", "Unused"}) == {"Forgotten", "Unused"}


def test_the_definition_can_be_read_in_one_go() -> None:
    assert len(STATE_MACHINE.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("States/Warmed/Type", "Success"),
        (f"{RESOLVE}/Resource", GONE),
    ],
)
def test_cfn_lints_schema_opens_the_definition(path: str, value: Any, tmp_path: Path) -> None:
    """That the true definition passes is test_template's; here, that it is looked at."""
    found = lint_document(translate(template(), broken(path, value)), tmp_path)
    assert ("E3601", MACHINE_ID) in {finding[:2] for finding in found}
