"""Rules for the state machine's time: how long it waits, how often it tries again, and that it ends."""

import json
import re

from tests.support.asl_reading import invoked_function, machines, reachable, successors, tasks, walk
from tests.support.definitions import (
    Document,
    functions,
    template,
)

# What Lambda can response for reasons that pass: throttles, its own faults, a sandbox that died.
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

MAX_INVALIDATION_WAIT_SECONDS = 3600


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
