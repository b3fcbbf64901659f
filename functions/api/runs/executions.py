"""Runs as Step Functions executions: start one, look at one."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from prewarm.errors import InvalidRequest, Problem, RunNotFound

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
# StartExecution takes no longer one, and DescribeExecution refuses to look for it.
LONGEST_NAME = 80
ERRORS_KEPT = 10_000
# In no name of an execution (StartExecution, "name"); the first two would lead to other keys and ARNs.
FORBIDDEN = frozenset('/: \t<>{}[]?*"#%\\^|~`$&,;')


@dataclass(frozen=True, slots=True)
class Execution:
    """What Step Functions says of a run: run name, ARN, status in its words, input, Error and Cause, ISO times."""

    run: str
    arn: str
    status: str
    given: str
    error: str
    cause: str
    started_at: str = ""
    ended_at: str = ""
    redrives: int = 0

    def direct_request(self) -> dict[str, Any] | None:
        """Return the request of a run that was started directly: it is the execution's own input."""
        try:
            document = json.loads(self.given)
        except ValueError:
            return None
        return document if isinstance(document, dict) and "requestKey" not in document else None


def iso(moment: dt.datetime) -> str:
    """Return a moment in UTC, to the second."""
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Executions:
    """The executions of one state machine."""

    def __init__(self, state_machine_arn: str, client: "SFNClient | None" = None) -> None:
        self._machine = state_machine_arn
        self._prefix = state_machine_arn.replace(":stateMachine:", ":execution:") + ":"
        self._client = client or boto3.client("stepfunctions")
        # Why ended runs failed, by ARN and end: it never changes, and each look costs a call.
        self._errors: dict[tuple[str, str], str] = {}

    def start(self, run: str, given: dict[str, Any]) -> str:
        """Start a run; returns its execution ARN."""
        answer = self._client.start_execution(stateMachineArn=self._machine, name=run, input=json.dumps(given))
        return answer["executionArn"]

    def start_once(self, run: str, given: dict[str, Any]) -> str:
        """Start a run unless it was started before; returns its execution ARN either way."""
        try:
            return self.start(run, given)
        except self._client.exceptions.ExecutionAlreadyExists:
            return self._prefix + run

    def exists(self, run: str) -> bool:
        """Say whether Step Functions knows a run of this name."""
        try:
            self.describe(run)
        except RunNotFound:
            return False
        return True

    def stop(self, arn: str, error: str, cause: str) -> None:
        """Stop a run."""
        self._client.stop_execution(executionArn=arn, error=error, cause=cause)

    def page(self, limit: int, token: str | None, *, with_errors: bool = True) -> tuple[list[Execution], str | None]:
        """Return up to `limit` runs, newest first, and the token of those after them.

        Of a run that failed the list does not say why: it is looked at, if that is wanted.

        Raises:
            InvalidRequest: the token is none that was given out.

        """
        more = {"nextToken": token} if token else {}
        try:
            listed = self._client.list_executions(stateMachineArn=self._machine, maxResults=limit, **more)  # type: ignore[arg-type]
        except self._client.exceptions.InvalidToken as error:
            raise InvalidRequest([Problem("nextToken", "is none that an answer gave; begin anew without")]) from error
        found = []
        for entry in listed["executions"]:
            ended = iso(entry["stopDate"]) if "stopDate" in entry else ""
            failed = with_errors and entry["status"] == "FAILED"
            found.append(
                Execution(
                    run=entry["name"],
                    arn=entry["executionArn"],
                    status=entry["status"],
                    given="",
                    error=self._error(entry["executionArn"], ended) if failed else "",
                    cause="",
                    started_at=iso(entry["startDate"]),
                    ended_at=ended,
                )
            )
        return found, listed.get("nextToken")

    def _error(self, arn: str, ended: str) -> str:
        if len(self._errors) > ERRORS_KEPT:
            self._errors.clear()
        if (arn, ended) not in self._errors:
            self._errors[arn, ended] = self.describe(arn).error
        return self._errors[arn, ended]

    def name_and_arn(self, request_id: str) -> tuple[str, str]:
        """Return a run's name and ARN, given either.

        Raises:
            RunNotFound: no run of this state machine can be called so.

        """
        arn = request_id if request_id.startswith(self._prefix) else self._prefix + request_id
        name = arn.removeprefix(self._prefix)
        if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME or set(name) & FORBIDDEN:
            raise RunNotFound(request_id)
        return name, arn

    def describe(self, request_id: str) -> Execution:
        """Look at a run by its execution ARN or its bare name.

        Raises:
            RunNotFound: it is no run of this state machine.

        """
        name, arn = self.name_and_arn(request_id)
        try:
            found = self._client.describe_execution(executionArn=arn)
        except (self._client.exceptions.ExecutionDoesNotExist, self._client.exceptions.InvalidArn) as error:
            raise RunNotFound(request_id) from error
        return Execution(
            run=name,
            arn=arn,
            status=found["status"],
            given=found.get("input", ""),
            error=found.get("error", ""),
            cause=found.get("cause", ""),
            started_at=iso(found["startDate"]),
            ended_at=iso(found["stopDate"]) if "stopDate" in found else "",
            redrives=found.get("redriveCount", 0),
        )
