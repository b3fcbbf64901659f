"""A request for pairs of URL and POP: what it needs, what it excludes, and that it is stored and read unchanged."""

from typing import Any

import pytest

from prewarm.errors import InvalidRequest
from prewarm.planning.plan import PAIRS
from prewarm.request.validation import check_request, stored_request

ADDRESS = "s3://bucket/lists/targets.csv"
GOOD: dict[str, Any] = {"targets_s3": ADDRESS}


def problems(**changes: Any) -> list[str]:
    document = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    with pytest.raises(InvalidRequest) as caught:
        check_request(document)
    return [problem.sentence() for problem in caught.value.problems]


def test_targets_need_no_urls_and_no_region() -> None:
    request = check_request(GOOD)
    assert (request.urls, request.pops, request.places) == ([], [], [])
    assert (request.fields.kind, request.fields.percent_needed, request.fields.nearest) == (PAIRS, 95.0, False)
    assert check_request(GOOD | {"min_warm_percent": 50}).fields.percent_needed == 50


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"nearest": True, "staged": True},
        {"region_type": "region", "region": ["apac"]},
        {"url_list": ["https://www.example.com/a"], "region_type": "pop", "region": "NRT57-P3"},
    ],
)
def test_stored_request_is_read_unchanged(changes: dict[str, Any]) -> None:
    request = check_request(GOOD | changes)
    assert stored_request(request.as_json()) == request


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"targets_s3": "targets.csv"}, "targets_s3: 'targets.csv' is not an S3 address"),
        (
            {"sitemap": "https://www.example.com/s.xml"},
            "sitemap: cannot be combined with targets_s3; start a run for",
        ),
        ({"url_list_s3": ADDRESS}, "url_list_s3: cannot be combined with targets_s3"),
        ({"region": "apac"}, "region_type: is missing; use pop, country or region"),
        ({"region_type": "region"}, "region: is missing; use a list"),
        ({"region_type": "region", "region": "apca"}, "region[0]: unknown region 'apca'; did you mean apac"),
        ({"nearest": "yes"}, "nearest: must be true or false, got 'yes'"),
    ],
)
def test_wrong_combination_is_named_with_the_fix(changes: dict[str, Any], sentence: str) -> None:
    (found,) = problems(**changes)
    assert found.startswith(sentence)


def test_nearest_without_targets_is_refused() -> None:
    usual = {"url_list": ["https://www.example.com/"], "region_type": "region", "region": "apac"}
    assert problems(**usual, targets_s3=..., nearest=True) == ["nearest: has no effect without targets_s3; remove it"]
