"""Rules for the state machine's timeouts, waits and retries."""

from resolve.invalidation_rounds import LONGEST_WAIT
from tests.support.asl_reading import invoked_function, machines, reachable, successors, tasks, walk
from tests.support.definitions import (
    Document,
    functions,
    template,
)

# Transient errors of Lambda: throttling, service errors, a function that was idle for weeks (its
# network interface or code has to be set up again: ResourceNotReady, ENINotReady, CodeArtifactUserPending, EC2…; then
# it is Pending: ResourceConflict). Lambda API Reference, "Invoke"; Step Functions reports Lambda's errors as
# `Lambda.` and the name (Developer Guide, "Handle transient Lambda service exceptions"). The last is our own.
TRANSIENT_LAMBDA_ERRORS = {
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ResourceNotReadyException",
    "Lambda.ENINotReadyException",
    "Lambda.ResourceConflictException",
    "Lambda.EC2ThrottledException",
    "Lambda.EC2UnexpectedException",
    "Lambda.CodeArtifactUserPendingException",
    "TransientError",
}

# A function that was killed, ran out of memory or out of time. The same input mostly ends the same way, so two
# retries must do. Step Functions Developer Guide, "Handle transient Lambda service exceptions": unhandled errors are
# Lambda.Unknown, "these include out-of-memory errors and function timeouts". Newer runtimes report Sandbox.Timedout,
# Runtime.ExitError and Runtime.OutOfMemory (awslabs/aws-deployment-framework issue 758).
ENDED_FUNCTION_ERRORS = {
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "States.Timeout",
}
MAX_RETRIES_OF_ENDED_FUNCTIONS = 2

# Transient errors that a function raises under its own names.
INVALIDATION_ERRORS = {"TooManyInvalidationsInProgress", "CloudFrontBusy"}
OWN_TRANSIENT_ERRORS = {"CreateInvalidations": INVALIDATION_ERRORS, "CheckInvalidations": INVALIDATION_ERRORS}

CATCH_ALLS = {"States.ALL", "States.TaskFailed", "States.Runtime"}

# A new account has 10 concurrent executions, which other functions may use for this long.
MIN_RETRY_SECONDS = 600

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

# A Wait's path that is allowed, and its longest value: that of the function which computes it.
COMPUTED_WAITS = {"$.invalidation.wait": LONGEST_WAIT}

MAX_INVALIDATION_WAIT_SECONDS = 5400


def short_timeouts(machine: Document) -> list[str]:
    """List tasks without a literal timeout that exceeds their function's."""
    problems = []
    for name, state in tasks(machine):
        seconds = state.get("TimeoutSeconds")
        function = invoked_function(state)
        minimum = functions(template())[function]["Timeout"] if function else 0
        if not isinstance(seconds, int) or seconds <= minimum:
            problems.append(f"{name}: {seconds} s, {function or 'AWS'} {minimum} s")
    return problems


def missing_retries(machine: Document) -> list[str]:
    """List tasks that do not retry transient errors by name, jittered, long enough."""
    problems = []
    for name, state in tasks(machine):
        retriers = state.get("Retry", [])
        errors = {error for retrier in retriers for error in retrier["ErrorEquals"]}
        if errors & CATCH_ALLS or "States.Timeout" not in errors:
            problems.append(f"{name}: errors")
        expected = TRANSIENT_LAMBDA_ERRORS | ENDED_FUNCTION_ERRORS | OWN_TRANSIENT_ERRORS.get(name, set())
        if invoked_function(state) and errors != expected:
            problems.append(f"{name}: not Lambda's transient errors")
        for retrier in retriers:
            if retrier.get("JitterStrategy") != "FULL" or retrier.get("MaxDelaySeconds") != 60:
                problems.append(f"{name}: jitter or delay")
            ended = ENDED_FUNCTION_ERRORS & set(retrier["ErrorEquals"])
            if ended and (
                not ended >= set(retrier["ErrorEquals"])
                or not 1 <= retrier.get("MaxAttempts", 3) <= MAX_RETRIES_OF_ENDED_FUNCTIONS
            ):
                problems.append(f"{name}: a function that ends early on its input is retried too often")
            if invoked_function(state) and not ended and total_wait(retrier) < MIN_RETRY_SECONDS:
                problems.append(f"{name}: {total_wait(retrier)} s of retries")
    return problems


def total_wait(retrier: Document) -> float:
    """Return the sum of a retrier's waits in seconds, without jitter.

    AWS's defaults apply where values are missing.
    """
    first, rate = retrier.get("IntervalSeconds", 1), retrier.get("BackoffRate", 2)
    tries = range(retrier.get("MaxAttempts", 3))
    return float(sum(min(retrier.get("MaxDelaySeconds", 60), first * rate**n) for n in tries))


def computed_numbers(machine: Document) -> list[str]:
    """List timeouts, waits and counts that are not literal numbers.

    The map's concurrency is exempt, since it is the request's, and the wait that a function computes and bounds.
    """
    paths = {f"{number}Path" for number in NUMBERS - {"MaxConcurrency"}}
    problems = []
    for path, key, value in walk(machine):
        if key == "SecondsPath" and value in COMPUTED_WAITS:
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if key in paths or (key in NUMBERS and not is_number):
            problems.append(path)
    return problems


def machines_without_timeout(machine: Document) -> list[str]:
    return [] if machine.get("TimeoutSeconds", 0) > 0 else ["the machine"]


def unbounded_waits(machine: Document) -> list[str]:
    """List Wait states that may repeat without end, or for too long.

    Each loop through a Wait must pass a Task that counts it in the state (`checks`), and a Choice that ends it at a
    number of checks; or a Choice that continues with another round, whose number the counting Task has raised.
    """
    problems = []
    for inner in machines(machine):
        all_states = inner["States"]
        counting = {
            name
            for name, state in all_states.items()
            if state.get("ResultSelector", {}).get("checks.$") == "$.Payload.checks"
            and "$.invalidation" in state["Parameters"]["Payload"].values()
        }
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
                    problems.append(
                        f"{name} is in a loop that no state {'counts' if keepers is counting else 'ends'}"
                    )
            state = all_states[name]
            seconds = COMPUTED_WAITS[state["SecondsPath"]] if "SecondsPath" in state else state["Seconds"]
            longest = seconds * max(bounds.values(), default=1)
            if longest > MAX_INVALIDATION_WAIT_SECONDS:
                problems.append(f"{name} waits up to {longest} s")
    return problems
