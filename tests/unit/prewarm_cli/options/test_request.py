"""Options and files become the request that the API takes: every field of it, and nothing that it would not know."""

import io
import json
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

import prewarm_cli.options.request
from prewarm.request.model import PrewarmRequest, check_request
from prewarm_cli.command import command
from prewarm_cli.errors import CommandFailed
from prewarm_cli.main import app
from prewarm_cli.options.request import request_of
from prewarm_cli.options.request_input import read_urls

URL = "https://www.example.com/index.html"
BASE = ["--region", "apac"]
# For each field of a request, options that set it, and what it then is.
OPTIONS: dict[str, tuple[list[str], Any]] = {
    "url_list": ([URL], [URL]),
    "url_list_s3": (["--url-list-s3", "s3://bucket/list.txt"], ["s3://bucket/list.txt"]),
    "sitemap": (["--sitemap", "https://www.example.com/sitemap.xml"], ["https://www.example.com/sitemap.xml"]),
    "manifest": (
        ["--manifest", '{"url": "https://www.example.com/film.m3u8", "renditions": "lowest"}'],
        [{"url": "https://www.example.com/film.m3u8", "renditions": "lowest"}],
    ),
    "region_type": (["--country", "india"], "country"),
    "region": (["--pop", "ATL56-C1,NRT57-P3", "--pop", "FRA56-P5"], ["ATL56-C1", "NRT57-P3", "FRA56-P5"]),
    "cf_domain": (["--cf-domain", "d111abc.cloudfront.net"], "d111abc.cloudfront.net"),
    "accept_encodings": (
        ["--accept-encoding", "br, gzip", "--accept-encoding", "identity"],
        ["br, gzip", "identity"],
    ),
    "headers": (
        ["--header", "X-Tenant: a:b", "--header", "Accept:image/avif"],
        {"X-Tenant": "a:b", "Accept": "image/avif"},
    ),
    "user_agent": (["--user-agent", "Warmer/1"], "Warmer/1"),
    "invalidate": (["--invalidate"], True),
    "verify": (["--verify", "all"], "all"),
    "timeout_minutes": (["--timeout-minutes", "30"], 30),
    "max_concurrency": (["--max-concurrency", "9"], 9),
    "max_rps": (["--max-rps", "2.5"], 2.5),
    "staged": (["--staged"], True),
    "fail_on": (["--fail-on", "none"], "none"),
    "min_warm_percent": (["--min-warm-percent", "90"], 90.0),
    "max_bytes": (["--max-bytes", "1000000"], 1_000_000),
    "allow_unknown_pops": (["--allow-unknown-pops"], True),
    "dry_run": (["--dry-run"], True),
}


def made(*arguments: str) -> dict[str, Any]:
    """Return the request that a command line makes."""
    found = []

    @command(request=request_of)
    def take(*, request: dict[str, Any]) -> None:
        found.append(request)

    taker = typer.Typer()
    taker.command()(take)
    code = taker(list(arguments), standalone_mode=False)
    if not found:
        raise AssertionError(f"exit code {code}")
    return dict(found[0])


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(AssertionError, match="exit code 2"):
        made(*arguments)
    return capsys.readouterr().err


def test_every_field_of_a_request_has_an_option() -> None:
    missing = sorted(PrewarmRequest.model_fields.keys() - OPTIONS.keys())
    assert missing == [], (
        f"give src/prewarm_cli/options/request.py an option for {missing}, and this test how to use it"
    )


@pytest.mark.parametrize("field", OPTIONS)
def test_an_option_sets_its_field_as_the_api_takes_it(field: str) -> None:
    arguments, value = OPTIONS[field]
    selected = [] if field in {"region", "region_type"} else BASE
    source = [] if field in {"url_list", "url_list_s3", "sitemap", "manifest"} else [URL]
    request = made(*arguments, *selected, *source)
    assert request[field] == value
    check_request(json.loads(json.dumps(request)))


def test_choices_are_those_of_the_api() -> None:
    hints = prewarm_cli.options.request.request_of.__annotations__
    for field in ("verify", "fail_on"):
        offered = get_args(get_args(get_args(hints[field])[0])[0])
        assert offered == get_args(PrewarmRequest.model_fields[field].annotation)


def test_what_is_not_given_is_left_to_the_api() -> None:
    assert made(URL, *BASE) == {"url_list": [URL], "region_type": "region", "region": ["apac"]}


def test_options_override_a_files_fields_and_leave_the_others(tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    filed = {
        "url_list": [URL],
        "target_type": "region",
        "region": "eu",
        "staged": True,
        "headers": {"x-tenant": "a", "Accept": "*/*"},
        "max_rps": 5,
    }
    file.write_text(json.dumps(filed))
    given = ["--request", str(file)]
    assert made(*given) == filed
    changed = made(*given, "--pop", "ATL56-C1", "--no-staged", "--header", "X-Tenant: b", f"{URL}?2")
    assert changed == {
        "url_list": [f"{URL}?2"],
        "region_type": "pop",
        "region": ["ATL56-C1"],
        "staged": False,
        "headers": {"Accept": "*/*", "X-Tenant": "b"},
        "max_rps": 5,
    }


def test_urls_come_from_arguments_files_and_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "urls.txt"
    file.write_text(
        f"\ufeff# the release\n\n  {URL}?1\n{URL}#part  # the fragment stays\r\n#{URL}\n", encoding="utf-8"
    )
    assert read_urls(file) == [f"{URL}?1", f"{URL}#part"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{URL}?2\n"))
    assert made(URL, "-f", str(file), "-f", "-", *BASE)["url_list"] == [URL, f"{URL}?1", f"{URL}#part", f"{URL}?2"]


def test_a_request_comes_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"url_list": ["x"]}'))
    assert made("--request", "-") == {"url_list": ["x"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([URL], "where? Give --region"),
        (BASE, "what? Give URLs"),
        ([URL, *BASE, "--country", "india"], "--region or --country"),
        ([URL, *BASE, "--header", "Accept"], "write NAME:VALUE"),
        ([URL, *BASE, "--header", ": x"], "write NAME:VALUE"),
        (["--file", "-", "--request", "-"], "stdin can be read once"),
        (["--file", "no-such-file", *BASE], "no-such-file"),
        (["--sitemap", "{oops", *BASE], "is no JSON"),
    ],
)
def test_what_contradicts_itself_is_told_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert words in refused(capsys, *arguments)


@pytest.mark.parametrize("text", ["[]", "{", '"x"', "\x00"])
def test_a_request_file_that_is_none_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str) -> None:
    file = tmp_path / "request.json"
    file.write_text(text)
    assert str(file) in refused(capsys, "--request", str(file))


def test_a_file_without_a_url_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("# nothing yet\n")
    assert f"there is no URL in {file}" in refused(capsys, "--file", str(file), *BASE)


def test_start_and_run_take_the_same_request_options() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    options = {name: {each.name for each in commands[name].params} for name in ("start", "run")}
    wanted = set(prewarm_cli.options.request.request_of.__annotations__) - {"return"}
    assert wanted <= options["start"]
    assert wanted <= options["run"]


def test_failures_are_failures_of_the_command() -> None:
    with pytest.raises(CommandFailed):
        request_of(urls=[URL])
