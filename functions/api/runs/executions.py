"""Runs as Step Functions executions: start, stop, list and describe them."""

import datetime as dt
import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from api.http.pagination import invalid_token
from prewarm.errors import InvalidRequest, RunNotFound
from prewarm.execution_status import DEADLINE_PASSED, REJECTED, RUNNING, run_state
from prewarm.results.outcome import Outcome
from prewarm.storage.transient import named_errors

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
# StartExecution accepts no longer name, and DescribeExecution rejects an ARN with one.
MAX_NAME_LENGTH = 80
# API Gateway answers 504 after 29 s: an error must surface before that.
API_CALLS = Config(connect_timeout=2, read_timeout=6, retries={"mode": "standard", "total_max_attempts": 3})
MAX_CACHED_ERRORS = 10_000
# Characters that no execution name contains (StartExecution, "name"); the first two would form other keys and ARNs.
FORBIDDEN = frozenset('/: \t<>{}[]?*"#%\\^|~`$&,;')


@dataclass(frozen=True, slots=True)
class Execution:
    """A run as Step Functions describes it.

    `run` is the execution's name, `status` Step Functions' status, `input` the execution's input as JSON text,
    `error` and `cause` those of a failed execution, `redrives` the number of redrives. Times are ISO 8601 in UTC,
    empty if unknown.
    """

    run: str
    arn: str
    status: str
    input: str
    error: str
    cause: str
    started_at: str = ""
    ended_at: str = ""
    redrives: int = 0

    @property
    def running(self) -> bool:
        """Return whether the execution has not ended; a pending redrive counts as running."""
        return self.status in RUNNING

    @property
    def lasted_until(self) -> float:
        """Return when the execution ended, or now while it is running, in epoch seconds."""
        if self.running or not self.ended_at:
            return time.time()
        return dt.datetime.fromisoformat(self.ended_at).timestamp()

    @property
    def contract_status(self) -> str:
        """Return the REST API's status: COMPLETED, IN_PROGRESS, TIMEOUT or FAILED."""
        if self.running:
            return "IN_PROGRESS"
        if self.status == "SUCCEEDED":
            return "COMPLETED"
        return "TIMEOUT" if self.status == "TIMED_OUT" or self.error == DEADLINE_PASSED else "FAILED"

    @property
    def list_status(self) -> str:
        """Return the status in the list of runs, where CANCELLED is one of its own."""
        return run_state(self.status, self.error)

    @property
    def unfinished_outcome(self) -> Outcome | None:
        """Return the outcome of unfinished targets; None while the run is running."""
        if self.running:
            return None
        if self.contract_status == "TIMEOUT":
            return Outcome.DEADLINE
        if self.error == REJECTED:
            return Outcome.REJECTED
        return Outcome.CANCELLED if self.status == "ABORTED" else Outcome.LOST

    def direct_request(self) -> dict[str, Any] | None:
        """Return the input of a run that was started without the API, else None."""
        try:
            document = json.loads(self.input)
        except ValueError:
            return None
        return document if isinstance(document, dict) and "requestKey" not in document else None


