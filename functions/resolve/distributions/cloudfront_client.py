"""The one client of the CloudFront API, with the service's retry configuration."""

from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

# CloudFront's control plane accepts a few calls a second per account; adaptive retries find that rate.
ATTEMPTS = 10


def cloudfront_client(attempts: int = ATTEMPTS) -> "CloudFrontClient":
    """Return a client that retries throttled calls at an adaptive rate, `attempts` tries in all.

    With 1 it never waits, for a caller that retries by itself. All modules get their client here, so that one place
    decides whose account it acts in.
    """
    # The adaptive mode also delays first tries after a throttled call.
    mode: Literal["adaptive", "standard"] = "adaptive" if attempts > 1 else "standard"
    return boto3.client("cloudfront", config=Config(retries={"mode": mode, "total_max_attempts": attempts}))
