"""AWS for the commands that call it themselves: moto, with a bucket of logs."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from tests.support.traffic import BUCKET, REGION


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in (("AWS_DEFAULT_REGION", REGION), ("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")):
        monkeypatch.setenv(name, value)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield
