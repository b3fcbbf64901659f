"""The line of each field of a JSON text."""

import json

from hypothesis import given
from hypothesis import strategies as st

from prewarm_cli.options.json_lines import line_of, value_lines

TEXT = """{
  "url_list": ["https://a.example.com/x[0],{}:",
               "www.example.com"],
  "region": "apca",
  "headers": {"X-A": "\\"quoted\\"",
    "X-B": "b"},
  "sitemap": [{"url": "x",
    "since": "1"}],
  "max_rps": -1e9
}"""


def test_line_of_each_field() -> None:
    json.loads(TEXT)
    expected = {
        "url_list": 2,
        "url_list[0]": 2,
        "url_list[1]": 3,
        "region[0]": 4,
        "headers.X-A": 5,
        "headers.X-B": 6,
        "sitemap[0].since": 8,
        "max_rps": 9,
        "sitemap[0].exclude": 7,
        "missing": None,
        "": None,
    }
    assert {field: line_of(TEXT, field) for field in expected} == expected


def test_of_a_name_that_occurs_twice_the_first_counts() -> None:
    assert value_lines('{"a": 1,\n"a": 2}') == {"": 1, "a": 1}


values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1), values, max_size=4), st.booleans())
def test_any_json_has_a_line_for_each_of_its_values(document: dict[str, object], ascii_only: bool) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=ascii_only)
    lines = text.split("\n")
    found = value_lines(text)
    for name, value in document.items():
        if "." in name or "[" in name:
            continue
        assert lines[found[name] - 1].startswith(f" {json.dumps(name, ensure_ascii=ascii_only)}: ")
        assert isinstance(value, dict | list) or lines[found[name] - 1].rstrip(",").endswith(
            json.dumps(value, ensure_ascii=ascii_only)
        )
