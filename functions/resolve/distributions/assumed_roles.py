"""Credentials of the roles in DistributionRoles: assumed with their external id, kept for the next invocations.

They are kept only in the function's memory: no plan, state, log line or error contains them.
"""

import functools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from prewarm.distribution_roles import DistributionRole
from prewarm.errors import PrewarmError
from prewarm.observability import logger
from prewarm.storage.transient import named_errors

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

# STS answers within a second; 3 tries of at most 8 s, so that a silent one costs a run half a minute.
CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
# Credentials are used if they are valid for longer than an invocation may take (900 s), so none expires in the middle
# of one. A role that a role assumes has sessions of an hour at most (IAM User Guide, "Role chaining").
VALID_SECONDS = 1_000.0
# 2 to 64 characters of A-Za-z0-9_=,.@- (STS API Reference, AssumeRole); a function's name has no others.
LONGEST_SESSION_NAME = 64


@dataclass(frozen=True, slots=True)
class Credentials:
    """A role's temporary credentials, which its repr does not show; `expires_at` in epoch seconds."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    expires_at: float


class RoleRefused(PrewarmError):
    """A role in DistributionRoles cannot be assumed, or lacks a permission; a later try would fail too."""


class AssumedRoles:
    """Assumes roles, each once until its credentials are about to expire."""

    def __init__(self, sts: "STSClient | None" = None, clock: Callable[[], float] = time.time) -> None:
        self._sts, self._clock = sts, clock
        self._lock = threading.Lock()
        self._kept: dict[DistributionRole, Credentials] = {}

    def credentials(self, role: DistributionRole) -> Credentials:
        """Return credentials of a role that are valid for longer than an invocation may take.

        Raises:
            RoleRefused: the role may not be assumed; the message names it and what to check.
            TransientError: STS throttles, failed or did not respond in time.

        """
        kept = self._kept.get(role)
        if kept is not None and kept.expires_at - self._clock() > VALID_SECONDS:
            return kept
        client = self._client()
        partition = client.meta.partition
        if role.partition != partition:
            raise RoleRefused(
                f"its role {role.arn} is in the partition {role.partition}, and the service in {partition}, whose "
                "roles cannot assume it; deploy the service there too"
            )
        try:
            with named_errors(f"sts AssumeRole {role.arn}"):
                answer = client.assume_role(
                    RoleArn=role.arn, RoleSessionName=session_name(), ExternalId=role.external_id
                )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown error")
            logger.warning("role not assumed", extra={"role": role.arn, "code": code})
            raise RoleRefused(
                f"its role {role.arn} cannot be assumed ({code}); check that it exists, that its trust policy names "
                f"the role of {session_name()} (the stack's output FunctionRoleArns), and that its sts:ExternalId is "
                "the stack's DistributionRolesExternalId"
            ) from None
        made = answer["Credentials"]
        kept = Credentials(
            made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], made["Expiration"].timestamp()
        )
        self._kept[role] = kept
        return kept

    def _client(self) -> "STSClient":
        with self._lock:
            if self._sts is None:
                self._sts = boto3.client("sts", config=CONFIG)
            return self._sts


def session_name() -> str:
    """Return the session's name in the other account's CloudTrail: that of the function."""
    return os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")[:LONGEST_SESSION_NAME] or "cloudfront-prewarm"


@functools.cache
def assumed_roles() -> AssumedRoles:
    """Return the function's roles, which outlive an invocation."""
    return AssumedRoles()
