"""Invalid fields of a request: a problem with field and fix for each, all in one response."""

from typing import Any

import pytest

from prewarm.errors import InvalidRequest
from prewarm.request.headers import RESERVED_HEADERS
from prewarm.request.validation import check_request

URL = "https://www.example.com/a"
GOOD: dict[str, Any] = {"url_list": [URL], "region_type": "region", "region": ["apac"]}


def problems(change: dict[str, Any], without: str = "", *, direct: bool = False) -> list[str]:
    document = {name: value for name, value in (GOOD | change).items() if name != without}
    with pytest.raises(InvalidRequest) as caught:
        check_request(document, direct=direct)
    return [problem.sentence() for problem in caught.value.problems]


def only(change: dict[str, Any], without: str = "", *, direct: bool = False) -> str:
    (sentence,) = problems(change, without, direct=direct)
    return sentence


@pytest.mark.parametrize(
    ("field", "hint"),
    [("url_list", "https://www.example.com"), ("region_type", "pop, country or region"), ("region", "apac")],
)
def test_missing_field_is_named_with_valid_values(field: str, hint: str) -> None:
    sentence = only({}, without=field)
    assert sentence.startswith(f"{field}: is missing; ")
    assert hint in sentence


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url_list": URL}, ["url_list: ", "must be a list", 'such as ["https://']),
        ({"url_list": []}, ["url_list: ", "is empty", 'such as ["https://']),
        ({"url_list": [URL, 5]}, ["url_list[1]: ", "string"]),
        ({"url_list": [URL, ""]}, ["url_list[1]: '' is empty; "]),
        ({"region": []}, ["region: ", "is empty", '"all"']),
        ({"region": {"a": 1}}, ["region: ", "must be a list", '"all"']),
        ({"region": ["eu", 5]}, ["region[1]: ", "string"]),
        ({"region_type": "POP"}, ["region_type: must be pop, country or region, got 'POP'"]),
        ({"region_type": None}, ["region_type: must be pop, country or region, got null"]),
        ({"cf_domain": "https://d111.cloudfront.net"}, ["cf_domain: ", "such as d111abcdef8.cloudfront.net"]),
        ({"cf_domain": "d111.cloudfront.net.evil.example"}, ["cf_domain: ", "such as d111abcdef8.cloudfront.net"]),
        ({"timeout_minutes": 0}, ["timeout_minutes: must be at least 1, got 0; omit it for the default, 300"]),
        ({"timeout_minutes": 1381}, ["timeout_minutes: ", "must be at most 1380, got 1381"]),
        ({"timeout_minutes": "60"}, ["timeout_minutes: must be a whole number, got '60'"]),
        ({"timeout_minutes": True}, ["timeout_minutes: must be a whole number, got true"]),
        ({"max_concurrency": 0}, ["max_concurrency: ", "at least 1, got 0"]),
        ({"max_concurrency": 1001}, ["max_concurrency: ", "at most 1000"]),
        ({"min_warm_percent": 0}, ["min_warm_percent: ", "at least 0.01, got 0", "omit it for the default"]),
        ({"min_warm_percent": 1e-7}, ["min_warm_percent: ", "at least 0.01, got 1e-07", "omit it for the default"]),
        ({"min_warm_percent": 100.1}, ["min_warm_percent: ", "at most 100, got 100.1"]),
        ({"min_warm_percent": True}, ["min_warm_percent: ", "number"]),
        ({"min_warm_percent": float("nan")}, ["min_warm_percent: "]),
        ({"max_bytes": 0}, ["max_bytes: ", "at least 1, got 0; omit it for no limit"]),
        ({"verify": "some"}, ["verify: ", "'none', 'sample' or 'all'"]),
        ({"fail_on": "all"}, ["fail_on: ", "'any' or 'none'"]),
        ({"max_rps": 0}, ["max_rps: must be at least 0.1, got 0; omit it for no limit"]),
        ({"staged": "yes"}, ["staged: must be true or false, got 'yes'"]),
        ({"invalidate": 1}, ["invalidate: must be true or false, got 1; or use a list", '["/assets/*"]']),
        ({"invalidate": "all"}, ["invalidate: must be true or false, got 'all'; or use a list of path patterns"]),
        ({"invalidate": []}, ["invalidate: must be true or false, got a list with 0 entries; or use a list"]),
        ({"invalidate": [1]}, ["invalidate: must be true or false, got a list with 1 entry; or use a list"]),
        ({"staged": 1e300}, ["staged: must not be a number, got 1e+300"]),
        ({"sitemap": 10**30}, ["sitemap: must not be a number, got "]),
        (
            {"timeout_minutes": 1e300},
            ["timeout_minutes: must be a number of at most 9223372036854775807, got 1e+300"],
        ),
        ({"url_list_s3": 7}, ["url_list_s3: must be an S3 address such as s3://bucket/lists/urls.txt, or a list of"]),
        (
            {"sitemap": True},
            ["sitemap: must be a URL such as https://www.example.com/sitemap.xml, an object with url"],
        ),
        ({"manifest": 7}, ["manifest: must be a URL such as ", "an object with url, or a list of these, got 7"]),
        ({"accept_encodings": "gzip"}, ["accept_encodings: must be a list of Accept-Encoding values such as "]),
        ({"invalidate": ["/a", 1]}, ["invalidate: must be true or false, got a list with 2 entries"]),
        (
            {"invalidate": ["/a", "b/*"]},
            ["invalidate[1]: 'b/*' does not start with /; write a path such as /assets/*"],
        ),
        ({"invalidate": "/a~*"}, ["invalidate[0]: '/a~*' contains ~, which CloudFront does not invalidate"]),
        ({"invalidate": ["/%7e*"]}, ["invalidate[0]: ", "encoded or not; end the pattern before it"]),
        (
            {"invalidate": ["/*.js"]},
            ["invalidate[0]: '/*.js' has a * before its end, which CloudFront reads as a letter"],
        ),
        ({"invalidate": ["/a b"]}, ["invalidate[0]: '/a b' contains ' '; percent-encode it"]),
        ({"invalidate": ["/ä"]}, ["invalidate[0]: '/ä' contains 'ä'; percent-encode it"]),
        ({"invalidate": ["/a%zz"]}, ["invalidate[0]: ", "contains a % that does not start a percent-encoded byte"]),
        ({"invalidate": ["/" + "a" * 4_000]}, ["invalidate[0]: ", "4,001 characters; CloudFront accepts 4,000"]),
        (
            {"invalidate": [f"/{n}/*" for n in range(16)]},
            ["invalidate: has 16 patterns; CloudFront invalidates 15 at a time; combine them"],
        ),
        ({"accept_encodings": []}, ["accept_encodings: ", "is empty"]),
        ({"accept_encodings": ["gzip"] * 9}, ["accept_encodings: ", "at most 8 entries, got a list with 9 entries"]),
        *(
            ({"accept_encodings": ["gzip", text]}, ["accept_encodings[1]: must be an Accept-Encoding value such as "])
            for text in ("", " ", ",", "banana", "gzip;q=9", "gzip;q=1.001", "br, gzip,", "br gzip", "gzip;level=1")
        ),
        ({"headers": {"X-A": "a", "x-a": "b"}}, ["headers.x-a: is the same header as X-A; remove one"]),
        ({"user_agent": "  "}, ["user_agent: is blank; write a text, or omit it for the default"]),
        *(
            (
                {"sitemap": {"url": URL, name: pattern}},
                [f"sitemap[0].{name}[0]: {pattern!r} has a host", f"such as {path}"],
            )
            for name in ("include", "exclude")
            for pattern, path in (
                ("https://www.example.com/a", "/a"),
                ("HTTP://www.example.com", "/"),
                ("www.example.com/a/*", "/a/*"),
                ("s3://b/k", "/k"),
            )
        ),
        *(
            ({"sitemap": {"url": URL, "exclude": ["/b", pattern]}}, ["sitemap[0].exclude[1]: ", "has a space at its"])
            for pattern in (" /a", "/a ", "/a\n", " ")
        ),
        ({"accept_encodings": ["gzip", "a\nb"]}, ["accept_encodings[1]: ", "not allowed in a header value"]),
        ({"user_agent": ""}, ["user_agent: ", "is empty"]),
        ({"user_agent": "é"}, ["user_agent: ", "not allowed in a header value"]),
        ({"headers": []}, ["headers: ", "must be an object"]),
        ({"headers": {"X-A": 1}}, ["headers.X-A: ", "string"]),
        ({"headers": {"X A": "1"}}, ["headers.X A: is not a valid header name"]),
        ({"headers": {"": "1"}}, ["headers.: is not a valid header name"]),
        ({"headers": {"X-A": "1\r\nHost: evil.example"}}, ["headers.X-A: ", "not allowed in a header value"]),
        ({"headers": {"X-A": "\x7f"}}, ["headers.X-A: ", "not allowed in a header value"]),
        ({"regions": ["eu"]}, ["regions: unknown field; did you mean region"]),
        ({"accept_encoding": "br"}, ["accept_encoding: unknown field; did you mean accept_encodings"]),
        ({"qqq": 1}, ["qqq: unknown field"]),
        ({"target_type": "pop"}, ["target_type: is the old name of region_type; remove one of the two"]),
    ],
)
def test_a_bad_field_is_named_with_the_fix(change: dict[str, Any], words: list[str]) -> None:
    sentence = only(change)
    assert [word for word in words if word not in sentence] == [], sentence
    assert sentence.startswith(words[0])


