"""Lists of URLs: each format and encoding, as the command and the service read them."""

import contextlib
import json
import re

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
        (f"url,title\n{A}\n{B},\n", "a.csv"),
        (f"{A}\tHome\n{B}\tSale, now\n", "a.csv"),
        (f"sku,url\n#1001,{A}\n1002,{B}\n", "a.csv"),
        (f"#,url\n1,{A}\n2,{B}\n", "a.csv"),
        (f"#;url\n1;{A}\n2;{B}\n", "a.csv"),
        (f"# skus\nsku,url\n#1001,{A}\n1002,{B}\n", "a.csv"),
        (f"url,sku\n{A},1\n#{A},2\n{B},3\n", "a.csv"),
        (f"sep=;\n{A};Home\n{B}\n", "a.csv"),
        (f"title\turl\nx\t{A}\ny\t{B}\n", "a.tsv"),
        (f"# comment, with a comma\n{A}\n{B}\n", "a.csv.gz"),
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


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (f"url\n{A},b.jpg\n", "a.csv", "line 2 has 2 cells, the header has 1; quote the URL"),
        (f"url\n\n{A},\n", "a.csv", "line 3 has 2 cells, the header has 1"),
        (f"title;url\nx;{A};v\n", "a.csv", "line 2 has 3 cells, the header has 2"),
        (f"url\n{A}\t{B}\n", "a.tsv", "line 2 has 2 cells, the header has 1"),
        (f"{A},b.jpg\n", "a.csv", "line 1 has 2 cells, and there is no header url"),
        (f"{A}\n{A},{B}\n", "a.csv", "line 2 has 2 cells, and there is no header url"),
        (f"{A};Home\n{B};Sale\n", "a.csv", "line 1 has 2 cells, and there is no header url"),
        (f"{A}\t{B}\n", "a.tsv", "line 1 has more than one URL"),
        (f"sep=;\n{A};{B}\n", "a.csv", "line 2 has more than one URL"),
        (f"url,url\n{A},{B}\n", "a.csv", "line 1 names the column url twice"),
        (f"name,link\nx,{A}\n", "a.csv", "line 1 begins with 'name'; name the URLs' column url"),
        (
            f"{A},x,y\n",
            "a.csv",
            "line 1 has 3 cells, and there is no header url; name the URLs' column url, or quote",
        ),
        (f"name\n{A}\n", "a.csv", "line 1 begins with 'name'; name the URLs' column url"),
        (f"Page URL\n{A}\n", "a.csv", "line 1 begins with 'Page URL'; name the URLs' column url"),
        (f"url,title\n{A},x\n", "a.tsv", "line 1 begins with 'url,title'; name the URLs' column url"),
    ],
)
def test_table_row_that_can_be_read_in_two_ways_is_refused(text: str, name: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"is not a table of URLs: {words}")):
        urls(text, name)


def test_tab_alone_separates_the_columns_of_a_tsv() -> None:
    listed = [f"{A},1;2", f"{B},3;4"]
    assert urls("\n".join(["url", *listed]), "a.tsv") == listed
    assert urls("\n".join(listed), "a.tsv") == listed


@given(
    st.lists(st.text(st.sampled_from("a,;#&\t"), max_size=5), min_size=1, max_size=4), st.sampled_from(["csv", "tsv"])
)
def test_table_gives_each_url_whole_or_none(tails: list[str], kind: str) -> None:
    listed = [f"{A}{tail}b" for tail in tails]
    for header in ("", "url\n", "sku,url\n", "url\tsku\n"):
        rows = [f"7,{url}" if header.startswith("sku") else url for url in listed]
        read = None
        with contextlib.suppress(ValueError):
            read = urls(header + "\n".join(rows), f"a.{kind}")
        # A tab is not part of a URL, and the parser of URLs refuses one.
        whole = [
            [url, url.partition("\t")[0], row, row.partition("\t")[0]] for url, row in zip(listed, rows, strict=True)
        ]
        assert read is None or all(url in forms for url, forms in zip(read, whole, strict=True))


@pytest.mark.parametrize("name", ["", "a.jsonl", "a.txt"])
@pytest.mark.parametrize("length", [4_000, 5_000, 900_000])
def test_format_is_found_behind_a_long_first_entry(length: int, name: str) -> None:
    long = A + "x" * length
    assert urls(f'{{"url": "{long}"}}\n{{"url": "{B}"}}\n', name) == [long, B]
    assert urls(f'"{long}"\n"{B}"\n', name) == [long, B]
    assert urls(f"{long}\0{B}\0", name) == [long, B]
    assert urls(json.dumps({"url_list": [long, B]}), name) == [long, B]


def test_first_line_of_any_length_is_json_lines_by_name() -> None:
    long = A + "x" * 2_000_000
    assert urls(f'{{"url": "{long}"}}\n{{"url": "{B}"}}\n', "urls.jsonl.gz") == [long, B]


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
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"url_list": ["x"], "url_list": ["y"]}', "url_list: is given twice; remove one"),
        (b'{"url": "x"}\n{"url": "y", "url": "z"}', "line 2: url: is given twice; remove one"),
        (b'{"url": "x", "url": "y"}\n{"url": "z"}', "line 1: url: is given twice"),
        (b'[{"url": "x", "url": "y"}]', "url: is given twice"),
        (b'["x", {"link": "y"}]', "see entry 2"),
        (b"https://a.example/\nhttps://a.example/\xe9", "is not text in UTF-8: line 2 has the byte 0xe9"),
        ("a\nb".encode("utf-16-le") + b"\n", "is not text in UTF-16-LE: line 2 has the byte 0x0a"),
        (b"PK\x03\x04" + bytes(9), "is a ZIP archive or a spreadsheet; unpack it"),
        (b"BZh91AY", "is compressed by bzip2; unpack it, or use gzip"),
        (b"\xfd7zXZ\0", "is compressed by xz"),
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
