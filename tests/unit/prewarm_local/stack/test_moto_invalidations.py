"""Invalidations where no CloudFront would receive them."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from prewarm_local.stack.moto_invalidations import patch_invalidations, refuse_invalidation
from prewarm_local.stack.moto_patches import MotoPatches

ORIGIN = {
    "Id": "o",
    "DomainName": "origin.example.com",
    "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
}
CONFIG: Any = {
    "CallerReference": "1",
    "Comment": "",
    "Enabled": True,
    "Origins": {"Quantity": 1, "Items": [ORIGIN]},
    "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0},
}


@mock_aws
def test_refused_invalidation_leaves_nothing_and_says_what_to_do() -> None:
    client = boto3.client("cloudfront", region_name="us-east-1")
    distribution = client.create_distribution(DistributionConfig=CONFIG)["Distribution"]["Id"]
    batch: Any = {"Paths": {"Quantity": 1, "Items": ["/a"]}, "CallerReference": "r"}
    with MotoPatches() as patches:
        patch_invalidations(patches, refuse_invalidation)
        with pytest.raises(ClientError, match="use `aws cloudfront create-invalidation`") as refused:
            client.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert client.list_invalidations(DistributionId=distribution)["InvalidationList"]["Quantity"] == 0
