"""Errors of AWS that may pass get one name; others stay, and a body that is cut off is asked for again."""

import gzip

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.stub import Stubber

from prewarm.errors import TransientError
from prewarm.storage.transient import name_errors_of, named_errors, read_whole, unpacked

CUT = IncompleteReadError(actual_bytes=5, expected_bytes=10)
RESET = ResponseStreamingError(error=ConnectionResetError())


def client_error(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "throttled"),
    [
        (client_error("ThrottlingException", 400), True),
        (client_error("SlowDown", 503), True),
        (client_error("ProvisionedThroughputExceededException", 400), True),
        (client_error("InternalError", 500), False),
        (client_error("ServiceUnavailable", 503), False),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1"), False),
        (CUT, False),
        (RESET, False),
        (ConnectionResetError(), False),
    ],
)
def test_error_that_may_pass_is_named(error: Exception, throttled: bool) -> None:
    with pytest.raises(TransientError, match=r"^read x: ") as caught, named_errors("read x"):
        raise error
    assert caught.value.throttled is throttled
    # The state machine retries by this name.
    assert type(caught.value).__name__ == "TransientError"


@pytest.mark.parametrize("error", [client_error("AccessDenied", 403), client_error("NoSuchKey", 404), KeyError("x")])
def test_error_that_would_recur_stays_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, named_errors("read x"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ProvisionedThroughputExceededException", 400, TransientError),
        ("InternalServerError", 500, TransientError),
        ("ConditionalCheckFailedException", 400, ClientError),
        ("AccessDeniedException", 400, ClientError),
    ],
)
def test_every_call_of_a_client_has_named_errors(code: str, status: int, expected: type[Exception]) -> None:
    client = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    name_errors_of(client)
    with Stubber(client) as stub:
        stub.add_client_error("list_tables", code, http_status_code=status)
        with pytest.raises(expected) as caught:
            client.list_tables()
    assert type(caught.value) is not ClientError or expected is ClientError


def test_connection_that_is_refused_has_a_named_error() -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url="http://127.0.0.1:9",
        config=Config(retries={"total_max_attempts": 1}),
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    name_errors_of(client)
    with pytest.raises(TransientError):
        client.list_tables()


class Responses:
    """S3: each call returns a response whose body is read, or fails itself."""

    def __init__(self, *bodies: bytes | Exception, fails: Exception | None = None) -> None:
        self.calls, self._bodies, self._fails = 0, list(bodies), fails

    def request(self) -> "Responses":
        self.calls += 1
        if self._fails:
            raise self._fails
        return self

    def read(self) -> bytes:
        body = self._bodies.pop(0)
        if isinstance(body, Exception):
            raise body
        return body


@pytest.mark.parametrize("failure", [CUT, RESET])
def test_body_that_is_cut_off_is_requested_again(failure: Exception) -> None:
    responses = Responses(failure, failure, b"whole")
    assert read_whole(responses.request, "read x", pauses=(0, 0)) == b"whole"


def test_body_that_is_always_cut_off_is_a_transient_error() -> None:
    responses = Responses(CUT, CUT, CUT, CUT)
    with pytest.raises(TransientError, match="read x"):
        read_whole(responses.request, "read x", pauses=(0, 0, 0))
    assert responses.calls == 4


@pytest.mark.parametrize(
    "failure", [EndpointConnectionError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x"), ConnectionResetError()]
)
def test_call_that_the_sdk_gave_up_is_not_repeated(failure: Exception) -> None:
    """The SDK has tried for 18 s then: four times as long is longer than API Gateway waits."""
    responses = Responses(fails=failure)
    with pytest.raises(TransientError, match="read x"):
        read_whole(responses.request, "read x", pauses=(0, 0, 0))
    assert responses.calls == 1


def test_body_that_hangs_is_not_requested_again_after_some_seconds() -> None:
    responses, times = Responses(CUT, CUT, CUT), iter([0.0, 6.0, 12.0])
    with pytest.raises(TransientError, match="read x"):
        read_whole(responses.request, "read x", pauses=(0, 0, 0), patience=10, clock=lambda: next(times))
    assert responses.calls == 2


def test_gzipped_document_that_ends_early_is_a_transient_error() -> None:
    body = gzip.compress(b"a" * 1000)
    assert unpacked(body, "x") == b"a" * 1000
    with pytest.raises(TransientError, match="cut off"):
        unpacked(body[:-12], "x")