def test_null_region_is_not_advised_to_be_omitted() -> None:
    assert only({"region": None}).startswith("region: must be a list of names")
    assert "omit" not in only({"region": None})


def test_problem_of_target_type_names_target_type() -> None:
    assert only({"target_type": "city"}, without="region_type").startswith("target_type: ")
    assert "must be pop, country or region, got 'city'" in only({"target_type": "city"}, without="region_type")


@pytest.mark.parametrize("name", sorted(RESERVED_HEADERS))
def test_headers_that_are_the_services_own_cannot_be_given_in_any_case(name: str) -> None:
    for spelling in (name, name.upper(), name.title()):
        assert "set by the service" in only({"headers": {spelling: "x"}})


@pytest.mark.parametrize(
    "name", ["Authorization", "COOKIE", "x-api-key", "X-Amz-Security-Token", "x-prewarm-secret", "X-Auth-Token"]
)
def test_secret_headers_are_rejected_in_direct_starts_only(name: str) -> None:
    headers = {"headers": {name: "secret-value"}}
    sentence = only(headers, direct=True)
    assert sentence.startswith(f"headers.{name}: contains a secret; ")
    assert "POST /prewarm" in sentence
    assert "secret-value" not in sentence
    assert check_request(GOOD | headers).fields.headers == {name: "secret-value"}


