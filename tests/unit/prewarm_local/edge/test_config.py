"""The configuration of the simulated CloudFront: invalid values are rejected."""

from typing import Any

import pytest

from prewarm_local.edge.config import ConfigError, read_config
from tests.support.edge_client import CONFIG, TOKYO


def test_addresses_follow_the_order_of_the_pops() -> None:
    config = read_config({**CONFIG, "pops": ["SYD1-C1", "SYD62-P1"], "areas": {}, **WITHOUT_FAULTS})
    assert config.addresses() == {
        "SYD1-C1": ["127.64.0.1", "127.64.0.2"],
        "SYD62-P1": ["127.64.0.3", "127.64.0.4"],
    }
    assert config.area("SYD1-C1") == "default"


WITHOUT_FAULTS: dict[str, Any] = {"dark": [], "impostors": {}, "tls_faults": {}, "http1_only": []}


@pytest.mark.parametrize(
    ("invalid", "message"),
    [
        ({"colour": "red"}, "unknown field colour"),
        ({"dark": ["ZZZ1-C1"]}, "dark: not among pops"),
        ({"addresses_per_pop": 9}, "addresses_per_pop"),
        ({"more_addresses": {TOKYO: 9}}, "addresses_per_pop"),
        ({"more_addresses": {"ZZZ1-C1": 2}}, "more_addresses: not among pops"),
        ({"distributions": []}, "distributions"),
        ({"objects": {"/x": {"status": 99}}}, "status"),
        ({"tls_faults": {TOKYO: "odd"}}, "tls_faults"),
    ],
)
def test_invalid_value_is_rejected_with_its_field(invalid: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_config({**CONFIG, **invalid})
