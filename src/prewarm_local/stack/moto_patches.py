# ruff: noqa: ANN401  the objects are moto's own, which have no type hints
"""Patches for moto, applied while an embedded stack runs, where it differs from AWS or is too slow for this project.

Each function describes what moto (5.2) does and what AWS does. All patches are undone when the stack stops, so that
tests that use moto in the same process get it unpatched.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import threading
import time
from typing import TYPE_CHECKING, Any

from moto.core.config import default_user_config
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.dynamodb.models import DynamoDBBackend
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.responses import StepFunctionResponse

from prewarm_local.stack.moto_stepfunctions import (
    AmazonStateLanguageParser,
    Preprocessor,
    distributed_item_processor_worker,
    execution,
    execution_worker,
    json_path,
    result_path,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# How long an execution may take to begin, in seconds.
_START_SECONDS = 10.0


class MotoPatches(contextlib.ExitStack):
    """The patches in force; closing it undoes them."""

    def replace(self, owner: Any, name: str, value: object) -> Any:
        """Set an attribute until this is closed, and return its old value."""
        old = getattr(owner, name)
        # As it is stored: getattr unwraps a staticmethod.
        self.callback(setattr, owner, name, inspect.getattr_static(owner, name))
        setattr(owner, name, value)
        return old

    def configure(self, service: str, option: str, value: object) -> None:
        """Set one of moto's options until this is closed."""
        options: dict[str, object] = default_user_config[service]  # type: ignore[literal-required]
        self.callback(options.__setitem__, option, options[option])
        options[option] = value


