"""The clients of the stores: S3 and DynamoDB, with the time-outs and retries of the function that uses them."""

import os
import time
from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config
from botocore.retries import bucket

from prewarm.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


def create_clients(settings: Settings) -> tuple["S3Client", "DynamoDBClient"]:
    """Return new clients of S3 and DynamoDB."""
    _use_steady_clock()
    config = Config(retries={"mode": "adaptive", "max_attempts": 8}, connect_timeout=5, read_timeout=30)
    if settings.state_machine_arn:
        # The API function, which API Gateway leaves after 29 s: an error must surface before, even if the first body
        # hangs and the second request too (transient.API_PATIENCE).
        config = config.merge(
            Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=4)
        )
    # Links to objects with a KMS key, and in Regions launched since 2014, require this signature version.
    signed = config.merge(Config(signature_version="s3v4"))
    if not os.environ.get("AWS_ENDPOINT_URL"):
        # The Region's own host, because the global one redirects requests for a new bucket and does not serve
        # newer Regions (S3 User Guide, "Virtual hosting of buckets").
        signed = signed.merge(Config(s3={"addressing_style": "virtual"}))
    # botocore's own session, because importing boto3 takes longer than all other imports of a worker.
    session = botocore.session.get_session()
    return (
        cast("S3Client", session.create_client("s3", config=signed)),
        cast("DynamoDBClient", session.create_client("dynamodb", config=config)),
    )


def create_rate_client() -> "DynamoDBClient":
    """Return a client for the leases of a rate: its answer is useless after seconds, and its caller asks again."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=1, read_timeout=2)
    return cast("DynamoDBClient", botocore.session.get_session().create_client("dynamodb", config=config))


def _use_steady_clock() -> None:
    """Let the SDK's rate limiter of the adaptive mode measure time by a clock that cannot step back.

    By its own clock (botocore.retries.bucket), a client that was throttled waits as long as the clock has stepped.
    """
    bucket.Clock.current_time = staticmethod(time.monotonic)  # type: ignore[method-assign, assignment]
