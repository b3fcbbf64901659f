# ruff: noqa: ANN401  the objects are moto's own, and it has no names for their types
"""Where moto differs from AWS in what this project needs, or is too slow for it: mended while an embedded stack runs.

Each function below says what moto (5.2) does and what AWS does. All changes are undone when the stack stops, so that
tests which use moto in the same process meet it as it is.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable
from typing import Any

from moto.cloudfront.exceptions import CloudFrontException
from moto.cloudfront.models import CloudFrontBackend
from moto.core.config import default_user_config
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.responses import StepFunctionResponse

from prewarm_local.stack.moto_stepfunctions import (
    distributed_item_processor_worker,
    execution,
    execution_worker,
    json_path,
    result_path,
)

OnInvalidation = Callable[[str, list[str]], None]
# How long an execution may take to begin, in seconds.
_START_SECONDS = 10.0


class Mending(contextlib.ExitStack):
    """The changes that are in force; closing it undoes them."""

    def replace(self, owner: Any, name: str, value: object) -> Any:
        """Set an attribute until this is closed, and return what it was."""
        old = getattr(owner, name)
        setattr(owner, name, value)
        self.callback(setattr, owner, name, old)
        return old

    def configure(self, service: str, option: str, value: object) -> None:
        """Set one of moto's options until this is closed."""
        options: dict[str, object] = default_user_config[service]  # type: ignore[literal-required]
        self.callback(options.__setitem__, option, options[option])
        options[option] = value


def mend_invalidations(mending: Mending, on_invalidation: OnInvalidation | None) -> None:
    """Give invalidations CloudFront's words and identity, and tell `on_invalidation`.

    moto's end as `COMPLETED`, CloudFront's as `Completed`; moto makes a new one for a CallerReference it has seen,
    CloudFront returns the old one, or refuses when the paths differ. `on_invalidation` gets the distribution's domain
    and the paths, in the caller's thread, before the invalidation is visible.
    """

    def create(self: Any, dist_id: str, paths: list[str], caller_ref: str) -> Any:
        for existing in self.invalidations.get(dist_id, ()):
            if existing.caller_ref == caller_ref:
                if sorted(existing.paths) == sorted(paths):
                    return existing
                raise _InvalidationBatchAlreadyExistsError
        if on_invalidation is not None and dist_id in self.distributions:
            on_invalidation(self.distributions[dist_id].domain_name, list(paths))
        invalidation = original(self, dist_id, paths, caller_ref)
        invalidation.status = "Completed"
        return invalidation

    original = mending.replace(CloudFrontBackend, "create_invalidation", create)


class _InvalidationBatchAlreadyExistsError(CloudFrontException):
    def __init__(self) -> None:
        super().__init__(
            "InvalidationBatchAlreadyExists", "The caller reference was used before with another invalidation batch."
        )


def mend_stop_execution(mending: Mending) -> None:
    """Make StopExecution end an execution at once, as in AWS, with its error and cause.

    moto's waits until the running tasks return (a Lambda may take 15 minutes), may then call the execution FAILED,
    drops error and cause, and fails itself in the first moments of an execution.
    """

    def respond(self: Any) -> ActionResult:
        stopped = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        stopped.stop(utcnow(), self._get_param("error"), self._get_param("cause"))
        return ActionResult({"stopDate": stopped.stop_date})

    def stop(self: Any, stop_date: Any, error: str | None, cause: str | None) -> None:
        if self.exec_status != ExecutionStatus.RUNNING:
            return
        # The program is parsed, and its environment made, after StartExecution has returned.
        deadline = time.monotonic() + _START_SECONDS
        while (self.exec_worker.env is None or not self.exec_worker.env.is_running()) and time.monotonic() < deadline:
            time.sleep(0.005)
        self.exec_status, self.stop_date = ExecutionStatus.ABORTED, stop_date
        self.error, self.cause = error, cause
        stop_program(self, stop_date, error, cause)

    def reflect(self: Any) -> None:
        if self.execution.exec_status != ExecutionStatus.ABORTED:
            reflect_program(self)

    mending.replace(StepFunctionResponse, "stop_execution", respond)
    stop_program = mending.replace(execution.Execution, "stop", stop)
    reflect_program = mending.replace(
        execution.BaseExecutionWorkerCommunication, "_reflect_execution_status", reflect
    )


def mend_big_maps(mending: Mending) -> None:
    """Let a map worker take its items in a loop.

    moto's calls itself for each next item, so a worker's thousandth overflows Python's stack and the run hangs; each
    item's environment stays in memory until then, too.
    """

    def eval_pool(self: Any, job: Any, worker_frame: Any) -> None:
        while job is not None:
            job_frame = worker_frame.open_inner_frame()
            self._eval_job(env=job_frame, job=job)
            worker_frame.delete_frame(job_frame)
            last = isinstance(job.job_output, Exception) or self.stopped()
            next_job = None if last else self._job_pool.next_job()
            if next_job is None:
                # Before the job is closed: the state goes on as soon as its last job is.
                self._env.delete_frame(worker_frame)
            self._job_pool.close_job(job)
            job = next_job

    mending.replace(distributed_item_processor_worker.DistributedItemProcessorWorker, "_eval_pool", eval_pool)


def mend_events(mending: Mending, tell: Callable[[dict[str, Any]], None]) -> None:
    """Tell of each end of an execution, as EventBridge does; moto has no such events.

    The detail is that of the Step Functions Developer Guide ("Step Functions execution status change"); a run that
    timed out comes without Error and Cause there too.
    """

    def reflect(self: Any) -> None:
        before = self.execution.exec_status
        original(self)
        if self.execution.exec_status != before:
            told(self.execution)

    def stop(self: Any, stop_date: Any, error: str | None, cause: str | None) -> None:
        running = self.exec_status == ExecutionStatus.RUNNING
        stopped(self, stop_date, error, cause)
        if running:
            told(self)

    def told(ended: Any) -> None:
        detail = {
            "executionArn": ended.exec_arn,
            "stateMachineArn": ended.state_machine.arn,
            "name": ended.name,
            "status": ended.exec_status.value,
            "redriveCount": 0,
        }
        if ended.exec_status != ExecutionStatus.TIMED_OUT:
            detail |= {"error": ended.error, "cause": ended.cause}
        tell(detail)

    # In this order: a stop that is mended already is told of once.
    original = mending.replace(execution.BaseExecutionWorkerCommunication, "_reflect_execution_status", reflect)
    stopped = mending.replace(execution.Execution, "stop", stop)


def mend_redrive_count(mending: Mending) -> None:
    """Give the context object the RedriveCount that AWS's always has; here nothing is ever redriven."""

    def environment(self: Any) -> Any:
        made = original(self)
        made.states.context_object.context_object_data["Execution"]["RedriveCount"] = 0
        return made

    worker = execution_worker.ExecutionWorker
    original = mending.replace(worker, "_get_evaluation_environment", environment)


def mend_paths(mending: Mending) -> None:
    """Compile each JSONPath once; moto builds a parser and compiles the path for each use, most of a task's cost."""
    for module in (json_path, result_path):
        mending.replace(module, "parse", functools.lru_cache(maxsize=1024)(module.parse))
