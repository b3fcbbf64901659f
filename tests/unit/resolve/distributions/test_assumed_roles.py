"""Roles are assumed once for many invocations, with the external id; a refusal says what to check."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from prewarm.distribution_roles import DistributionRole, roles_of
from prewarm.errors import TransientError
from resolve.distributions.assumed_roles import CONFIG, VALID_SECONDS, AssumedRoles, RoleRefused

LAMBDA_SECONDS = 900
(ROLE, OTHER) = roles_of("arn:aws:iam::111111111111:role/a,arn:aws:iam::222222222222:role/b", "ext-1")


class Sts:
    """STS, which returns credentials for an hour, or raises the given errors first."""

    class meta:  # noqa: N801 - boto3's
        partition = "aws"

    def __init__(self, *errors: Exception) -> None:
        self.now = 1_000_000.0
        self.errors = list(errors)
        self.requests: list[dict[str, str]] = []

    def assume_role(self, **request: str) -> Any:
        self.requests.append(request)
        if self.errors:
            raise self.errors.pop(0)
        made = len(self.requests)
        expires = datetime.fromtimestamp(self.now + 3600, UTC)
        keys = {"AccessKeyId": f"key-{made}", "SecretAccessKey": f"secret-{made}", "SessionToken": f"token-{made}"}
        return {"Credentials": keys | {"Expiration": expires}}


def roles(sts: Any) -> AssumedRoles:
    return AssumedRoles(sts, lambda: float(sts.now))


def refusal(code: str, status: int = 403) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "AssumeRole")


def test_role_is_assumed_with_its_external_id_and_the_functions_name(monkeypatch: pytest.MonkeyPatch) -> None:
    sts = Sts()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "prewarm-ResolveFunction-" + "x" * 60)
    roles(sts).credentials(ROLE)
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    roles(sts).credentials(ROLE)
    assert [set(request.items()) - {("RoleSessionName", request["RoleSessionName"])} for request in sts.requests] == [
        {("RoleArn", ROLE.arn), ("ExternalId", "ext-1")}
    ] * 2
    assert [request["RoleSessionName"] for request in sts.requests] == [
        ("prewarm-ResolveFunction-" + "x" * 60)[:64],
        "cloudfront-prewarm",
    ]


def test_credentials_are_kept_between_invocations_and_renewed_before_one_could_see_them_expire() -> None:
    sts = Sts()
    shared = roles(sts)
    first = shared.credentials(ROLE)
    assert shared.credentials(OTHER).access_key == "key-2"
    sts.now += 3600 - VALID_SECONDS - 1
    assert shared.credentials(ROLE) == first
    assert first.expires_at - sts.now > LAMBDA_SECONDS
    sts.now += 1
    assert shared.credentials(ROLE).access_key == "key-3"


@pytest.mark.parametrize(
    "code", ["AccessDenied", "RegionDisabledException", "ValidationError", "InvalidClientTokenId"]
)
def test_refused_role_is_named_with_what_to_check(code: str) -> None:
    sts = Sts(refusal(code))
    with pytest.raises(RoleRefused) as caught:
        roles(sts).credentials(ROLE)
    message = str(caught.value)
    assert f"its role {ROLE.arn} cannot be assumed ({code})" in message
    assert all(words in message for words in ("it exists", "trust policy", "sts:ExternalId", "FunctionRoleArns"))
    # A refusal is not kept: the operator may correct the trust policy.
    assert roles(sts).credentials(ROLE).access_key == "key-2"


@pytest.mark.parametrize(
    "error",
    [
        refusal("Throttling", 400),
        refusal("ServiceUnavailable", 503),
        ConnectTimeoutError(endpoint_url="https://sts"),
        ReadTimeoutError(endpoint_url="https://sts"),
    ],
)
def test_short_failure_of_sts_is_transient_and_not_a_refusal(error: Exception) -> None:
    with pytest.raises(TransientError, match=f"sts AssumeRole {ROLE.arn}"):
        roles(Sts(error)).credentials(ROLE)


def test_role_of_another_partition_is_refused_without_a_call() -> None:
    sts = Sts()
    china = DistributionRole("arn:aws-cn:iam::333333333333:role/a", "333333333333", "aws-cn", "ext-1")
    with pytest.raises(RoleRefused, match="is in the partition aws-cn, and the service in aws"):
        roles(sts).credentials(china)
    assert sts.requests == []


def test_silent_sts_costs_less_than_a_minute() -> None:
    options: Any = CONFIG
    seconds = options.connect_timeout + options.read_timeout
    assert seconds * options.retries["total_max_attempts"] <= 30


def test_credentials_are_not_in_their_repr() -> None:
    shown = repr(roles(Sts()).credentials(ROLE))
    assert not any(word in shown for word in ("key-1", "secret-1", "token-1"))
