"""Distributions' settings as the API returns them; unreadable settings are warnings and fail no run."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from prewarm.request.model import PrewarmRequest
from resolve.distributions.config_reader import ConfigReader
from resolve.distributions.model import Distribution
from resolve.stages import Chosen, ChosenGroup, Inspected
from tests.support.builders import parsed, request
from tests.support.cache_policies import DISABLED
from tests.support.edge_urls import HOST
from tests.support.handlers import REGION

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


def chosen(number: int | None = 1, tenant: str = "") -> ChosenGroup:
    name = "" if number is None else f"E{number}"
    distribution = Distribution(name, f"d{number}.cloudfront.net", (HOST,), tenant=tenant)
    return ChosenGroup(distribution, parsed(f"https://{HOST}/"), pops=("ATL56-C1",), skipped=())


def inspect(*groups: ChosenGroup) -> Inspected:
    return ConfigReader(CLOUDFRONT).inspect(Chosen(groups), FIELDS)


def test_policies_are_read_once_and_configurations_once_for_all_tenants(stub: Stubber) -> None:
    configured(stub, 2, "P")
    policy = {"Id": "P", "LastModifiedTime": "2026-01-01T00:00:00Z", "CachePolicyConfig": DISABLED}
    stub.add_response("get_cache_policy", {"CachePolicy": policy}, {"Id": "P"})
    configured(stub, 1, "P")
    inspected = inspect(chosen(2, "dt_1"), chosen(), chosen(2, "dt_2"))
    assert len(inspected.warnings) == 3
    assert all("Managed-CachingDisabled caches nothing" in text for text in inspected.warnings)
    assert [group.distribution.tenant for group in inspected.groups] == ["dt_1", "", "dt_2"]
    assert all(group.behaviours[0].pattern == "*" for group in inspected.groups)


def test_unreadable_settings_are_a_warning(stub: Stubber) -> None:
    stub.add_client_error("get_distribution_config", "AccessDenied", "no", http_status_code=403)
    inspected = inspect(chosen())
    (warning,) = inspected.warnings
    assert warning == "d1.cloudfront.net: its settings could not be read (AccessDenied), so they are not checked"
    assert inspected.groups[0].behaviours == []


def test_unreadable_policy_is_a_warning(stub: Stubber) -> None:
    configured(stub, 1, "P")
    stub.add_client_error("get_cache_policy", "NoSuchCachePolicy", "no", http_status_code=404)
    (warning,) = inspect(chosen()).warnings
    assert "its cache policy could not be read" in warning


def test_distribution_of_another_account_is_a_warning(stub: Stubber) -> None:
    (warning,) = inspect(chosen(None)).warnings
    assert "its settings are unknown because it is not a distribution of this account" in warning
