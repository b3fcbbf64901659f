"""Settings: defaults, parsing, and an error message for each invalid value."""

import ipaddress

import pytest

from prewarm.errors import BrokenSetting
from prewarm.settings import Nameserver, Settings

NEEDED = {"PREWARM_BUCKET": "bucket", "PREWARM_TABLE": "table"}


def read(**more: str) -> Settings:
    return Settings.from_environment(NEEDED | {f"PREWARM_{name}": value for name, value in more.items()})


def test_defaults_are_those_of_cloudfront() -> None:
    settings = read()
    assert (settings.https_port, settings.http_port) == (443, 80)
    assert (settings.nameservers, settings.edge_networks, settings.ca_bundle) == ((), None, None)
    assert (settings.retention_days, settings.connect_timeout_ms, settings.error_cache_seconds) == (30, 5000, 10)


@pytest.mark.parametrize("name", ["PREWARM_BUCKET", "PREWARM_TABLE"])
@pytest.mark.parametrize("value", [None, ""])
def test_missing_setting_is_named(name: str, value: str | None) -> None:
    environment = {key: text for key, text in (NEEDED | {name: value}).items() if text is not None}
    with pytest.raises(BrokenSetting, match=f"^{name} is not set$"):
        Settings.from_environment(environment)


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("127.0.0.1:5353", [("127.0.0.1", 5353)]),
        ("192.0.2.1, 192.0.2.2:54", [("192.0.2.1", 53), ("192.0.2.2", 54)]),
        ("::1", [("::1", 53)]),
        ("[::1]", [("::1", 53)]),
        ("[2001:db8::1]:5353", [("2001:db8::1", 5353)]),
        (" , ", []),
    ],
)
def test_nameservers_are_addresses_with_an_optional_port(text: str, servers: list[tuple[str, int]]) -> None:
    assert read(NAMESERVERS=text).nameservers == tuple(Nameserver(*each) for each in servers)


@pytest.mark.parametrize(
    "text", ["dns.example", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:", "127.0.0.1:²", "[::1]x"]
)
def test_invalid_nameserver_names_the_setting(text: str) -> None:
    with pytest.raises(BrokenSetting, match="PREWARM_NAMESERVERS"):
        read(NAMESERVERS=text)


def test_networks_of_both_families_are_parsed() -> None:
    expected = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("2001:db8::/32"))
    assert read(EDGE_NETWORKS="127.0.0.0/8, 2001:db8::/32").edge_networks == expected


@pytest.mark.parametrize("text", ["127.0.0.1/8", "everything", "10.0.0.0/33"])
def test_invalid_network_names_the_setting(text: str) -> None:
    with pytest.raises(BrokenSetting, match="PREWARM_EDGE_NETWORKS"):
        read(EDGE_NETWORKS=text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HTTPS_PORT", "0"),
        ("HTTPS_PORT", "65536"),
        ("HTTP_PORT", "-1"),
        ("HTTP_PORT", "80.0"),
        ("RETENTION_DAYS", "forever"),
        ("CONNECT_TIMEOUT_MS", "49"),
        ("STALL_SECONDS", "\uff11\uff10"),
        ("ERROR_CACHE_SECONDS", " 10"),
    ],
)
def test_invalid_number_names_setting_and_limits(name: str, text: str) -> None:
    with pytest.raises(BrokenSetting, match=rf"PREWARM_{name} must be a whole number from \d+ to \d+, got "):
        read(**{name: text})


def test_error_cache_can_be_disabled() -> None:
    assert read(ERROR_CACHE_SECONDS="0").error_cache_seconds == 0


def test_port_of_edge_nameservers_is_53_unless_it_is_set() -> None:
    required = {"PREWARM_BUCKET": "b", "PREWARM_TABLE": "t"}
    assert Settings.from_environment(required).edge_nameserver_port == 53
    assert Settings.from_environment(required | {"PREWARM_EDGE_NAMESERVER_PORT": "5353"}).edge_nameserver_port == 5353
    with pytest.raises(BrokenSetting, match="PREWARM_EDGE_NAMESERVER_PORT"):
        Settings.from_environment(required | {"PREWARM_EDGE_NAMESERVER_PORT": "0"})
