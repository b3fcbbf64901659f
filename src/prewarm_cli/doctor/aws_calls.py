"""The calls to AWS that `prewarm doctor` makes with your own credentials (extra `aws`)."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound

from prewarm_cli.doctor.aws_errors import CallFailed, NoCredentials

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 2})
# Codes of a missing right, of the services that are called (their API references, "Common errors").
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})


class AwsCalls:
    """Your AWS account in one Region."""

    def __init__(self, region: str) -> None:
        try:
            self._session = boto3.Session(region_name=region)
        except ProfileNotFound as error:
            raise NoCredentials(str(error)) from error

    def account(self) -> str:
        """Return the id of the account that the credentials belong to.

        Raises:
            NoCredentials, CallFailed: there are none, or AWS refuses them.

        """
        with _failures():
            return str(self._client("sts").get_caller_identity()["Account"])

    def concurrency(self) -> tuple[int, int]:
        """Return the account's limit of concurrent executions, and what no function has reserved of it.

        Raises:
            NoCredentials, CallFailed: the call failed.

        """
        with _failures():
            limit = self._client("lambda").get_account_settings()["AccountLimit"]
        return int(limit["ConcurrentExecutions"]), int(limit["UnreservedConcurrentExecutions"])

    def start_execution(self, arn: str, name: str, document: dict[str, Any]) -> str:
        """Start an execution with this input; return its ARN.

        Raises:
            NoCredentials, CallFailed: the call failed.

        """
        with _failures():
            started = self._client("stepfunctions").start_execution(
                stateMachineArn=arn, name=name, input=json.dumps(document)
            )
        return str(started["executionArn"])

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        create: Any = self._session.client
        return create(service, config=CONFIG)


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Raise botocore's errors as this package's own."""
    try:
        yield
    except NoCredentialsError as error:
        raise NoCredentials("no AWS credentials were found") from error
    except ClientError as error:
        raise CallFailed(str(error), denied=error.response.get("Error", {}).get("Code") in DENIED) from error
    except BotoCoreError as error:
        raise CallFailed(f"{type(error).__name__}: {error}") from error