def patch_table_writes(patches: MotoPatches) -> None:
    """Make each write to a DynamoDB table atomic, with its condition, as in AWS.

    moto checks the condition and then writes, so that two threads may both pass `attribute_not_exists`.
    Source: DynamoDB Developer Guide, "Condition expressions" and "Working with items".
    """
    lock = threading.RLock()

    def atomic(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def write(*arguments: Any, **options: Any) -> Any:
            with lock:
                return original(*arguments, **options)

        return write

    for name in ("put_item", "update_item", "delete_item"):
        patches.replace(DynamoDBBackend, name, atomic(getattr(DynamoDBBackend, name)))


def patch_stop_execution(patches: MotoPatches) -> None:
    """Make StopExecution end executions at once, with error and cause, as in AWS.

    moto waits until the running tasks return (a Lambda may take 15 minutes), may then set the status FAILED, drops
    error and cause, and raises if the execution has just started.
    """

    def respond(self: Any) -> ActionResult:
        stopped = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        stopped.stop(utcnow(), self._get_param("error"), self._get_param("cause"))
        return ActionResult({"stopDate": stopped.stop_date})

    def stop(self: Any, stop_date: Any, error: str | None, cause: str | None) -> None:
        if self.exec_status != ExecutionStatus.RUNNING:
            return
        # The definition is parsed, and its environment created, after StartExecution has returned.
        deadline = time.monotonic() + _START_SECONDS
        while (self.exec_worker.env is None or not self.exec_worker.env.is_running()) and time.monotonic() < deadline:
            time.sleep(0.005)
        self.exec_status, self.stop_date = ExecutionStatus.ABORTED, stop_date
        self.error, self.cause = error, cause
        stop_program(self, stop_date, error, cause)

    def reflect(self: Any) -> None:
        if self.execution.exec_status != ExecutionStatus.ABORTED:
            reflect_program(self)

    patches.replace(StepFunctionResponse, "stop_execution", respond)
    stop_program = patches.replace(execution.Execution, "stop", stop)
    reflect_program = patches.replace(
        execution.BaseExecutionWorkerCommunication, "_reflect_execution_status", reflect
    )


def patch_big_maps(patches: MotoPatches) -> None:
    """Make a map worker process its items in a loop.

    moto recurses for each item, so that about the thousandth item of a worker overflows Python's stack and the run
    hangs; until then, the environment of each item also stays in memory.
    """

    def eval_pool(self: Any, job: Any, worker_frame: Any) -> None:
        while job is not None:
            job_frame = worker_frame.open_inner_frame()
            self._eval_job(env=job_frame, job=job)
            worker_frame.delete_frame(job_frame)
            last = isinstance(job.job_output, Exception) or self.stopped()
            next_job = None if last else self._job_pool.next_job()
            if next_job is None:
                # Before the job is closed, because the Map state continues as soon as its last job is closed.
                self._env.delete_frame(worker_frame)
            self._job_pool.close_job(job)
            job = next_job

    patches.replace(distributed_item_processor_worker.DistributedItemProcessorWorker, "_eval_pool", eval_pool)


def patch_events(patches: MotoPatches, send: Callable[[dict[str, Any]], None]) -> None:
    """Call `send` with the detail of an event when an execution ends.

    Moto sends no events to EventBridge.
    The detail is that of the Step Functions Developer Guide ("Step Functions execution status change"); an execution
    that timed out has no error and cause there either.
    """

    def reflect(self: Any) -> None:
        before = self.execution.exec_status
        original(self)
        if self.execution.exec_status != before:
            report(self.execution)

    def stop(self: Any, stop_date: Any, error: str | None, cause: str | None) -> None:
        running = self.exec_status == ExecutionStatus.RUNNING
        stopped(self, stop_date, error, cause)
        if running:
            report(self)

    def report(ended: Any) -> None:
        detail = {
            "executionArn": ended.exec_arn,
            "stateMachineArn": ended.state_machine.arn,
            "name": ended.name,
            "status": ended.exec_status.value,
            "redriveCount": 0,
        }
        if ended.exec_status != ExecutionStatus.TIMED_OUT:
            detail |= {"error": ended.error, "cause": ended.cause}
        send(detail)

    # patch_stop_execution comes first: its `stop` is the one to wrap, so that a stop is reported once.
    original = patches.replace(execution.BaseExecutionWorkerCommunication, "_reflect_execution_status", reflect)
    stopped = patches.replace(execution.Execution, "stop", stop)


def patch_redrive_count(patches: MotoPatches) -> None:
    """Add RedriveCount, which AWS always sets, to the context object.

    The embedded stack never redrives.
    """

    def environment(self: Any) -> Any:
        made = original(self)
        made.states.context_object.context_object_data["Execution"]["RedriveCount"] = 0
        return made

    worker = execution_worker.ExecutionWorker
    original = patches.replace(worker, "_get_evaluation_environment", environment)


def patch_paths(patches: MotoPatches) -> None:
    """Compile each JSONPath once.

    Moto creates a parser and compiles the path on each use, most of a task's cost.
    """
    for module in (json_path, result_path):
        patches.replace(module, "parse", functools.lru_cache(maxsize=1024)(module.parse))


def patch_definitions(patches: MotoPatches) -> None:
    """Parse each definition once, and accept whole percentages in it, as AWS does.

    Moto parses the text at each start of an execution, 0.2 s of CPU, and its grammar requires a decimal point. Only
    the syntax tree is kept: each execution has components of its own. Only the text that moto parses changes: the
    definition is stored, and described, as it was given.
    """

    @functools.lru_cache(maxsize=32)
    def tree(definition: str) -> Any:
        return original(percentages_as_floats(definition))[1]

    def parse(definition: str) -> Any:
        parsed = tree(definition)
        return Preprocessor().visit(parsed), parsed

    original = patches.replace(AmazonStateLanguageParser, "parse", staticmethod(parse))


def percentages_as_floats(definition: str) -> str:
    """Return a definition with each whole ToleratedFailurePercentage as a float."""

    def convert(fields: dict[str, Any]) -> dict[str, Any]:
        percentage = fields.get("ToleratedFailurePercentage")
        if isinstance(percentage, int) and not isinstance(percentage, bool):
            return fields | {"ToleratedFailurePercentage": float(percentage)}
        return fields

    try:
        return json.dumps(json.loads(definition, object_hook=convert))
    except ValueError:
        return definition  # moto reports the syntax error
