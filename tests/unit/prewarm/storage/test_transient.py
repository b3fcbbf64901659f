"""Errors of AWS that may pass get one name; others stay, and a body that is cut off is asked for again."""

import gzip

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, IncompleteReadError, ResponseStreamingError

from prewarm.errors import TransientError
from prewarm.storage.transient import named_errors, read_whole, unpacked

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


@pytest.mark.parametrize("failure", [CUT, RESET])
def test_body_that_is_cut_off_is_requested_again(failure: Exception) -> None:
    answers: list[bytes | Exception] = [failure, failure, b"whole"]

    def get() -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert read_whole(get, "read x", pauses=(0, 0)) == b"whole"


def test_body_that_is_always_cut_off_is_a_transient_error() -> None:
    calls = []

    def get() -> bytes:
        calls.append(1)
        raise CUT

    with pytest.raises(TransientError, match="read x"):
        read_whole(get, "read x", pauses=(0, 0, 0))
    assert len(calls) == 4


def test_gzipped_document_that_ends_early_is_a_transient_error() -> None:
    body = gzip.compress(b"a" * 1000)
    assert unpacked(body, "x") == b"a" * 1000
    with pytest.raises(TransientError, match="cut off"):
        unpacked(body[:-12], "x")
