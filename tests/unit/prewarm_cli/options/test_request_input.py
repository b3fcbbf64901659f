"""Files of URLs, request files, sources and headers."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from prewarm.request.url_list import read_url_list
from prewarm_cli.commands.start import start
from prewarm_cli.errors import CommandFailed
from prewarm_cli.options.request_input import merge_headers, parse_source, read_request, read_targets, read_urls

FIXTURES = Path(__file__).parents[3] / "fixtures" / "sources"
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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{oops", "--sitemap {oops: not valid JSON"),
        ('{"url": NaN}', "is not JSON: NaN is not a number in JSON"),
        ('{"url": ' + "[" * 100_000, "is nested too deeply"),
        ('{"url": ' + "9" * 5_000 + "}", "is JSON with a number of too many digits"),
        ('{"url": "a", "url": "b"}', "url: is given twice; remove one"),
    ],
    ids=lambda value: value[:20],
)
def test_source_that_is_not_one_json_object_is_refused(text: str, words: str) -> None:
    with pytest.raises(CommandFailed, match=re.escape(words)) as caught:
        parse_source(text, "sitemap")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"max_rps": NaN}', "is not JSON: NaN is not a number in JSON"),
        ('{"url_list": ["a"], "url_list": ["b"]}', "url_list: is given twice; remove one"),
        ('{"max_rps": ' + "9" * 5_000 + "}", "too many digits"),
    ],
)
def test_request_file_in_which_a_value_would_be_lost_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(CommandFailed, match=re.escape(words)):
        read_request(tmp_path / "r.json")


def test_targets_in_another_encoding_are_refused_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"url,pop\nhttps://a.example/\xe9,NRT57-P3\n")
    with pytest.raises(CommandFailed, match="is not text in UTF-8: line 2 has the byte 0xe9"):
        read_targets(tmp_path / "t.csv")


def test_merge_headers_replaces_a_header_of_the_same_name_in_any_case() -> None:
    filed = {"x-tenant": "a", "Accept": "*/*"}
    assert merge_headers(filed, ["X-Tenant: b"]) == {"Accept": "*/*", "X-Tenant": "b"}
    assert merge_headers(None, ["A:b:c"]) == {"A": "b:c"}


@pytest.mark.parametrize("header", ["Accept", ": x"])
def test_merge_headers_rejects_a_header_without_name_or_colon(header: str) -> None:
    with pytest.raises(CommandFailed, match="must have the form NAME:VALUE"):
        merge_headers({}, [header])


GIT_NAMES = ("a.html", "c#.html", "café.html", "winter sale.html", 'quo"te.html')


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_pipeline_of_the_documentation_lists_changed_files_as_urls(tmp_path: Path) -> None:
    """The pipeline of docs/cli.md, up to the command: all names that git and the file system allow."""

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "site").mkdir()
    git("init", "--quiet")
    (tmp_path / "site" / "old.html").write_text("x")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    (tmp_path / "site" / "old.html").unlink()
    for name in GIT_NAMES:
        (tmp_path / "site" / name).write_text(name)
    git("add", ".")
    git("commit", "--quiet", "-m", "two")
    (pipeline,) = [
        line.rpartition("|")[0] for line in str(start.__doc__).splitlines() if line.strip().startswith("git diff")
    ]
    piped = subprocess.run(pipeline, shell=True, cwd=tmp_path, check=True, capture_output=True).stdout
    (tmp_path / "list").write_bytes(piped)
    site = "https://www.example.com/"
    assert sorted(read_urls(tmp_path / "list")) == sorted(site + name.replace("#", "%23") for name in GIT_NAMES)


def test_name_that_git_has_quoted_is_refused_with_the_remedy() -> None:
    with pytest.raises(CommandFailed, match=r"line 3: .* is quoted, as git does; use git diff -z"):
        read_urls(FIXTURES / "git-diff-pipe.urls")


def test_fragment_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "urls").write_text(f"{URL}\n{URL}#part\n")
    assert read_urls(tmp_path / "urls") == [URL, f"{URL}#part"]
    assert "line 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["inline-comment.list.txt", "semicolons.list.csv", "utf16.list.txt", "json-lines.list.json"]
)
def test_command_reads_what_the_service_reads(name: str) -> None:
    assert read_urls(FIXTURES / name) == [url for _, url in read_url_list((FIXTURES / name).read_bytes(), name)]


def test_compressed_file_is_read_and_broken_gzip_refused(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(URL.encode()))
    assert read_urls(tmp_path / "a.gz") == [URL]
    (tmp_path / "b.gz").write_bytes(gzip.compress(URL.encode())[:-9])
    with pytest.raises(CommandFailed, match="broken gzip"):
        read_urls(tmp_path / "b.gz")
