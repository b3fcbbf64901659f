"""The paths that invalidate a URL's copies, by the query strings in its cache key."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st

from prewarm.request.url_parser import parse_url
from resolve.distributions.cache_behaviours import Behaviour, behaviours
from resolve.distributions.forwarding import Policies, Unread
from resolve.invalidation_paths import cached_paths, uncovered
from tests.support.builders import parsed
from tests.support.cache_policies import OPTIMIZED, policy
from tests.support.planning import planned

SITE = "https://www.example.com"
URL = f"{SITE}/x?v=2&lang=de"
LANG = {"Quantity": 1, "Items": ["lang"]}


def in_order(kind: str = "none", *names: str, origin_policy: Any = None) -> list[Behaviour]:
    """Return the behaviours of a distribution whose cache key has these query strings."""
    queries = {"QueryStringBehavior": kind, "QueryStrings": {"Quantity": len(names), "Items": list(names)}}
    default = {"CachePolicyId": "P"} | ({"OriginRequestPolicyId": "O"} if origin_policy else {})
    others = Policies({"O": origin_policy}) if origin_policy else Policies()
    return behaviours({"DefaultCacheBehavior": default}, {"P": policy(QueryStringsConfig=queries)}, others)


def forwarding_queries(kind: str) -> dict[str, Any]:
    return {"Name": "O", "QueryStringsConfig": {"QueryStringBehavior": kind}}


@pytest.mark.parametrize(
    ("behaviour", "paths"),
    [
        (in_order("all"), ("/x?v=2&lang=de",)),
        (in_order("none"), ("/x",)),
        (in_order("none", origin_policy=forwarding_queries("none")), ("/x",)),
        (in_order("none", origin_policy=forwarding_queries("all")), ("/x?v=2&lang=de", "/x")),
        (in_order("none", origin_policy=Unread("AccessDenied")), ("/x?v=2&lang=de", "/x")),
        (in_order("whitelist", "lang"), ("/x?v=2&lang=de", "/x?lang=de")),
        (in_order("whitelist", "other"), ("/x?v=2&lang=de", "/x")),
        (in_order("whitelist", "lang", "v"), ("/x?v=2&lang=de",)),
        (in_order("allExcept", "lang"), ("/x?v=2&lang=de", "/x?v=2")),
        (behaviours({"DefaultCacheBehavior": {"CachePolicyId": "unread"}}, {}), ("/x?v=2&lang=de", "/x")),
        (behaviours({"DefaultCacheBehavior": {"ForwardedValues": {"QueryString": False}}}, {}), ("/x",)),
        (
            behaviours(
                {"DefaultCacheBehavior": {"ForwardedValues": {"QueryString": True, "QueryStringCacheKeys": LANG}}}, {}
            ),
            ("/x?v=2&lang=de", "/x?lang=de"),
        ),
    ],
)
def test_paths_are_those_of_the_cache_key(behaviour: list[Behaviour], paths: tuple[str, ...]) -> None:
    assert cached_paths(parse_url(URL), behaviour[0]) == paths


def test_both_forms_are_invalidated_without_settings() -> None:
    assert cached_paths(parse_url(URL)) == ("/x?v=2&lang=de", "/x")
    assert cached_paths(parse_url(f"{SITE}/x?")) == ("/x?", "/x")
    assert cached_paths(parse_url(f"{SITE}/x")) == ("/x",)


@given(
    st.sampled_from(["none", "all", "whitelist", "allExcept"]),
    st.lists(st.sampled_from("abc"), max_size=3),
    st.lists(st.sampled_from("abc"), unique=True),
)
@bounded(max_examples=60, deadline=None)
def test_path_that_the_cache_key_has_is_always_invalidated(kind: str, sent: list[str], names: list[str]) -> None:
    """The key by its definition in the API Reference (QueryStringsConfig), as a set of parameters."""
    query = "&".join(f"{name}=1" for name in sent)
    in_key = {"none": set(), "all": set("abc"), "whitelist": set(names), "allExcept": set("abc") - set(names)}[kind]
    kept = "&".join(f"{name}=1" for name in sent if name in in_key)
    url = parse_url(f"{SITE}/x?{query}" if query else f"{SITE}/x")
    assert (f"/x?{kept}" if kept else "/x") in cached_paths(url, in_order(kind, *names)[0])


def test_run_invalidates_each_path_once_and_counts_them() -> None:
    urls = [f"{SITE}/x?v={number}" for number in range(4)]
    run = planned(url_list=urls, invalidate=True, in_order=in_order("none"))
    ((batch,),) = run.rounds
    assert (batch.paths, run.plan.invalidation_paths) == (["/x"], 1)
    both = planned(url_list=urls, invalidate=True)
    assert both.plan.invalidation_paths == 5
    assert planned(url_list=urls, invalidate=True, in_order=in_order("all")).plan.invalidation_paths == 4


def test_each_url_has_the_paths_of_its_own_behaviour() -> None:
    config = {
        "CacheBehaviors": {"Quantity": 1, "Items": [{"PathPattern": "/api/*", "CachePolicyId": "ALL"}]},
        "DefaultCacheBehavior": {"CachePolicyId": "NONE"},
    }
    policies = {"ALL": OPTIMIZED, "NONE": policy(QueryStringsConfig={"QueryStringBehavior": "none"})}
    run = planned(url_list=[f"{SITE}/api/a?v=1", f"{SITE}/b?v=1"], invalidate=True,
                  in_order=behaviours(config, policies))  # fmt: skip
    assert run.rounds[0][0].paths == ["/api/a?v=1", "/b"]


def test_pattern_has_to_cover_the_path_that_the_cache_has() -> None:
    urls = parsed(f"{SITE}/x?v=2", f"{SITE}/y?v=2")
    assert uncovered(urls, in_order("none"), ["/x?*", "/y*"]) == [0]
    assert uncovered(urls, in_order("all"), ["/x?*", "/y*"]) == []
    assert uncovered(urls, in_order("none"), []) == []
    run = planned(url_list=[f"{SITE}/x?v=2"], invalidate=["/x?*"], in_order=in_order("none"))
    assert [each.startswith("not invalidated: 1 of 1 URLs match no pattern") for each in run.plan.warnings] == [True]
