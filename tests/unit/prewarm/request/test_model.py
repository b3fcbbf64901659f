"""Valid requests: defaults, limits, one spelling of each value, and the form that is stored."""

import json
import re
from typing import Any

import pytest

from prewarm.errors import InvalidRequest
from prewarm.request.bounds import NUMBERS
from prewarm.request.model import PrewarmRequest
from prewarm.request.url_sources import ManifestSource, SitemapSource
from prewarm.request.validation import check_request, stored_request

URL = "https://www.example.com/a"
GOOD: dict[str, Any] = {"url_list": [URL], "region_type": "region", "region": ["apac"]}


@pytest.mark.parametrize(
    ("given", "invalidate", "patterns"),
    [(True, True, []), (False, False, []), ("/*", ["/*"], ["/*"]), (["/a/*", "/b?c=d"], ["/a/*", "/b?c=d"], None)],
)
def test_invalidate_is_a_flag_or_path_patterns(given: object, invalidate: object, patterns: list[str] | None) -> None:
    checked = check_request(GOOD | {"invalidate": given})
    assert checked.fields.invalidate == invalidate
    assert checked.fields.invalidation_patterns == (invalidate if patterns is None else patterns)
    assert check_request(checked.as_json()).fields == checked.fields


@pytest.mark.parametrize("pattern", ["/a", "a/*", "*.jpg", "*://x", "/a?b=https://x/", "v1.2/a", "*", "?", "//a"])
def test_pattern_that_a_path_can_match_is_accepted(pattern: str) -> None:
    assert check_request(GOOD | {"sitemap": {"url": URL, "exclude": pattern}}).fields.sitemap


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["br, gzip", "br,gzip", "BR , GZIP", "gzip"], ["br, gzip", "gzip"]),
        (
            ["gzip, deflate, br, zstd", "*", "identity;q=1, *;q=0"],
            ["gzip, deflate, br, zstd", "*", "identity;q=1, *;q=0"],
        ),
        (["gzip;q=0.5", "gzip ; q=0.5", "x-gzip"], ["gzip;q=0.5", "x-gzip"]),
    ],
)
def test_variant_is_kept_in_one_spelling(given: list[str], kept: list[str]) -> None:
    assert check_request(GOOD | {"accept_encodings": given}).fields.accept_encodings == kept


def test_limits_of_numbers_are_those_of_the_fields_that_take_one() -> None:
    schemas = [model.model_json_schema() for model in (PrewarmRequest, SitemapSource, ManifestSource)]
    fields = {name: json.dumps(part) for schema in schemas for name, part in schema["properties"].items()}
    assert {name for name, part in fields.items() if re.search(r'"type": "(integer|number)"', part)} == NUMBERS


def test_minimal_request_has_the_documented_defaults() -> None:
    fields = check_request(GOOD).fields
    assert fields.accept_encodings is None
    assert (fields.verify, fields.fail_on, fields.staged, fields.invalidate) == ("sample", "any", False, False)
    assert (fields.timeout_minutes, fields.max_concurrency, fields.max_bytes) == (300, 5, None)


@pytest.mark.parametrize(
    ("region_type", "region", "kind", "percent"),
    [
        ("pop", ["ATL56-C1"], "pop", 100),
        ("country", ["jp"], "country", 95),
        ("region", ["eu"], "region", 95),
        ("region", "eu", "region", 95),
        ("country", " All", "region", 95),
    ],
)
def test_percent_needed_depends_on_the_selection(region_type: str, region: object, kind: str, percent: float) -> None:
    fields = check_request(GOOD | {"region_type": region_type, "region": region}).fields
    assert (fields.kind, fields.percent_needed) == (kind, percent)
    explicit = check_request(GOOD | {"region_type": region_type, "region": region, "min_warm_percent": 50}).fields
    assert explicit.percent_needed == 50


def test_cf_domain_is_normalised() -> None:
    assert check_request(GOOD | {"cf_domain": " D111.CloudFront.net "}).fields.cf_domain == "d111.cloudfront.net"


def test_stored_request_is_the_same_after_validation() -> None:
    everything = GOOD | {
        "url_list": ["https://WWW.example.com", URL, "https://www.example.com/", "https://www.example.com/a#b"],
        "cf_domain": "d111.cloudfront.net",
        "accept_encodings": ["gzip", "identity"],
        "headers": {"Cookie": "a=1"},
        "user_agent": "me",
        "invalidate": True,
        "verify": "all",
        "timeout_minutes": 7,
        "max_concurrency": 3,
        "staged": True,
        "fail_on": "none",
        "min_warm_percent": 99.5,
        "max_bytes": 10,
    }
    first = check_request(everything)
    again = stored_request(first.as_json())
    assert [url.given for url in first.urls] == ["https://WWW.example.com", URL]
    assert first.duplicates == 2
    assert (again.urls, again.pops, again.duplicates) == (first.urls, first.pops, first.duplicates)
    assert again.as_json() == first.as_json()


def test_two_spellings_of_one_key_are_one_url_the_first_and_are_counted() -> None:
    spellings = [
        "https://www.example.com/^a?'",
        "https://www.example.com/%5Ea?%27",
        "https://WWW.example.com/^a?%27#x",
    ]
    other_keys = ["https://www.example.com/%5ea?%27", "https://www.example.com/%5Ea?%27&"]
    checked = check_request(GOOD | {"url_list": spellings + other_keys})
    assert [url.given for url in checked.urls] == [spellings[0], *other_keys]
    assert checked.urls[0].fetch == spellings[1]
    assert (checked.duplicates, checked.as_json()["duplicates"]) == (2, 2)


def test_callers_cannot_set_the_count_of_duplicates() -> None:
    with pytest.raises(InvalidRequest, match="duplicates: unknown field"):
        check_request(GOOD | {"duplicates": 3})


def test_request_without_duplicates_is_stored_as_before() -> None:
    assert "duplicates" not in check_request(GOOD).as_json()
