"""The API by lambda:InvokeFunction: no API key, but the rights of the caller's IAM role."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any

from prewarm_cli import transport
from prewarm_cli.aws.clients import client, code_of, refused, unsent
from prewarm_cli.aws.proxy_event import event_of, reply_of
from prewarm_cli.errors import Code, CommandFailed

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

    from prewarm_cli.transport import Call, Reply

RIGHT = "lambda:InvokeFunction"
# Lambda refused the call before it ran the function (Lambda API Reference, "Invoke", errors), so it can be repeated.
NOT_STARTED = frozenset(
    {"TooManyRequestsException", "ThrottlingException", "Throttling", "ResourceNotReadyException",
     "ResourceConflictException", "ENINotReadyException"}
)  # fmt: skip
MISSING = "ResourceNotFoundException"
TOO_LARGE = frozenset({"RequestTooLargeException", "RequestEntityTooLargeException"})
FIRST_SERVER_ERROR = 500


class _Unanswered(Exception):
    """A call without a response; `started`: the function may have run; `repeat`: a new try may succeed."""

    def __init__(self, failure: CommandFailed, *, started: bool, repeat: bool = True) -> None:
        self.failure, self.started, self.repeat = failure, started, repeat
        super().__init__(str(failure))


class FunctionTransport:
    """Invokes the API's function by its ARN, with the credentials that boto3 finds."""

    def __init__(self, arn: str) -> None:
        self.name = arn
        self.forbidden_hint = "check the permissions of the API's function"
        connect, read = transport.TIMEOUT
        # Repeated here, since only some calls may be.
        self._lambda = client(
            "lambda",
            arn.split(":")[3],
            connect_timeout=connect,
            read_timeout=read,
            retries={"total_max_attempts": 1, "mode": "standard"},
        )

    def send(self, call: Call) -> Reply:
        """Return the response to a call.

        Raises:
            CommandFailed: there is none.

        """
        event = event_of(call)
        for attempt in range(transport.RETRIES + 1):
            last = attempt == transport.RETRIES
            try:
                reply = self._invoke(event)
            except _Unanswered as missing:
                if last or not missing.repeat or (missing.started and not call.repeatable):
                    raise missing.failure from missing
            else:
                if last or not call.repeatable or reply.status not in transport.RETRIED_STATUSES:
                    return reply
            time.sleep(_pause(attempt))
        raise AssertionError("unreachable")

    def _invoke(self, event: bytes) -> Reply:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

        try:
            result = self._lambda.invoke(FunctionName=self.name, Payload=event)
            payload = result["Payload"].read()
        except ClientError as error:
            raise self._refusal(error) from error
        except BotoCoreError as error:
            connected = _is_connection_error(error)
            raise _Unanswered(unsent(error, self.name), started=connected, repeat=connected) from error
        if result.get("FunctionError"):
            raise _Unanswered(CommandFailed(_crash(self.name, payload), Code.SERVICE), started=True)
        return reply_of(payload, self.name)

    def _refusal(self, error: ClientError) -> _Unanswered:
        code = code_of(error)
        if code in NOT_STARTED:
            return _Unanswered(
                CommandFailed(f"{self.name} is throttled or not ready ({code}); try again later", Code.SERVICE),
                started=False,
            )
        if code == MISSING:
            text = f"the function {self.name} does not exist; pass the stack's output ApiFunctionArn"
            return _Unanswered(CommandFailed(text, Code.SERVICE), started=False, repeat=False)
        if code in TOO_LARGE:
            text = "the request exceeds Lambda's limit of 6 MB; store the list in S3 and pass --url-list-s3"
            return _Unanswered(CommandFailed(text), started=False, repeat=False)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return _Unanswered(refused(error, self.name, RIGHT), started=True, repeat=status >= FIRST_SERVER_ERROR)


def _is_connection_error(error: Exception) -> bool:
    from botocore.exceptions import ConnectionError, HTTPClientError  # noqa: PLC0415, A004

    return isinstance(error, ConnectionError | HTTPClientError)


def _crash(name: str, payload: bytes) -> str:
    """Return what Lambda says of a function that raised, ran out of time or memory, or ended."""
    try:
        document: Any = json.loads(payload)
    except ValueError:
        document = None
    said = document if isinstance(document, dict) else {}
    kind, text = said.get("errorType") or "unknown error", " ".join(str(said.get("errorMessage") or "").split())
    return f"the function {name} failed: {kind}{text and f': {text}'}; its log has more (docs/operations.md)"


def _pause(attempt: int) -> float:
    """Return the seconds before the next try: growing, with jitter."""
    longest = min(transport.MAX_BACKOFF_SECONDS, transport.BACKOFF_SECONDS * 2**attempt)
    return random.uniform(longest / 2, longest)  # noqa: S311 - no secret
