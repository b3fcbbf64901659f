"""Options and files become an API request: every field has an option, and the API accepts each."""

import io
import json
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

import prewarm_cli.options.request
from prewarm.request.model import PrewarmRequest
from prewarm.request.validation import check_request
from prewarm_cli.command import command
from prewarm_cli.errors import CommandFailed
from prewarm_cli.main import app
from prewarm_cli.options.request import request_of

URL = "https://www.example.com/index.html"
BASE = ["--region", "apac"]
# For each field of a request: options that set it, and the resulting value.
OPTIONS: dict[str, tuple[list[str], Any]] = {
    "url_list": ([URL], [URL]),
    "url_list_s3": (["--url-list-s3", "s3://bucket/list.txt"], ["s3://bucket/list.txt"]),
    "targets_s3": (["--targets-s3", "s3://bucket/targets.csv"], "s3://bucket/targets.csv"),
    "nearest": (["--nearest", "--targets-s3", "s3://bucket/targets.csv"], True),
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
    "tier": (["--tier", "regional"], "regional"),
    "staged": (["--staged"], True),
    "fail_on": (["--fail-on", "none"], "none"),
    "min_warm_percent": (["--min-warm-percent", "90"], 90.0),
    "max_bytes": (["--max-bytes", "1000000"], 1_000_000),
    "strict_sources": (["--strict-sources"], True),
    "allow_unknown_pops": (["--allow-unknown-pops"], True),
    "dry_run": (["--dry-run"], True),
    "label": (["--label", "shop main"], "shop main"),
}


def request_from(*arguments: str) -> dict[str, Any]:
    """Return the request for a command line."""
    requests = []

    @command(request=request_of)
    def capture(*, request: dict[str, Any]) -> None:
        requests.append(request)

    app_with_options = typer.Typer()
    app_with_options.command()(capture)
    code = app_with_options(list(arguments), standalone_mode=False)
    if not requests:
        raise AssertionError(f"exit code {code}")
    return dict(requests[0])


def error_from(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(AssertionError, match="exit code 2"):
        request_from(*arguments)
    return capsys.readouterr().err


def test_every_field_of_a_request_has_an_option() -> None:
    missing = sorted(PrewarmRequest.model_fields.keys() - OPTIONS.keys())
    assert missing == [], (
        f"add an option for {missing} to src/prewarm_cli/options/request.py, and a case to OPTIONS here"
    )


@pytest.mark.parametrize("field", OPTIONS)
def test_option_sets_its_field_and_the_api_accepts_it(field: str) -> None:
    arguments, value = OPTIONS[field]
    selected = [] if field in {"region", "region_type"} else BASE
    source = [] if field in {"url_list", "url_list_s3", "sitemap", "manifest"} else [URL]
    request = request_from(*arguments, *selected, *source)
    assert request[field] == value
    check_request(json.loads(json.dumps(request)))


def test_invalidation_patterns_are_given_by_an_option_of_their_own() -> None:
    request = request_from(URL, "--region", "eu", "--invalidate-path", "/a/*", "--invalidate-path", "/b")
    assert request["invalidate"] == ["/a/*", "/b"]
    assert check_request(request).fields.invalidation_patterns == ["/a/*", "/b"]


def test_option_choices_match_the_api() -> None:
    hints = prewarm_cli.options.request.request_of.__annotations__
    for field in ("verify", "fail_on"):
        offered = get_args(get_args(get_args(hints[field])[0])[0])
        assert offered == get_args(PrewarmRequest.model_fields[field].annotation)


def test_omitted_options_are_not_in_the_request() -> None:
    assert request_from(URL, *BASE) == {"url_list": [URL], "region_type": "region", "region": ["apac"]}


def test_options_override_fields_of_a_request_file(tmp_path: Path) -> None:
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
    options = ["--request", str(file)]
    assert request_from(*options) == filed
    changed = request_from(*options, "--pop", "ATL56-C1", "--no-staged", "--header", "X-Tenant: b", f"{URL}?2")
    assert changed == {
        "url_list": [f"{URL}?2"],
        "region_type": "pop",
        "region": ["ATL56-C1"],
        "staged": False,
        "headers": {"Accept": "*/*", "X-Tenant": "b"},
        "max_rps": 5,
    }


def test_urls_are_read_from_arguments_files_and_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "urls.txt"
    file.write_text(
        f"\ufeff# the release\n\n  {URL}?1\n{URL}#part  # the fragment stays\r\n#{URL}\n", encoding="utf-8"
    )
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{URL}?2\n".encode())))
    assert request_from(URL, "-f", str(file), "-f", "-", *BASE)["url_list"] == [
        URL,
        f"{URL}?1",
        f"{URL}#part",
        f"{URL}?2",
    ]


def test_request_is_read_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps({"url_list": ["x"]}).encode())))
    assert request_from("--request", "-") == {"url_list": ["x"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([URL], "no POPs selected: pass --region, --country or --pop"),
        (BASE, "no URLs to warm: pass URLs, --file,"),
        ([URL, *BASE, "--country", "india"], "--region and --country cannot be combined"),
        ([URL, *BASE, "--header", "Accept"], "must have the form NAME:VALUE"),
        ([URL, *BASE, "--header", ": x"], "must have the form NAME:VALUE"),
        ([URL, *BASE, "--invalidate", "--invalidate-path", "/*"], "--invalidate and --invalidate-path cannot be"),
        (["--file", "-", "--request", "-"], "stdin can be read only once"),
        (["--file", "no-such-file", *BASE], "no-such-file"),
        (["--sitemap", "{oops", *BASE], "not valid JSON"),
    ],
)
def test_invalid_options_exit_2_before_any_request(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in error_from(capsys, *arguments)


@pytest.mark.parametrize("text", ["[]", "{", '"x"', "\x00"])
def test_request_file_that_is_not_a_json_object_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    file = tmp_path / "request.json"
    file.write_text(text)
    assert str(file) in error_from(capsys, "--request", str(file))


def test_file_without_urls_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("# nothing yet\n")
    assert f"--file {file}: contains no URLs" in error_from(capsys, "--file", str(file), *BASE)


def test_start_and_run_have_all_request_options() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    options = {name: {each.name for each in commands[name].params} for name in ("start", "run")}
    expected = set(prewarm_cli.options.request.request_of.__annotations__) - {"return"}
    assert expected <= options["start"]
    assert expected <= options["run"]


def test_request_of_raises_command_failed() -> None:
    with pytest.raises(CommandFailed):
        request_of(urls=[URL])
