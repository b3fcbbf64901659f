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
from tests.support.cache_policies import DISABLED, OPTIMIZED, header_list
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


def configured(stub: Stubber, number: int, policy: str, **settings: str) -> None:
    config: Any = {
        "CallerReference": "x",
        "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "origin.example.com"}]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": policy,
        }
        | settings,
        "Comment": "",
        "Enabled": True,
    }
    stub.add_response("get_distribution_config", {"DistributionConfig": config, "ETag": "e"}, {"Id": f"E{number}"})


def chosen(number: int | None = 1, tenant: str = "") -> ChosenGroup:
    name = "" if number is None else f"E{number}"
    distribution = Distribution(name, f"d{number}.cloudfront.net", (HOST,), tenant=tenant)
    return ChosenGroup(distribution, parsed(f"https://{HOST}/"), pops=("ATL56-C1",), skipped=())


def inspect(*groups: ChosenGroup) -> Inspected:
    return ConfigReader(lambda _account: CLOUDFRONT).inspect(Chosen(groups), FIELDS)


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


CACHE: Any = {"CachePolicy": {"Id": "P", "LastModifiedTime": "2026-01-01T00:00:00Z", "CachePolicyConfig": OPTIMIZED}}


def test_policies_of_every_kind_are_read_once(stub: Stubber) -> None:
    others = {"OriginRequestPolicyId": "R", "ResponseHeadersPolicyId": "H"}
    request_policy: Any = {
        "Name": "ours",
        "HeadersConfig": header_list("Origin"),
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    configured(stub, 1, "P", **others)
    stub.add_response("get_cache_policy", CACHE, {"Id": "P"})
    times = {"LastModifiedTime": "2026-01-01T00:00:00Z"}
    policy = {"Id": "R", "OriginRequestPolicyConfig": request_policy} | times
    stub.add_response("get_origin_request_policy", {"OriginRequestPolicy": policy}, {"Id": "R"})
    policy = {"Id": "H", "ResponseHeadersPolicyConfig": {"Name": "no CORS"}} | times
    stub.add_response("get_response_headers_policy", {"ResponseHeadersPolicy": policy}, {"Id": "H"})
    configured(stub, 2, "P", **others)
    inspected = inspect(chosen(1), chosen(2))
    assert len(inspected.warnings) == 2
    assert all("its origin request policy ours forwards Origin" in text for text in inspected.warnings)


def test_managed_policies_need_no_call(stub: Stubber) -> None:
    configured(stub, 1, "P", OriginRequestPolicyId="88a5eaf4-2fd4-4709-b370-b4c650ea3fcf")
    stub.add_response("get_cache_policy", CACHE, {"Id": "P"})
    (warning,) = inspect(chosen()).warnings
    assert "Managed-CORS-S3Origin forwards Origin" in warning


def test_account_without_the_right_is_warned_that_it_was_not_checked(stub: Stubber) -> None:
    configured(stub, 1, "P", OriginRequestPolicyId="R", ResponseHeadersPolicyId="H")
    stub.add_response("get_cache_policy", CACHE, {"Id": "P"})
    for method in ("get_origin_request_policy", "get_response_headers_policy"):
        stub.add_client_error(method, "AccessDenied", "no", http_status_code=403)
    (warning,) = inspect(chosen()).warnings
    assert "could not be read (AccessDenied), so it was not checked" in warning
