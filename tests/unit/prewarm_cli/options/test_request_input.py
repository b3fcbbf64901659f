"""Files of URLs, request files, sources and headers."""

from pathlib import Path

import pytest

from prewarm_cli.errors import CommandFailed
from prewarm_cli.options.request_input import merge_headers, parse_source, read_request, read_urls

URL = "https://www.example.com/index.html"


def test_read_urls_skips_comments_and_keeps_fragments(tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text(
        f"\ufeff# the release\n\n  {URL}?1\n{URL}#part  # the fragment stays\r\n#{URL}\n", encoding="utf-8"
    )
    assert read_urls(file) == [f"{URL}?1", f"{URL}#part"]


@pytest.mark.parametrize("text", ["[]", "{", '"x"', "\x00"])
def test_read_request_rejects_a_file_that_is_not_a_json_object(tmp_path: Path, text: str) -> None:
    file = tmp_path / "request.json"
    file.write_text(text)
    with pytest.raises(CommandFailed, match=str(file)):
        read_request(file)


def test_parse_source_returns_an_address_or_an_object() -> None:
    assert parse_source(URL, "sitemap") == URL
    assert parse_source(' {"url": "x"}', "sitemap") == {"url": "x"}
    with pytest.raises(CommandFailed, match=r"--sitemap \{oops: not valid JSON"):
        parse_source("{oops", "sitemap")


def test_merge_headers_replaces_a_header_of_the_same_name_in_any_case() -> None:
    filed = {"x-tenant": "a", "Accept": "*/*"}
    assert merge_headers(filed, ["X-Tenant: b"]) == {"Accept": "*/*", "X-Tenant": "b"}
    assert merge_headers(None, ["A:b:c"]) == {"A": "b:c"}


@pytest.mark.parametrize("header", ["Accept", ": x"])
def test_merge_headers_rejects_a_header_without_name_or_colon(header: str) -> None:
    with pytest.raises(CommandFailed, match="must have the form NAME:VALUE"):
        merge_headers({}, [header])
