"""The rules for the state machine's definition: functions that list its violations."""

from collections.abc import Callable

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
    computed_numbers,
    machines_without_timeout,
    missing_retries,
    short_timeouts,
    unbounded_waits,
)
from tests.support.definitions import Document

Rule = Callable[[Document], list[str]]


RULES: tuple[Rule, ...] = (
    dangling_targets,
    unreachable_states,
    endless_states,
    ambiguous_names,
    unexpected_transitions,
    choices_without_default,
    unexplained_failures,
    swallowed_errors,
    uncommented_states,
    short_timeouts,
    missing_retries,
    computed_numbers,
    machines_without_timeout,
    unbounded_waits,
    jsonata,
    mistyped_paths,
    sdk_calls,
    inline_maps,
    lost_run_names,
    doubled_inputs,
    unfit_maps,
    refused_by_moto,
)