def iso(moment: dt.datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the second."""
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Executions:
    """The executions of one state machine."""

    def __init__(self, state_machine_arn: str, client: "SFNClient | None" = None) -> None:
        self._machine = state_machine_arn
        self._prefix = state_machine_arn.replace(":stateMachine:", ":execution:") + ":"
        self._client = client or boto3.client("stepfunctions", config=API_CALLS)
        # Errors of failed runs by ARN and end time. They never change, and each lookup is an API call.
        self._errors: dict[tuple[str, str], str] = {}

    @property
    def state_machine_arn(self) -> str:
        """Return the ARN of the state machine."""
        return self._machine

    def start(self, run: str, document: dict[str, Any]) -> str:
        """Start a run with this input; return its execution ARN."""
        with named_errors("start the execution"):
            response = self._client.start_execution(
                stateMachineArn=self._machine, name=run, input=json.dumps(document)
            )
        return response["executionArn"]

    def start_once(self, run: str, document: dict[str, Any]) -> str:
        """Start a run unless one with this name exists; return its execution ARN."""
        try:
            return self.start(run, document)
        except self._client.exceptions.ExecutionAlreadyExists:
            return self._prefix + run

    def exists(self, run: str) -> bool:
        """Return whether Step Functions has an execution with this name."""
        try:
            self.describe(run)
        except RunNotFound:
            return False
        return True

    def stop(self, arn: str, error: str, cause: str) -> None:
        """Stop a run."""
        with named_errors("stop the execution"):
            self._client.stop_execution(executionArn=arn, error=error, cause=cause)

    def page(self, limit: int, token: str | None) -> tuple[list[Execution], str | None]:
        """Return up to `limit` runs, newest first, and the next page's token.

        ListExecutions does not return the error of a failed run; `with_error` looks it up.

        Raises:
            InvalidRequest: the token is invalid or expired.

        """
        more = {"nextToken": token} if token else {}
        try:
            with named_errors("list the executions"):
                listed = self._client.list_executions(stateMachineArn=self._machine, maxResults=limit, **more)  # type: ignore[arg-type]
        except self._client.exceptions.InvalidToken as error:
            raise InvalidRequest([invalid_token()]) from error
        executions = []
        for entry in listed["executions"]:
            ended = iso(entry["stopDate"]) if "stopDate" in entry else ""
            executions.append(
                Execution(
                    # An entry without a name must not hide the other runs; its ARN ends with the name.
                    run=entry.get("name") or entry["executionArn"].rpartition(":")[2],
                    arn=entry["executionArn"],
                    status=entry["status"],
                    input="",
                    error="",
                    cause="",
                    started_at=iso(entry["startDate"]),
                    ended_at=ended,
                )
            )
        return executions, listed.get("nextToken")

    def with_error(self, execution: Execution) -> Execution:
        """Return a listed run with its error, which is looked up once if it failed."""
        if execution.status != "FAILED":
            return execution
        if len(self._errors) > MAX_CACHED_ERRORS:
            self._errors.clear()
        key = (execution.arn, execution.ended_at)
        if key not in self._errors:
            self._errors[key] = self.describe(execution.arn).error
        return replace(execution, error=self._errors[key])

    def name_and_arn(self, request_id: str) -> tuple[str, str]:
        """Return a run's name and ARN from either of them.

        Raises:
            RunNotFound: the value cannot be the name or ARN of a run of this state machine.

        """
        if request_id.startswith("arn:") and not request_id.startswith(self._prefix):
            raise RunNotFound(request_id, f"is not an execution of this service's state machine {self._machine}")
        arn = request_id if request_id.startswith(self._prefix) else self._prefix + request_id
        name = arn.removeprefix(self._prefix)
        if not name.isprintable() or not 0 < len(name) <= MAX_NAME_LENGTH or set(name) & FORBIDDEN:
            raise RunNotFound(request_id)
        return name, arn

    def arn_of(self, run: str) -> str:
        """Return the ARN of a run of this name."""
        return self._prefix + run

    def describe(self, request_id: str) -> Execution:
        """Return a run by its execution ARN or its bare name.

        Raises:
            RunNotFound: this state machine has no such execution.

        """
        name, arn = self.name_and_arn(request_id)
        try:
            with named_errors("describe the execution"):
                described = self._client.describe_execution(executionArn=arn)
        except (self._client.exceptions.ExecutionDoesNotExist, self._client.exceptions.InvalidArn) as error:
            raise RunNotFound(request_id) from error
        return Execution(
            run=name,
            arn=arn,
            status=described["status"],
            input=described.get("input", ""),
            error=described.get("error", ""),
            cause=described.get("cause", ""),
            started_at=iso(described["startDate"]),
            ended_at=iso(described["stopDate"]) if "stopDate" in described else "",
            redrives=described.get("redriveCount", 0),
        )
