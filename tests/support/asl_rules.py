"""The rules for the state machine's definition: each is a function that lists what breaks it."""

from collections.abc import Callable

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
    computed_numbers,
    hasty_retries,
    impatient_tasks,
    timeless_machines,
    unbounded_waits,
)
from tests.support.definitions import (
    Document,
)

Rule = Callable[[Document], list[str]]


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
