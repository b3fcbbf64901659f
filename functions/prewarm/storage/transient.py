"""One boundary for calls to AWS: an error that may pass in a moment becomes TransientError.

The SDK has then tried several times itself. Everything else, such as a missing right or a missing object, stays as it
is: the same call would fail again.
"""

import gzip
import http.client
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import (
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.exceptions import (
    ConnectionError as AwsConnectionError,
)

from prewarm.errors import TransientError

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import OperationModel

# Error codes of throttling in S3, DynamoDB, Step Functions and CloudFront (their API references, "Common errors").
THROTTLES = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
# Seconds before each further try to read a response that was cut off; the SDK retries only until the body begins.
READ_PAUSES = (0.2, 0.8, 2.0)
# Seconds in which a body is asked for again, in workers, and in the API, whose caller waits 29 s at most.
PATIENCE, API_PATIENCE = 120.0, 5.0
CUT_OFF = (
    AwsConnectionError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
    TimeoutError,
    http.client.HTTPException,
)


@contextmanager
def named_errors(what: str) -> Iterator[None]:
    """Name the transient errors of a call.

    `what` describes the call in the message.

    Raises:
        TransientError: AWS throttles or answered 5xx, the connection failed, or the response was cut off.

    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in THROTTLES or status == HTTPStatus.TOO_MANY_REQUESTS:
            raise TransientError(f"{what}: AWS throttles the calls ({code})", throttled=True) from error
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise TransientError(f"{what}: AWS answered {status} ({code})") from error
        raise
    except CUT_OFF as error:
        raise TransientError(f"{what}: {type(error).__name__}: {error}") from error


def name_errors_of(client: "BaseClient") -> None:
    """Name the transient errors of every call of a client, by botocore's events of a call's end."""
    service = client.meta.service_model.service_id.hyphenize()

    def answered(parsed: dict[str, Any], model: "OperationModel", **_: object) -> None:
        if parsed.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= HTTPStatus.MULTIPLE_CHOICES:
            error = ClientError(parsed, model.name)  # type: ignore[arg-type]  # the parser's own dictionary
            if is_transient(error):
                with named_errors(f"{service} {model.name}"):
                    raise error

    def failed(exception: Exception, **_: object) -> None:
        with named_errors(service):
            raise exception

    client.meta.events.register(f"after-call.{service}", answered)
    client.meta.events.register(f"after-call-error.{service}", failed)


def is_transient(error: ClientError) -> bool:
    """Return whether AWS throttles or failed itself, rather than refusing this call."""
    try:
        with named_errors(""):
            raise error
    except TransientError:
        return True
    except ClientError:
        return False


class Body(Protocol):
    """A response's body, as botocore's StreamingBody."""

    def read(self) -> bytes:
        """Return all of it."""


def read_whole(
    request: Callable[[], Body],
    what: str,
    pauses: tuple[float, ...] = READ_PAUSES,
    patience: float = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
) -> bytes:
    """Return the body of the response that `request` returns, requesting it again if it is cut off.

    The SDK repeats a request only until its body begins. A request that fails is not repeated here, as the SDK has
    done so; nor is one after `patience` seconds.

    `patience`: seconds after which it is not asked again; a store that is silent takes all of the SDK's time-outs.

    Raises:
        TransientError: the request failed, or the last body was cut off too.

    """
    end = clock() + patience
    with named_errors(what):
        for pause in pauses:
            body = request()
            try:
                return body.read()
            except CUT_OFF:
                if clock() >= end:
                    raise
                time.sleep(pause)
        return request().read()


def unpacked(body: bytes, what: str) -> bytes:
    """Return the content of a gzipped document that the service stored.

    Raises:
        TransientError: it ends early, so it was cut off where no length showed it.

    """
    try:
        return gzip.decompress(body)
    except (EOFError, zlib.error) as error:
        raise TransientError(f"{what}: the document is cut off") from error
