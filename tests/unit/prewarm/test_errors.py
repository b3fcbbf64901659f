"""The problems of a refused request: message, order and number."""

from prewarm.errors import CHARACTERS_SHOWN, PROBLEMS_SHOWN, InvalidRequest, Problem, RequestTooLarge, truncate


def test_problem_contains_field_message_and_similar_names() -> None:
    problem = Problem("region[0]", "unknown region 'apca'", ("apac", "ca"))
    assert problem.sentence() == "region[0]: unknown region 'apca'; did you mean apac or ca?"
    assert problem.as_json() == {
        "field": "region[0]",
        "message": "unknown region 'apca'",
        "near": ["apac", "ca"],
    }


def test_problem_of_the_whole_body_has_no_field() -> None:
    assert Problem("", "the body is not JSON").sentence() == "the body is not JSON"


def test_refusal_lists_twenty_problems_and_counts_the_rest() -> None:
    error = InvalidRequest([Problem(f"url_list[{number}]", "is empty") for number in range(PROBLEMS_SHOWN + 7)])
    assert str(error).count("is empty") == PROBLEMS_SHOWN
    assert str(error).endswith(" | … and 7 more problems")
    assert len(error.as_json()["error"]["details"]) == PROBLEMS_SHOWN  # type: ignore[index]


def test_refusal_with_twenty_problems_has_no_count() -> None:
    assert "more problems" not in str(InvalidRequest([Problem("a", "b")] * PROBLEMS_SHOWN))


def test_each_refusal_has_its_code_and_status() -> None:
    for kind, code, status in ((InvalidRequest, "InvalidRequest", 400), (RequestTooLarge, "RequestTooLarge", 413)):
        error = kind([Problem("url_list", "x")])
        assert error.http_status == status
        assert error.as_json() == {
            "error": {
                "code": code,
                "message": "url_list: x",
                "details": [{"field": "url_list", "message": "x", "near": []}],
            }
        }


def test_truncate_shortens_long_text_only() -> None:
    assert truncate("a" * CHARACTERS_SHOWN) == "a" * CHARACTERS_SHOWN
    assert truncate("a" * 5000) == "a" * CHARACTERS_SHOWN + "…"
