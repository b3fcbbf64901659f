"""Bodies up to the largest: bounded time and memory whatever they contain, and every problem counted."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.errors import PROBLEMS_SHOWN, InvalidRequest
from prewarm.request.bounds import MAX_BODY_URLS
from prewarm.request.validation import FIELD_NAMES, check_request, parse_json
from tests.support.measured_check import BODIES

ROOT = Path(__file__).parents[4]
# The aim is 1 s on an idle machine; with ten processes for two processors a check took 2.4 s.
CPU_SECONDS, MEMORY_MB = 5.0, 300


@pytest.fixture(scope="module")
def checks() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.measured_check"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.communicate(timeout=10)


def measured(process: "subprocess.Popen[str]", kind: str) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    process.stdin.write(f"{kind}\n")
    process.stdin.flush()
    result: dict[str, Any] = json.loads(process.stdout.readline())
    watchdog.cancel()
    return result


@pytest.mark.parametrize("kind", BODIES)
def test_largest_body_of_any_content_is_answered_in_bounded_time_and_memory(
    checks: "subprocess.Popen[str]", kind: str
) -> None:
    result = measured(checks, kind)
    assert result["cpu"] < CPU_SECONDS, result
    assert result["mb"] < MEMORY_MB, result
    assert len(result["message"]) < PROBLEMS_SHOWN * 1_000, result


URL = "https://www.example.com/a"
GOOD: dict[str, Any] = {"url_list": [URL], "region_type": "region", "region": ["eu"]}


def problems(**change: Any) -> list[str]:
    with pytest.raises(InvalidRequest) as caught:
        check_request(GOOD | change)
    json.dumps(caught.value.as_json(), ensure_ascii=False).encode()
    return [problem.sentence() for problem in caught.value.problems]


def test_list_with_entries_that_are_not_texts_names_each_and_counts_all() -> None:
    for field in ("url_list", "region"):
        listed = problems(**{field: [*GOOD[field], None, *[7] * 30, {}, [], 10**400, 1e999]})
        assert listed[:2] == [f"{field}[1]: must be a string, got null", f"{field}[2]: must be a string, got 7"]
        assert len(listed) == 35


def test_repeated_name_and_repeated_bad_url_are_counted_by_entry() -> None:
    assert len(problems(region=["x"] * 400)) == 400
    assert len(problems(url_list=["https://bad/"] * 400)) == 400
    assert check_request(GOOD | {"region": ["eu"] * 4_000}).pops == check_request(GOOD).pops


def test_stored_request_may_have_more_urls_than_a_body() -> None:
    urls = [f"https://www.example.com/{number}" for number in range(MAX_BODY_URLS + 1)]
    assert "at most 50,000 are accepted; upload the list (POST /uploads)" in problems(url_list=urls)[0]
    assert len(check_request(GOOD | {"url_list": urls}, most_urls=len(urls)).urls) == len(urls)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_bytes": 2**63}, "max_bytes: must be a number of at most 9223372036854775807, got 9223372036854775808"),
        (
            {"max_bytes": 2**62},
            "max_bytes: must be at most 53687091200, got 4611686018427387904; omit it for no limit",
        ),
        ({"headers": {"X-A": "x" * 3_000_000}}, "headers.X-A: has 3,000,000 characters; at most 20,480 are accepted"),
        ({"headers": {f"X-{number}": "" for number in range(20_000)}}, "headers: has 20,000 names; at most 200 are "),
        (
            {"headers": {"X-A": "x" * 12_000}},
            "headers: with user_agent and the longest of accept_encodings the headers",
        ),
        ({"accept_encodings": ["x" * 257]}, "accept_encodings[0]: must have at most 256 characters, got "),
        (
            {"accept_encodings": ["x" * 3_000_000]},
            "accept_encodings[0]: has 3,000,000 characters; at most 20,480 are",
        ),
        (
            {"manifest": [{"url": URL, "max_segments": 10**30}]},
            "manifest[0].max_segments: must be a number of at most",
        ),
    ],
)
def test_value_beyond_what_libcurl_and_cloudfront_take_is_refused(change: dict[str, Any], message: str) -> None:
    (problem,) = problems(**change)
    assert problem.startswith(message)


def test_headers_up_to_the_limit_are_accepted() -> None:
    headers = {f"X-{number:03}": "x" * 40 for number in range(200)}
    assert check_request(GOOD | {"headers": headers, "max_bytes": 50 * 1024**3}).fields.headers == headers


@pytest.mark.parametrize("name", ["timeout_minutes", "max_concurrency", "max_rps", "min_warm_percent", "max_bytes"])
@pytest.mark.parametrize("number", [10**400, -(10**400), 10**5_000, 1e999, -1e999, float("nan"), 2**64], ids=range(7))
def test_number_of_any_size_is_a_problem_of_its_field(name: str, number: float) -> None:
    (problem,) = problems(**{name: number})
    assert problem.startswith(f"{name}: must be a number of at most 9223372036854775807, got ")
    assert len(problem) < 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url_list": ["https://www.example.com/\ud800"]}, "url_list"),
        ({"region": ["\udfff"]}, "region"),
        ({"headers": {"X-\ud800": "1"}}, "headers"),
        ({"headers": {"X-A": "\udc00"}}, "headers"),
        ({"na\ud800me": 1}, "na\\ud800me"),
        ({"sitemap": [{"url": URL, "\ud800": 1}]}, "sitemap"),
    ],
)
@pytest.mark.parametrize("direct", [True, False])
def test_lone_surrogate_is_refused_with_its_field(change: dict[str, Any], field: str, direct: bool) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_request(GOOD | change, direct=direct)
    assert caught.value.message().startswith(f"{field}: contains the lone surrogate \\ud")


@pytest.mark.parametrize("body", [b'{"max_rps": NaN}', b'{"max_rps": Infinity}', b'{"max_rps": -Infinity}'])
def test_number_that_json_does_not_have_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"the body is not JSON: .* is not a number in JSON"):
        parse_json(body)


@pytest.mark.parametrize("error", [OverflowError("too large"), ZeroDivisionError(), KeyError("x"), RecursionError()])
def test_error_that_no_rule_foresaw_is_a_problem_of_the_request(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prewarm.request.validation.header_problems", Mock(side_effect=error))
    assert problems() == [f"a value cannot be processed ({type(error).__name__}); check numbers, names and nesting"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(sorted(FIELD_NAMES)) | st.text(st.characters()), json_values), st.booleans())
def test_any_json_object_is_accepted_or_refused_with_encodable_problems(
    document: dict[str, Any], direct: bool
) -> None:
    try:
        check_request(GOOD | document, direct=direct)
    except InvalidRequest as error:
        json.dumps(error.as_json(), ensure_ascii=False).encode()
