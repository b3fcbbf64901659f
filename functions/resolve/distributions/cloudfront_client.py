"""The one client of the CloudFront API, with the service's retry configuration."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

# CloudFront's control plane accepts a few calls a second per account; adaptive retries find that rate.
ATTEMPTS = 10


def cloudfront_client(attempts: int = ATTEMPTS) -> "CloudFrontClient":
    """Return a client that retries throttled calls at an adaptive rate, `attempts` tries in all.

    All modules get their client here, so that one place decides whose account it acts in.
    """
    return boto3.client("cloudfront", config=Config(retries={"mode": "adaptive", "total_max_attempts": attempts}))