def test_problems_of_urls_names_and_headers_are_reported_together() -> None:
    sentences = problems({"url_list": ["x", URL, "http://[::1]/"], "region": ["apca"], "headers": {"Host": "x"}})
    assert [sentence.partition(":")[0] for sentence in sentences] == [
        "url_list[0]",
        "url_list[2]",
        "region[0]",
        "headers.Host",
    ]
    assert "did you mean apac" in sentences[2]


def test_several_invalid_fields_are_reported_together() -> None:
    assert len(problems({"verify": "x", "staged": "x", "typo": 1})) == 3


def test_refusal_redacts_signatures() -> None:
    sentence = only({"url_list": ["https://www.example.com:444/?Signature=s3cret"]})
    assert "s3cret" not in sentence
    assert "Signature=…" in sentence


@pytest.mark.parametrize(
    "change",
    [
        {"url_list": ["x" * 1_000_000]},
        {"region": ["x" * 1_000_000]},
        {"headers": {"x " * 500_000: "1"}},
        {"y" * 1_000_000: 1},
    ],
)
def test_refusal_of_a_huge_value_is_short(change: dict[str, Any]) -> None:
    assert len(only(change)) < 1_000


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"url_list": ["bad"], "region": []}, {"url_list[0]", "region"}),
        ({"url_list": ["bad"], "region_type": "region", "region": ["mars"], "verify": "x"},
         {"url_list[0]", "region[0]", "verify"}),
        ({"region": "ATL99-X9", "verify": "x"}, {"region[0]", "verify"}),
        ({"url_list": [], "region_type": "planet"}, {"url_list", "region_type"}),
    ],
)  # fmt: skip
def test_problems_of_all_kinds_are_reported_at_once(changes: dict[str, Any], fields: set[str]) -> None:
    plain = {"url_list": ["https://www.example.com/a"], "region_type": "pop", "region": ["ATL56-C1"]}
    with pytest.raises(InvalidRequest) as refused:
        check_request(plain | changes)
    assert {problem.field for problem in refused.value.problems} == fields


@pytest.mark.parametrize("field", ["url_list", "region"])
def test_empty_list_is_reported_as_empty(field: str) -> None:
    plain = {"url_list": ["https://www.example.com/a"], "region_type": "pop", "region": ["ATL56-C1"]}
    with pytest.raises(InvalidRequest, match=f"{field}: is empty; use a list"):
        check_request(plain | {field: []})
