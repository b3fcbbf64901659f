"""How long a first byte may take, by a distribution's origins, and the warning about a shorter setting.

Developer Guide, "All distribution settings reference": response timeout 1 to 120 s, 30 by default; connection
attempts 1 to 3, 3 by default; an origin group asks its second origin in the same way.
"""

from typing import Any

import pytest

from resolve.distributions.cache_behaviours import behaviours, longest_first_byte
from resolve.distributions.config_warnings import stall_warnings
from resolve.distributions.origins import first_byte_seconds, s3_region
from tests.support.builders import parsed

SLOW = {"Id": "slow", "ConnectionAttempts": 3, "CustomOriginConfig": {"OriginReadTimeout": 120}}
ONCE = {"Id": "once", "ConnectionAttempts": 1, "CustomOriginConfig": {"OriginReadTimeout": 60}}
BUCKET = {"Id": "s3", "DomainName": "b.s3.eu-central-1.amazonaws.com", "S3OriginConfig": {}}
GROUP = {"Id": "group", "Members": {"Items": [{"OriginId": "once"}, {"OriginId": "s3"}]}}
CONFIG: dict[str, Any] = {
    "Origins": {"Items": [SLOW, ONCE, BUCKET]},
    "OriginGroups": {"Items": [GROUP]},
    "DefaultCacheBehavior": {"TargetOriginId": "s3"},
    "CacheBehaviors": {"Items": [{"PathPattern": "/api/*", "TargetOriginId": "slow"}]},
}


@pytest.mark.parametrize(
    ("target", "seconds"), [("s3", 90), ("slow", 360), ("once", 60), ("group", 150), ("unknown", 90)]
)
def test_wait_is_attempts_times_response_timeout_of_each_origin(target: str, seconds: int) -> None:
    assert first_byte_seconds(CONFIG, {"TargetOriginId": target}) == seconds


def test_longest_wait_is_that_of_the_behaviours_that_match() -> None:
    in_order = behaviours(CONFIG, {})
    assert longest_first_byte(in_order, parsed("https://www.example.com/a")) == 90
    assert longest_first_byte(in_order, parsed("https://www.example.com/a", "https://www.example.com/api/b")) == 360
    assert longest_first_byte([], parsed("https://www.example.com/a")) == 0


@pytest.mark.parametrize(("stall", "warned"), [(95, False), (100, True), (360, False)])
def test_setting_shorter_than_the_wait_is_a_warning(stall: int, warned: bool) -> None:
    found = stall_warnings(
        "d1.cloudfront.net", behaviours(CONFIG, {}), parsed("https://www.example.com/api/b"), stall
    )
    assert bool(found) is warned
    assert all("may wait 360 s" in each and f"PREWARM_STALL_SECONDS is {stall}" in each for each in found)


@pytest.mark.parametrize(
    ("domain", "region"),
    [
        ("b.s3.eu-central-1.amazonaws.com", "eu-central-1"),
        ("b.s3-website-us-east-1.amazonaws.com", "us-east-1"),
        ("b.s3-website.ap-southeast-2.amazonaws.com", "ap-southeast-2"),
        ("b.s3.amazonaws.com", ""),
        ("www.example.com", ""),
    ],
)
def test_region_of_a_bucket_is_in_its_domain(domain: str, region: str) -> None:
    config = {"Origins": {"Items": [{"Id": "x", "DomainName": domain}]}}
    assert s3_region(config, {"TargetOriginId": "x"}) == region
