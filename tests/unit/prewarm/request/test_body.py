"""The body of a request: one JSON object, or the reason why it is refused."""

import gzip
import re

import pytest

from prewarm.errors import InvalidRequest
from prewarm.request.validation import check_request, parse_json


@pytest.mark.parametrize("document", [None, [], "x", 5, True])
def test_body_that_is_not_an_object_is_rejected(document: object) -> None:
    with pytest.raises(InvalidRequest, match="JSON object with url_list, region_type and region"):
        check_request(document)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body is not JSON: Expecting property name"),
        (b"", "the body is empty; send a plain JSON object"),
        (b" \n", "the body is empty"),
        (b"\xff", "the body is not text in UTF-8; save it as UTF-8"),
        (b"1" * 5000, "the body is JSON with a number of too many digits; use at most 19"),
        (b"[" * 100_000, "the body is nested too deeply"),
        (gzip.compress(b"{}"), "the body is gzip; send a plain JSON object"),
        (b"--boundary\r\nContent-Disposition: form-data", "the body is a multipart form; send a plain JSON object"),
        (b'{"region": [], "url_list": ["a"], "url_list": ["b"]}', "url_list: is given twice; remove one"),
        (b'{"sitemap": {"url": "a", "url": "b"}}', "url: is given twice; remove one"),
        (b'{"\\ud800": 1, "\\ud800": 2}', "\\ud800: is given twice"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_body_that_is_not_one_json_value_is_rejected_with_the_reason(body: bytes | str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{re.escape(message)}"):
        parse_json(body)
