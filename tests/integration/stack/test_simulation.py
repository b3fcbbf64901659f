"""The simulated CloudFront behaves by the documents that the functions read through the API."""

from typing import Any

import botocore.parsers
from moto.core.models import DEFAULT_ACCOUNT_ID

from prewarm_local.edge.config import read_config
from prewarm_local.edge.freshness import Ttl
from prewarm_local.edge.policies import read_behaviour
from prewarm_local.stack.distribution import ORIGIN, Distribution, policies_of, simulation_of
from prewarm_local.stack.moto_cloudfront import CloudFrontExtras, CloudFrontMiddleware, Tenant, _model

POLICY = "8c1d2f34-0000-4000-8000-000000000001"
CACHED_BRIEFLY: dict[str, Any] = {"Name": "briefly", "MinTTL": 5, "DefaultTTL": 60, "MaxTTL": 600}
GROUP = {
    "Id": "group",
    "FailoverCriteria": {"StatusCodes": {"Quantity": 1, "Items": [504]}},
    "Members": {"Quantity": 2, "Items": [{"OriginId": "origin"}, {"OriginId": "second"}]},
}
SLOW = {
    **ORIGIN,
    "ConnectionAttempts": 2,
    "CustomOriginConfig": ORIGIN["CustomOriginConfig"] | {"OriginReadTimeout": 45},
}
PAGES = {
    "Quantity": 1,
    "Items": [{"ErrorCode": 404, "ResponsePagePath": "/", "ResponseCode": "200", "ErrorCachingMinTTL": 300}],
}
SHOP = Distribution(
    "d111abc.cloudfront.net",
    ("www.example.com",),
    behaviour={"CachePolicyId": POLICY, "TargetOriginId": "group", "Compress": True},
    policies={POLICY: CACHED_BRIEFLY},
    settings={
        "Origins": {"Quantity": 2, "Items": [SLOW, SLOW | {"Id": "second"}]},
        "OriginGroups": {"Quantity": 1, "Items": [GROUP]},
        "CustomErrorResponses": PAGES,
    },
)
TENANTS = Distribution(
    "d444abc.cloudfront.net",
    tenants=(
        Tenant("dt_1", ("a.example",), "d777abc.cloudfront.net"),
        Tenant("dt_2", ("b.example",), "d777abc.cloudfront.net"),
    ),
)
OFF = Distribution("d222abc.cloudfront.net", enabled=False)


def test_simulation_has_the_settings_of_the_account() -> None:
    given = simulation_of([SHOP, TENANTS, OFF])
    config = read_config({"pops": ["SYD1-C1"], **given})
    assert [(each.domain, each.aliases) for each in config.distributions] == [
        (SHOP.domain, ("www.example.com",)),
        ("d777abc.cloudfront.net", ("a.example", "b.example")),
    ]
    behaviour = read_behaviour(SHOP.config()["DefaultCacheBehavior"], SHOP.config(), config.cache_policies, Ttl(), {})
    assert (behaviour.ttl.minimum, behaviour.ttl.default, behaviour.ttl.maximum) == (5, 60, 600)
    assert (behaviour.origin.attempts, behaviour.origin.response_timeout) == (2, 45)
    assert behaviour.origin.failover_on == frozenset({504})
    assert behaviour.pages == {404: ("/", 200)}
    assert behaviour.ttl.of_error(404) == 300


def test_api_returns_the_documents_of_the_simulation() -> None:
    """Origin groups and custom error responses too, which moto does not keep."""
    given = simulation_of([SHOP])
    middleware = CloudFrontMiddleware(None)
    extras = CloudFrontExtras(list, policies=policies_of([SHOP]), configs={"E1": SHOP.config()})
    middleware.extras = {DEFAULT_ACCOUNT_ID: extras}
    assert (
        _call(middleware, "/distribution/E1/config", "GetDistributionConfig")["DistributionConfig"]
        == (given["distributions"][0]["config"])
    )
    policy = _call(middleware, f"/cache-policy/{POLICY}", "GetCachePolicy")["CachePolicy"]
    assert policy["CachePolicyConfig"] == given["cache_policies"][POLICY] == CACHED_BRIEFLY


def _call(middleware: CloudFrontMiddleware, path: str, operation: str) -> dict[str, Any]:
    """Return the answer to a GET as boto3 parses it."""
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": f"/2020-05-31{path}"}
    body = b"".join(middleware(environ, lambda *_: None))
    shape = _model().operation_model(operation).output_shape
    assert shape is not None
    response = {"body": body, "headers": {}, "status_code": 200}
    parsed: dict[str, Any] = botocore.parsers.create_parser("rest-xml").parse(response, shape)
    return parsed
