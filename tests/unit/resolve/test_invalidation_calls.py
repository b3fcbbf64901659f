"""Calls for invalidations: tried again for minutes while CloudFront is busy, and at once not at all."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber

from resolve.invalidation_calls import PATIENCE_SECONDS, CloudFrontBusy, PatientCloudFront
from resolve.invalidation_rounds import InvalidationBatch
from tests.support.definitions import state_machine

BATCH = InvalidationBatch("E1", "", "run-E1-0", ["/a"])
TENANT = InvalidationBatch("E1", "dt_1", "run-dt_1-0", ["/a"])
CREATED = {"Invalidation": {"Id": "I1"}}
BUSY = [(503, "ServiceUnavailable"), (400, "Throttling"), (400, "TooManyRequestsException"), (429, ""), (500, "X")]
FINAL = [
    (400, "InvalidArgument"),
    (400, "TooManyInvalidationsInProgress"),
    (400, "BatchTooLarge"),
    (403, "AccessDenied"),
    (404, "NoSuchDistribution"),
    (409, "InvalidationBatchAlreadyExists"),
]


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)


class Client:
    """CloudFront, which answers with the given errors first, then with an invalidation."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.requests: list[dict[str, Any]] = []

    def create_invalidation(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if self.errors:
            raise self.errors.pop(0)
        return CREATED

    get_invalidation: Callable[..., dict[str, Any]] = create_invalidation


def error(status: int, code: str) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "CreateInvalidation")


def patient(client: Client, time: Time, seconds: float = 840.0) -> PatientCloudFront:
    cloudfront: Any = client
    return PatientCloudFront(lambda _account: cloudfront, seconds, clock=lambda: time.now, sleep=time.sleep)


@pytest.mark.parametrize(("status", "code"), BUSY)
def test_busy_cloudfront_is_asked_again_for_minutes_with_the_same_reference(status: int, code: str) -> None:
    client, time = Client(*[error(status, code)] * 12), Time()
    assert patient(client, time).create(BATCH) == {"distributionId": "E1", "invalidationId": "I1"}
    assert time.now > 60
    assert len(client.requests) == 13
    assert all(request == client.requests[0] for request in client.requests)
    assert client.requests[0]["InvalidationBatch"]["CallerReference"] == "run-E1-0"


@pytest.mark.parametrize(("status", "code"), BUSY)
def test_cloudfront_that_stays_busy_raises_the_error_that_the_state_machine_retries(status: int, code: str) -> None:
    client, time = Client(*[error(status, code)] * 1_000), Time()
    with pytest.raises(CloudFrontBusy, match="CloudFront is busy"):
        patient(client, time).create(BATCH)
    assert PATIENCE_SECONDS / 2 < time.now <= PATIENCE_SECONDS
    assert max(time.pauses) <= 20
    for state in ("CreateInvalidations", "CheckInvalidations"):
        named = {name: each for each in state_machine()["States"][state]["Retry"] for name in each["ErrorEquals"]}
        assert named["CloudFrontBusy"]["MaxAttempts"] >= 10


@pytest.mark.parametrize("lost", [EndpointConnectionError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x")])
def test_unreachable_cloudfront_is_asked_again(lost: Exception) -> None:
    client, time = Client(lost, lost), Time()
    patient(client, time).create(BATCH)
    assert len(client.requests) == 3


@pytest.mark.parametrize(("status", "code"), FINAL)
def test_error_that_a_second_try_would_meet_again_is_raised_at_once(status: int, code: str) -> None:
    client, time = Client(error(status, code)), Time()
    with pytest.raises(ClientError, match=code):
        patient(client, time).create(BATCH)
    assert (len(client.requests), time.pauses) == (1, [])


def test_calls_share_the_time_of_the_invocation() -> None:
    client, time = Client(*[error(503, "ServiceUnavailable")] * 1_000), Time()
    calls = patient(client, time, seconds=300.0)
    for _ in range(2):
        with pytest.raises(CloudFrontBusy):
            calls.create(BATCH)
    assert time.now <= 300


def test_tenant_is_invalidated_and_checked_by_its_own_calls() -> None:
    client = boto3.client("cloudfront", region_name="eu-central-1")
    invalidation = {"Paths": {"Quantity": 1, "Items": ["/a"]}, "CallerReference": "run-dt_1-0"}
    made: dict[str, Any] = {
        "Id": "I1", "Status": "InProgress", "CreateTime": "2026-01-01T00:00:00Z", "InvalidationBatch": invalidation
    }  # fmt: skip
    with Stubber(client) as stub:
        stub.add_response(
            "create_invalidation_for_distribution_tenant",
            {"Location": "x", "Invalidation": made},
            {"Id": "dt_1", "InvalidationBatch": invalidation},
        )
        for status in ("InProgress", "Completed"):
            stub.add_response(
                "get_invalidation_for_distribution_tenant",
                {"Invalidation": made | {"Status": status}},
                {"DistributionTenantId": "dt_1", "Id": "I1"},
            )
        calls = PatientCloudFront(lambda _account: client)
        created = calls.create(TENANT)
        assert created == {"tenantId": "dt_1", "invalidationId": "I1"}
        assert [calls.is_completed(created) for _ in range(2)] == [False, True]
        stub.assert_no_pending_responses()


def test_too_many_invalidations_raise_the_error_that_the_state_machine_retries() -> None:
    client = boto3.client("cloudfront", region_name="eu-central-1")
    with Stubber(client) as stub:
        stub.add_client_error("create_invalidation", "TooManyInvalidationsInProgress", "3000 paths in progress")
        with pytest.raises(Exception, match="3000 paths") as caught:
            PatientCloudFront(lambda _account: client).create(BATCH)
    # Lambda names a Python error by its class.
    assert type(caught.value).__name__ == "TooManyInvalidationsInProgress"


def test_invalidation_is_created_and_checked_in_the_account_of_its_distribution() -> None:
    clients = {"": Client(), "222222222222": Client()}
    asked: Any = clients.__getitem__
    calls = PatientCloudFront(asked)
    assert "account" not in calls.create(BATCH)
    created = calls.create(replace(BATCH, account="222222222222"))
    assert created == {"distributionId": "E1", "invalidationId": "I1", "account": "222222222222"}
    assert [len(client.requests) for client in clients.values()] == [1, 1]
    checked: Any = {"Invalidation": {"Status": "Completed"}}
    clients["222222222222"].get_invalidation = lambda **_: checked
    assert calls.is_completed(created)
