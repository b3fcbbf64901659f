"""The strictest settings of the simulation: each switch has one, and a test names the reason for another."""

from dataclasses import fields
from typing import Any

import pytest

from prewarm_local.edge.config import EdgeConfig, read_config
from prewarm_local.edge.strict import POLICY_ID, SWITCHES, strict
from tests.support.edge_client import DOMAIN, HOST
from tests.support.strict_edge import strict_cloudfront

PLAIN: dict[str, Any] = {"distributions": [{"domain": DOMAIN, "aliases": [HOST]}], "pops": ["SYD1-C1"]}
# What a test sets up, rather than how CloudFront behaves.
SCENE = {
    "distributions", "pops", "areas", "addresses_per_pop", "more_addresses", "dark", "impostors", "tls_faults",
    "http1_only",
    "objects", "default_object", "default_ttl", "error_ttl", "origin_ttfb_ms", "origin_timeout", "edge_latency_ms",
    "https_port", "http_port", "dns_port", "client_subnets", "pop_names", "cache_policies", "regional_bypass",
    "origin_shield", "ca_bundle", "origin_request_policies",
}  # fmt: skip


def test_each_field_is_a_switch_or_part_of_the_scene() -> None:
    assert {field.name for field in fields(EdgeConfig)} == SCENE | set(SWITCHES)
    assert not SCENE & set(SWITCHES)


def test_strict_configuration_is_valid_and_has_each_strict_setting() -> None:
    config = read_config(strict(PLAIN))
    assert {name: getattr(config, name) for name in SWITCHES} == SWITCHES
    (distribution,) = config.distributions
    assert not distribution.server_timing
    assert distribution.config is not None
    assert distribution.config["DefaultCacheBehavior"]["Compress"]


def test_time_outs_of_the_scene_are_those_of_the_distribution() -> None:
    config = strict(PLAIN | {"origin_timeout": 7, "origin_attempts": 2, "default_ttl": 60})
    (origin,) = config["distributions"][0]["config"]["Origins"]["Items"]
    assert (origin["CustomOriginConfig"]["OriginReadTimeout"], origin["ConnectionAttempts"]) == (7, 2)
    assert config["cache_policies"][POLICY_ID]["DefaultTTL"] == 60


def test_given_distribution_config_stays() -> None:
    given: dict[str, Any] = {"domain": DOMAIN, "server_timing": True, "config": {"DefaultCacheBehavior": {}}}
    (distribution,) = strict(PLAIN | {"distributions": [given]})["distributions"]
    assert distribution == given


@pytest.mark.parametrize(
    ("more", "lenient", "because", "message"),
    [
        ({"waf_x_cache": "Error"}, {}, "", "switches go into lenient="),
        ({}, {"pops": []}, "why", "pops is not a switch"),
        ({}, {"waf_x_cache": "Error"}, "", "give both, or none"),
        ({}, {}, "why", "give both, or none"),
    ],
)
def test_lenient_setting_needs_a_reason(
    more: dict[str, Any], lenient: dict[str, Any], because: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        strict_cloudfront(PLAIN | more, lenient=lenient, because=because)
