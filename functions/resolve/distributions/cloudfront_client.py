"""The one client of the CloudFront API, with the service's retry configuration."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

# CloudFront's control plane accepts a few calls a second per account; adaptive retries find that rate.
ATTEMPTS = 10


def cloudfront_client() -> "CloudFrontClient":
    """Return a client that retries throttled calls at an adaptive rate, ATTEMPTS times in all."""
    return boto3.client("cloudfront", config=Config(retries={"mode": "adaptive", "max_attempts": ATTEMPTS}))
