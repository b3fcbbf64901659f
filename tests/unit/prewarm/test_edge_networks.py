"""AWS's list of networks is used only if what it says of CloudFront is plausible."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.edge_networks import MOST_NETWORKS, Published, read_published, read_stored, shipped

CREATED = "2030-01-02-03-04-05"


def aws_list(more: list[str] | None = None, before: Published | None = None) -> dict[str, Any]:
    """A list as AWS publishes it, with the shipped networks and others."""
    texts = [str(network) for network in (before or shipped()).networks] + (more or [])
    other = {"ip_prefix": "3.0.0.0/9", "region": "us-east-1", "service": "EC2", "network_border_group": "x"}
    four = [{"ip_prefix": text, "service": "CLOUDFRONT"} for text in texts if ":" not in text]
    six = [{"ipv6_prefix": text, "service": "CLOUDFRONT"} for text in texts if ":" in text]
    return {"syncToken": "1", "createDate": CREATED, "prefixes": [other, *four], "ipv6_prefixes": six}


def test_published_list_gives_cloudfronts_networks_only() -> None:
    published = read_published(aws_list(["52.222.128.0/17"]))
    assert published.created == CREATED
    texts = set(map(str, published.networks))
    assert not any(text.startswith("3.0.") for text in texts)
    assert read_published(aws_list()).networks == shipped().networks
    assert read_stored(published.as_json()) == published


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        ("0.0.0.0/0", "larger than a /10"),
        ("128.0.0.0/1", "larger than a /10"),
        ("::/0", "larger than a /24"),
        ("10.0.0.0/16", "not public"),
        ("172.20.0.0/16", "not public"),
        ("192.168.1.0/24", "not public"),
        ("127.0.0.0/24", "not public"),
        ("169.254.169.254/32", "not public"),
        ("100.64.0.0/10", "not public"),
        ("224.0.0.0/24", "not public"),
        ("fd00::/32", "not public"),
        ("fe80::/64", "not public"),
        ("::1/128", "not public"),
        ("::ffff:10.0.0.0/112", "not public"),
        ("2002:0a00::/32", "not public"),
        ("52.222.128.1/17", "not a network"),
        ("x", "not a network"),
        ("", "not a network"),
    ],
)
def test_network_that_cannot_be_cloudfronts_refuses_the_whole_list(network: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_published(aws_list([network]))
    stored = shipped().as_json() | {"ipv6" if ":" in network else "ipv4": [network]}
    with pytest.raises(ValueError, match=problem):
        read_stored(stored)


def test_list_with_few_of_the_shipped_networks_is_refused() -> None:
    few = Published(CREATED, shipped().networks[:3])
    with pytest.raises(ValueError, match=r"lists only .* of the networks that ship"):
        read_published(aws_list(before=few))
    with pytest.raises(ValueError, match="lists only 0%"):
        read_published({"createDate": CREATED, "prefixes": [], "ipv6_prefixes": []})


def test_list_with_far_more_addresses_than_ship_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 4 times"):
        read_published(aws_list([f"{first}.0.0.0/10" for first in (11, 12, 13, 14)]))


def test_list_of_too_many_networks_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 2,000"):
        read_published(aws_list(["52.222.128.0/17"] * MOST_NETWORKS))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        {},
        {"createDate": CREATED},
        aws_list() | {"prefixes": {}},
        aws_list() | {"prefixes": ["52.222.128.0/17"]},
        aws_list() | {"prefixes": [{"service": "CLOUDFRONT"}]},
        aws_list() | {"prefixes": [{"service": "CLOUDFRONT", "ip_prefix": 3}]},
        aws_list() | {"createDate": "yesterday"},
        {name: value for name, value in aws_list().items() if name != "ipv6_prefixes"},
    ],
)
def test_list_of_another_shape_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"is not a JSON object|has |lists "):
        read_published(document)


@given(st.dictionaries(st.sampled_from(["createDate", "ipv4", "ipv6"]), st.none() | st.text() | st.lists(st.text())))
def test_any_stored_document_is_read_or_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read_stored(document)
