"""Invalidations: the path of a URL, what cannot be invalidated, patterns, and lists too long for the run's time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.errors import InvalidRequest
from prewarm.planning.plan import Group
from prewarm.request.invalidation_patterns import LONGEST_PATH, covers, pattern_problem
from prewarm.request.url_parser import parse_url
from resolve.distributions.finder import FoundDistributions
from resolve.distributions.model import Distribution
from resolve.invalidation import (
    check_patterns_allowed,
    check_rounds,
    covering_pattern,
    figures,
)
from resolve.invalidation_paths import invalidation_path
from resolve.invalidation_rounds import Round, rounds_of
from tests.support.planning import matched, planned, rejected

SITE = "https://www.example.com"


def test_path_over_the_length_limit_is_rejected() -> None:
    long = f"{SITE}/" + "a" * LONGEST_PATH
    assert "has a path of 4,001 characters; CloudFront invalidates 4,000" in rejected(
        url_list=[long], invalidate=True
    )
    matched(url_list=[long[:-1]], invalidate=True)


@pytest.mark.parametrize("invalidate", [True, ["/*"]])
def test_distribution_known_only_by_dns_is_rejected(invalidate: object) -> None:
    foreign = FoundDistributions({"www.example.com": Distribution("", "d999.cloudfront.net", ())}, {})
    assert rejected(foreign, invalidate=invalidate) == (
        "invalidate: d999.cloudfront.net is not a distribution of this account, so it cannot be invalidated"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://www.example.com/a*",
        "https://www.example.com/b*c",
        "https://www.example.com/?q=a*b",
        "https://www.example.com/?*",
        "https://*.example.com/",
    ],
)
def test_url_with_a_wildcard_is_rejected(url: str) -> None:
    with pytest.raises(InvalidRequest, match="patterns can be invalidated but not warmed"):
        matched(url_list=[url])


@pytest.mark.parametrize(
    ("tail", "tilde", "pattern"),
    [
        ("/assets/vendors~main.4f2a.js", "~", "/assets/vendors*"),
        ("/~anna/", "~", "/*"),
        ("/assets/vendors%7Emain.4f2a.js", "%7E", "/assets/vendors*"),
        ("/assets/vendors%7emain.4f2a.js", "%7e", "/assets/vendors*"),
        ("/search?q=a~b", "~", "/search?q=a*"),
    ],
)
def test_url_with_a_tilde_is_rejected_with_the_reason_and_a_pattern(tail: str, tilde: str, pattern: str) -> None:
    """CloudFront rejects ~ (aws-sdk-js issue 4234) and invalidates nothing for %7E: none is left out or encoded."""
    sentence = rejected(url_list=[f"{SITE}/fine.js", f"{SITE}{tail}"], invalidate=True)
    assert sentence == (
        f"invalidate: '{SITE}{tail}' contains {tilde}, and CloudFront does not invalidate a path with ~, encoded or "
        f'not; leave the URL out, or use "invalidate": ["{pattern}"], which AllowInvalidationPatterns must allow'
    )
    assert pattern_problem(pattern) == ""
    assert covers(pattern, tail)
    matched(url_list=[f"{SITE}{tail}"])
    matched(url_list=[f"{SITE}{tail}"], invalidate=[pattern])


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://www.example.com", "/"),
        ("https://www.example.com/a/b", "/a/b"),
        ("https://www.example.com/a?b=c/d", "/a?b=c/d"),
        ("https://www.example.com/?", "/?"),
        ("https://www.example.com//a", "//a"),
        ("https://www.example.com/ä", "/%C3%A4"),
        ("https://www.example.com/a|b?x[]={y}^\\", "/a%7Cb?x%5B%5D=%7By%7D%5E%5C"),
    ],
)
def test_invalidation_path_is_path_and_query_with_unsafe_characters_encoded(url: str, path: str) -> None:
    assert invalidation_path(parse_url(url)) == path


# ---- patterns ----


def test_patterns_are_rejected_unless_the_stack_allows_them() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_patterns_allowed(["/assets/*"], allowed=False)
    assert str(caught.value) == (
        "invalidate: path patterns such as /assets/* remove more than is warmed, and this stack does not allow that; "
        "deploy it with AllowInvalidationPatterns=true, or set invalidate to true for the URLs' own paths"
    )
    check_patterns_allowed(["/assets/*"], allowed=True)
    check_patterns_allowed([], allowed=False)


def test_patterns_are_one_round_of_each_distribution() -> None:
    run = planned(url_list=[f"{SITE}/{n}" for n in range(5_000)], invalidate=["/assets/*", "/index.html"])
    ((batch,),) = run.rounds
    assert (batch.paths, batch.reference) == (["/assets/*", "/index.html"], "run-E1-0")
    assert (run.plan.invalidate, run.plan.invalidation_paths, run.plan.invalidation_rounds) == (True, 2, 1)


def test_urls_that_no_pattern_covers_are_warned_of() -> None:
    urls = [f"{SITE}/assets/a.js", f"{SITE}/index.html", f"{SITE}/Assets/b.js"]
    (warning,) = planned(url_list=urls, invalidate=["/assets/*"]).plan.warnings
    assert warning == (
        "not invalidated: 2 of 3 URLs match no pattern of invalidate, such as https://www.example.com/index.html"
    )
    assert planned(url_list=urls, invalidate=["/*"]).plan.warnings == ()
    assert planned(url_list=urls, invalidate=True).plan.warnings == ()


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("/*", "/a?b", True),
        ("/a*", "/a", True),
        ("/a*", "/A", False),
        ("/a", "/a", True),
        ("/a", "/a?b", False),
        ("/a/*", "/a", False),
    ],
)
def test_pattern_covers_paths_with_its_start(pattern: str, path: str, covered: bool) -> None:
    assert covers(pattern, path) is covered


# ---- lists that are too long ----


def rounds(paths: list[str]) -> list[Round]:
    return rounds_of("run", [Group("d1.cloudfront.net", "E1", 0, len(paths), (), 0)], [paths])


def test_list_that_cannot_be_invalidated_in_time_is_rejected_with_figures_and_the_pattern() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_rounds(rounds([f"/shop/item/{n}" for n in range(1_000_000)]), 300)
    assert str(caught.value) == (
        "invalidate: 1,000,000 paths take 334 rounds of 3,000 paths per distribution, so 334 minutes or more "
        "(timeout_minutes is 300), and cost $5,000.00; raise timeout_minutes (300) to 334 or more, or use "
        '"invalidate": ["/shop/item/*"], which costs $0.005 per distribution and which AllowInvalidationPatterns '
        "must allow"
    )
    check_rounds(rounds([f"/shop/item/{n}" for n in range(1_000_000)]), 334)


def test_rejection_of_a_list_that_fits_no_run_names_the_pattern_only() -> None:
    with pytest.raises(InvalidRequest, match=r"1,400 minutes or more.*; use \"invalidate\": \[\"/\*\"\]"):
        check_rounds(rounds(["/a", "/b"])[:1] * 1_400, 1_380)


def test_one_round_is_accepted_in_any_time() -> None:
    check_rounds(rounds([f"/{n}" for n in range(3_000)]), 1)
    with pytest.raises(InvalidRequest, match="3,001 paths take 2 rounds"):
        check_rounds(rounds([f"/{n}" for n in range(3_001)]), 1)
    check_rounds([], 1)


@pytest.mark.parametrize(
    ("paths", "pattern"),
    [
        (["/a"], "/*"),
        (["/a/b", "/a/c"], "/a/*"),
        (["/a/bc", "/a/bd"], "/a/*"),
        (["/a/b", "/b/a"], "/*"),
        (["/a?x=/1", "/a?x=/2"], "/*"),
        (["/a/x~1/b", "/a/x~1/c"], "/a/*"),
    ],
)
def test_covering_pattern_is_the_narrowest_folder(paths: list[str], pattern: str) -> None:
    assert covering_pattern(paths) == pattern


@given(st.lists(st.text("ab/?~%7Ez", max_size=8).map("/{}".format), min_size=1, max_size=5))
def test_covering_pattern_covers_every_path_and_is_accepted(paths: list[str]) -> None:
    pattern = covering_pattern(paths)
    assert all(covers(pattern, path) for path in paths)
    assert "~" not in pattern
    assert pattern.endswith("/*")


def test_figures_are_paths_rounds_dollars_minutes_and_patterns() -> None:
    assert figures(rounds([f"/{n}" for n in range(3_001)])) == {
        "paths": 3_001, "rounds": 2, "dollars": 15.005, "minutes": 2, "patterns": []
    }  # fmt: skip
    assert figures(rounds(["/*"]), ["/*"])["patterns"] == ["/*"]


def test_planning_rejects_a_list_that_does_not_fit_the_runs_time() -> None:
    urls = [f"{SITE}/{n}" for n in range(6_001)]
    with pytest.raises(InvalidRequest, match="6,001 paths take 3 rounds"):
        planned(url_list=urls, invalidate=True, timeout_minutes=2)
    assert planned(url_list=urls, invalidate=True, timeout_minutes=3).plan.invalidation_rounds == 3
    assert planned(url_list=urls, invalidate=["/*"], timeout_minutes=2).plan.invalidation_paths == 1


def test_every_url_with_a_tilde_is_named() -> None:
    listed = ["/assets/vendors~main.4f2a.js", "/~anna/", "/assets/vendors%7Emain.4f2a.js"]
    assert rejected(url_list=[SITE + tail for tail in listed], invalidate=True).count("contains") == len(listed)
