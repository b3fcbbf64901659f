"""The one client of the CloudFront API, with the service's retry configuration."""

import threading
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config

from resolve.distributions.assumed_roles import Credentials

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

# CloudFront's control plane accepts a few calls a second per account; adaptive retries find that rate.
ATTEMPTS = 10
# boto3's session may be used by one thread at a time; its clients by any number.
_session = threading.Lock()


def cloudfront_client(attempts: int = ATTEMPTS, credentials: Credentials | None = None) -> "CloudFrontClient":
    """Return a client that retries throttled calls at an adaptive rate, `attempts` tries in all.

    With 1 it never waits, for a caller that retries by itself. `credentials`: those of a role in another account,
    None for the function's own. `Accounts` decides whose account a call is made in.
    """
    # The adaptive mode also delays first tries after a throttled call.
    mode: Literal["adaptive", "standard"] = "adaptive" if attempts > 1 else "standard"
    config = Config(retries={"mode": mode, "total_max_attempts": attempts})
    with _session:
        if credentials is None:
            return boto3.client("cloudfront", config=config)
        return boto3.client(
            "cloudfront",
            config=config,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
        )
