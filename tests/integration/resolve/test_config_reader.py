"""Distributions' settings as the API tells them; what it does not tell is said, and fails no run."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from prewarm.request.model import PrewarmRequest
from resolve.distributions.config_reader import Configs
from resolve.distributions.model import Distribution
from resolve.group_draft import Placement
from tests.support.builders import parsed, request
from tests.support.edge_urls import HOST
from tests.support.handlers import REGION
from tests.unit.resolve.distributions.test_cache_behaviours import DISABLED

CLOUDFRONT = boto3.Session().client(
    "cloudfront", region_name=REGION, aws_access_key_id="-", aws_secret_access_key="-"
)
FIELDS: PrewarmRequest = request().fields


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(CLOUDFRONT) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def configured(stub: Stubber, number: int, policy: str) -> None:
    config: Any = {
        "CallerReference": "x",
        "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "origin.example.com"}]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": policy,
        },
        "Comment": "",
        "Enabled": True,
    }
    stub.add_response("get_distribution_config", {"DistributionConfig": config, "ETag": "e"}, {"Id": f"E{number}"})


def placed(number: int | None = 1, tenant: str = "") -> Placement:
    name = "" if number is None else f"E{number}"
    return Placement(
        Distribution(name, f"d{number}.cloudfront.net", (HOST,), tenant=tenant), parsed(f"https://{HOST}/")
    )


def test_a_policy_is_read_once_for_all_distributions_and_a_configuration_once_for_all_tenants(stub: Stubber) -> None:
    configured(stub, 1, "P")
    found = {"Id": "P", "LastModifiedTime": "2026-01-01T00:00:00Z", "CachePolicyConfig": DISABLED}
    stub.add_response("get_cache_policy", {"CachePolicy": found}, {"Id": "P"})
    configured(stub, 2, "P")
    told = Configs(CLOUDFRONT).warnings([placed(), placed(2, "dt_1"), placed(2, "dt_2")], FIELDS)
    assert len(told) == 3
    assert all("Managed-CachingDisabled keeps nothing" in text for text in told)


def test_settings_that_may_not_be_read_are_a_warning(stub: Stubber) -> None:
    stub.add_client_error("get_distribution_config", "AccessDenied", "no", http_status_code=403)
    (told,) = Configs(CLOUDFRONT).warnings([placed()], FIELDS)
    assert told == "d1.cloudfront.net: its settings could not be read (AccessDenied), so none of them is judged"


def test_a_policy_that_may_not_be_read_is_a_warning(stub: Stubber) -> None:
    configured(stub, 1, "P")
    stub.add_client_error("get_cache_policy", "NoSuchCachePolicy", "no", http_status_code=404)
    (told,) = Configs(CLOUDFRONT).warnings([placed()], FIELDS)
    assert "its cache policy could not be read" in told


def test_a_distribution_that_only_dns_named_has_no_settings_here(stub: Stubber) -> None:
    (told,) = Configs(CLOUDFRONT).warnings([placed(None)], FIELDS)
    assert "its settings are not known here" in told
