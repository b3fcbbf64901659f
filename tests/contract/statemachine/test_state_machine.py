"""The state machine's definition, checked by rules for its graph, retries, time limits and data.

BREAKS has, for each rule, broken copies in which the rule must find a violation.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.asl_data import (
    doubled_inputs,
    inline_maps,
    jsonata,
    lost_run_names,
    mistyped_paths,
    refused_by_moto,
    sdk_calls,
    unfit_maps,
)
from tests.support.asl_graph import (
    ambiguous_names,
    choices_without_default,
    dangling_targets,
    endless_states,
    swallowed_errors,
    uncommented_states,
    unexpected_transitions,
    unexplained_failures,
    unreachable_states,
)
from tests.support.asl_retries import (
    ENDED_FUNCTION_ERRORS,
    TRANSIENT_LAMBDA_ERRORS,
    computed_numbers,
    machines_without_timeout,
    missing_retries,
    short_timeouts,
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

# ASL has no way to share the Retry list of the Tasks, so the definition is longer than it could be.
MAX_LINES = 290

GONE = object()
RESOLVE = "States/ResolveTargets"
CHECK = "States/CheckInvalidations"
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
    (unexpected_transitions, "States/InvalidationsLate/Default", "CheckInvalidations"),
    (unexpected_transitions, "States/NotWarmed", GONE),
    (choices_without_default, "States/AllWarmed/Default", GONE),
    (unexplained_failures, "States/NotWarmed/CausePath", GONE),
    (unexplained_failures, "States/NotWarmed/Error", "both a literal and a path"),
    (unexplained_failures, "States/InvalidationTimedOut/Error", "x" * 257),
    (swallowed_errors, f"{RESOLVE}/Catch", [{"ErrorEquals": ["States.ALL"], "Next": "Rejected"}]),
    (uncommented_states, f"{WARM}/BatchWarmed/Comment", GONE),
    (uncommented_states, "Comment", " "),
    (short_timeouts, f"{RESOLVE}/TimeoutSeconds", 900),
    (short_timeouts, f"{WARM}/WarmBatch/TimeoutSeconds", GONE),
    (short_timeouts, f"{CHECK}/TimeoutSeconds", GONE),
    (missing_retries, f"{RESOLVE}/Retry", GONE),
    (missing_retries, f"{RESOLVE}/Retry/0/ErrorEquals", ["States.ALL"]),
    (missing_retries, f"{CHECK}/Retry/0/ErrorEquals/0", "States.TaskFailed"),
    (missing_retries, f"{CHECK}/Retry/1", GONE),
    (missing_retries, f"{CHECK}/Retry/2", GONE),
    (missing_retries, "States/CreateInvalidations/Retry/2/ErrorEquals/1", "InvalidArgument"),
    (missing_retries, f"{WARM}/WarmBatch/Retry/0/ErrorEquals", sorted(TRANSIENT_LAMBDA_ERRORS - {"TransientError"})),
    (
        missing_retries,
        f"{WARM}/WarmBatch/Retry/0/ErrorEquals",
        sorted(TRANSIENT_LAMBDA_ERRORS - {"Lambda.ENINotReadyException"}),
    ),
    (missing_retries, f"{RESOLVE}/Retry/1/ErrorEquals", sorted(ENDED_FUNCTION_ERRORS - {"Lambda.Unknown"})),
    (missing_retries, f"{WARM}/WarmBatch/Retry/1/MaxAttempts", 20),
    (missing_retries, f"{WARM}/WarmBatch/Retry/1/MaxAttempts", 3),
    (missing_retries, f"{WARM}/WarmBatch/Retry/1/MaxAttempts", 0),
    (missing_retries, f"{RESOLVE}/Retry/1/ErrorEquals", sorted({*ENDED_FUNCTION_ERRORS, "TransientError"})),
    (missing_retries, f"{RESOLVE}/Retry/0/JitterStrategy", GONE),
    (missing_retries, f"{RESOLVE}/Retry/0/MaxDelaySeconds", 600),
    (missing_retries, f"{WARM}/WarmBatch/Retry/0/MaxAttempts", 10),
    (computed_numbers, f"{RESOLVE}/TimeoutSeconds", "930"),
    (computed_numbers, f"{RESOLVE}/TimeoutSecondsPath", "$.timeout"),
    (computed_numbers, f"{RESOLVE}/Retry/0/MaxAttempts", True),
    (machines_without_timeout, "TimeoutSeconds", GONE),
    (computed_numbers, "States/WaitForInvalidations/SecondsPath", "$.invalidation.waited"),
    (unbounded_waits, "States/RoundCompleted/Choices/5", GONE),
    (unbounded_waits, "States/RoundCompleted/Choices/5/NumericGreaterThanEquals", 400),
    (unbounded_waits, "States/CheckInvalidations/ResultSelector/checks.$", GONE),
    (unbounded_waits, "States/WaitForInvalidations/Next", "RoundCompleted"),
    (jsonata, "QueryLanguage", "JSONata"),
    (jsonata, f"{RESOLVE}/Parameters/FunctionName", "{% $states.input.function %}"),
    (mistyped_paths, f"{RESOLVE}/Parameters/Payload/run", "$.run"),
    (mistyped_paths, f"{WARM}/BatchWarmed/Parameters/batch.$", "batch"),
    (mistyped_paths, f"{RESOLVE}/Parameters/Payload/run.$", "$$.Execution.RunName"),
    (sdk_calls, f"{CHECK}/Resource", "arn:aws:states:::aws-sdk:cloudfront:getInvalidation"),
    (inline_maps, "States/WarmTargets/ItemProcessor/ProcessorConfig/Mode", "INLINE"),
    (lost_run_names, "States/WarmTargets/ItemSelector/run.$", "$$.Execution.Name"),
    (lost_run_names, "States/NextStage/Parameters/run.$", GONE),
    (lost_run_names, "States/FirstReading/Parameters/run.$", "$.run"),
    (doubled_inputs, f"{RESOLVE}/Parameters/Payload/input.$", "$"),
    (doubled_inputs, "States/FirstReading/Parameters/input.$", "$$.Execution.Input"),
    (doubled_inputs, "StartAt", "ResolveTargets/none"),
    (unfit_maps, "States/WarmTargets/Label", "W" * 41),
    (unfit_maps, "States/WarmTargets/ItemBatcher", {"MaxItemsPerBatch": 10}),
    (unfit_maps, "States/WarmTargets/ItemReader/ReaderConfig/InputType", "JSONL"),
    (unfit_maps, "States/WarmTargets/ToleratedFailurePercentage", GONE),
    (unfit_maps, "States/WarmTargets/ToleratedFailurePercentage", 99),
    (unfit_maps, "States/WarmTargets/MaxConcurrencyPath", GONE),
    (unfit_maps, "States/WarmTargets/ItemProcessor/ProcessorConfig/ExecutionType", "EXPRESS"),
    (unfit_maps, "States/WarmTargets/ResultWriter/Parameters/Prefix.$", "$.prefix"),
    (unfit_maps, "States/WarmTargets/ResultPath", GONE),
    (refused_by_moto, "States/WarmTargets/ToleratedFailurePercentage", "100"),
    (refused_by_moto, "States/WarmTargets/ItemReader/Resources", "typo"),
    (refused_by_moto, "States/Warmed/Type", "Success"),
)


def broken(path: str, value: Any) -> Document:
    """Return a copy of the state machine with one value set, or removed if it is GONE."""
    machine = state_machine()
    node: Any = machine
    *parents, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    for step in parents:
        node = node[step]
    if value is GONE:
        del node[last]
    else:
        node[last] = value
    return machine


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_state_machine_has_no(rule: Rule) -> None:
    assert rule(state_machine()) == []


@pytest.mark.parametrize(
    ("rule", "path", "value"), BREAKS, ids=[f"{r.__name__}-{n}" for n, (r, *_) in enumerate(BREAKS)]
)
def test_broken_state_machine_has(rule: Rule, path: str, value: Any) -> None:
    assert rule(broken(path, value))


def test_every_rule_has_a_broken_copy() -> None:
    assert {rule for rule, *_ in BREAKS} == set(RULES)


# ---- the definition and its surroundings ----


def mismatched_substitutions(text: str, defined: set[str]) -> set[str]:
    return set(re.findall(r"\$\{(\w+)\}", text)) ^ defined


def test_definition_and_template_have_the_same_substitutions() -> None:
    defined = set(template()["Resources"][MACHINE_ID]["Properties"]["DefinitionSubstitutions"])
    assert mismatched_substitutions(STATE_MACHINE.read_text(), defined) == set()
    assert mismatched_substitutions("${Used} ${Forgotten}", {"Used", "Unused"}) == {"Forgotten", "Unused"}


def test_definition_stays_short() -> None:
    assert len(STATE_MACHINE.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("States/Warmed/Type", "Success"),
        (f"{RESOLVE}/Resource", GONE),
    ],
)
def test_cfn_lint_checks_the_definition(path: str, value: Any, tmp_path: Path) -> None:
    """test_template checks that the real definition passes; this test, that cfn-lint reads it."""
    reported = lint_document(translate(template(), broken(path, value)), tmp_path)
    assert ("E3601", MACHINE_ID) in {finding[:2] for finding in reported}
