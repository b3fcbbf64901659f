"""Lists of URLs: each format and encoding, as the command and the service read them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm.request.url_list import read_url_list

A, B = "https://www.example.com/a.html", "https://www.example.com/b.html"


def urls(text: str, name: str = "", encoding: str = "utf-8") -> list[str]:
    return [url for _, url in read_url_list(text.encode(encoding), name)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"# release\n{A} # the front page\r\n\n\t{B}\n", "a.txt"),
        (f"{A}\n{B}", ""),
        (f'title,URL\nx,{A}\n"y, z",{B}\n', "a.csv"),
        (f'url;title\n{A};Home\n{B};"Sale; now"\n', "a.csv"),
        (f"{A};Home\n{B};Sale\n", "a.csv"),
        (f"sep=;\n{A};Home\n{B}\n", "a.csv"),
        (f"title\turl\nx\t{A}\ny\t{B}\n", "a.tsv"),
        (f"# comment\n{A},first\n{B},second\n", "a.csv.gz"),
        (json.dumps([A, B]), ""),
        (json.dumps([{"url": A}, {"url": B}]), ""),
        (json.dumps({"url_list": [A, B]}), ""),
        (json.dumps({"url_list": [A, B]}, indent=2), ""),
        (f'{{"url": "{A}"}}\n{{"url": "{B}"}}\n', ""),
        (f'{{"url": "{A}", "x": 1}}\n\n"{B}"\n', ""),
        (f"{A}\0{B}\0", ""),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_list_is_read_in_each_format_and_encoding(text: str, name: str, encoding: str) -> None:
    assert urls(text, name, encoding) == [A, B]


def test_semicolon_of_a_path_stays_in_a_table() -> None:
    listed = [f"{A};jsessionid=1", f"{B};jsessionid=2"]
    assert urls("\n".join(listed), "a.csv") == listed


def test_names_separated_by_nul_are_literal() -> None:
    site = "https://www.example.com/"
    assert urls(f"{site}c#.html\0{site}café.html\0{site}100%?.html\0{site}winter sale.html\0") == [
        f"{site}c%23.html",
        f"{site}café.html",
        f"{site}100%25%3F.html",
        f"{site}winter sale.html",
    ]


def test_lines_are_numbered_from_one() -> None:
    assert list(read_url_list(f"# x\n{A}\n\n{B}".encode())) == [(2, A), (4, B)]
    assert list(read_url_list(f"url\n{A}\n\n{B}".encode(), "a.csv")) == [(2, A), (4, B)]
    assert list(read_url_list(f'{{"url": "{A}"}}\n\n"{B}"'.encode())) == [(1, A), (3, B)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\xff", "is not text in UTF-8"),
        (b"[1]", "is not a JSON list of URLs"),
        (b"[", "is not JSON"),
        (b"{}", "is not a JSON list of URLs"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"url": "x"}\n{', "line 2 is not JSON"),
        (b'{"url": "x"}\n{"link": "y"}', "see line 2"),
    ],
)
def test_list_in_no_format_is_refused_with_the_reason(body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        list(read_url_list(body))


@given(st.binary(max_size=200), st.sampled_from(["", "a.csv"]))
def test_any_bytes_are_read_or_refused(body: bytes, name: str) -> None:
    problem = None
    try:
        assert all(number > 0 for number, _ in read_url_list(body, name))
    except ValueError as error:
        problem = error
    assert problem is None or (type(problem) is ValueError and str(problem).startswith("is "))
