"""Responses of CloudFront's API to the finder: pages of distributions, and tenants."""

from dataclasses import replace
from typing import Any

import boto3
from botocore.stub import Stubber

from prewarm.settings import Settings
from resolve.distributions.finder import DistributionFinder
from tests.support.edge_urls import HOST
from tests.support.handlers import REGION

TENANT_HOST, ENDPOINT = "shop.customer.example", "d777abcdef8.cloudfront.net"


CLOUDFRONT = boto3.Session().client(
    "cloudfront", region_name=REGION, aws_access_key_id="-", aws_secret_access_key="-"
)


def summary(number: int, *aliases: str, **changes: Any) -> dict[str, Any]:
    """Return an entry of ListDistributions with all fields that its shape requires."""
    none: Any = {"Quantity": 0}
    behaviour = {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"}
    return {
        "Id": f"E{number}",
        "ARN": f"arn:aws:cloudfront::123456789012:distribution/E{number}",
        "Status": "Deployed",
        "LastModifiedTime": "2026-01-01T00:00:00Z",
        "DomainName": f"d{number}.cloudfront.net",
        "Aliases": {"Quantity": len(aliases), "Items": list(aliases)},
        "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "origin.example.com"}]},
        "DefaultCacheBehavior": behaviour,
        "CacheBehaviors": none,
        "CustomErrorResponses": none,
        "Comment": "",
        "PriceClass": "PriceClass_100",
        "Enabled": True,
        "ViewerCertificate": {},
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        "Staging": False,
    } | changes


MINE = summary(1, HOST, "*.wild.example.com")


OFF = summary(2, "off.example.com", Enabled=False)


STAGING = summary(3, Staging=True)


MULTI = summary(4, ConnectionMode="tenant-only")


def listed(stub: Stubber, *pages: list[dict[str, Any]]) -> None:
    for number, items in enumerate(pages):
        last = number == len(pages) - 1
        response: dict[str, Any] = {"Marker": "", "MaxItems": 100, "IsTruncated": not last, "Quantity": len(items)}
        more = {} if last else {"NextMarker": f"m{number + 1}"}
        parameters = {"Marker": f"m{number}"} if number else {}
        stub.add_response("list_distributions", {"DistributionList": response | {"Items": items} | more}, parameters)


def tenant(stub: Stubber, domain: str, *, status: str = "active", enabled: bool = True, group: bool = True) -> None:
    found = {
        "Id": "dt_1",
        "DistributionId": "E4",
        "Name": "customer",
        "Domains": [{"Domain": domain, "Status": status}],
        "ConnectionGroupId": "cg_1",
        "Enabled": enabled,
        "Status": "Deployed",
    }
    stub.add_response("get_distribution_tenant_by_domain", {"DistributionTenant": found}, {"Domain": domain})
    if group:
        endpoint = {"ConnectionGroup": {"Id": "cg_1", "RoutingEndpoint": ENDPOINT, "Enabled": True}}
        stub.add_response("get_connection_group", endpoint, {"Identifier": "cg_1"})


def finder(settings: Settings, allowed: str | tuple[str, ...] = "account") -> DistributionFinder:
    return DistributionFinder(replace(settings, allowed_distributions=allowed), {"": CLOUDFRONT})
