"""Help and output of every command at 60, 80 and 120 columns: no word is divided, nothing cut, no line too long."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from prewarm_cli.main import COMMANDS, app
from prewarm_cli.output.help import first_sentence
from tests.support.failed_status import failed_status
from tests.support.fake_api import RUN, URL, FakeApi, error, fake_api, prewarm
from tests.support.statuses import running_status
from tests.support.terminal_widths import terminal_of, too_long

WIDTHS = [60, 80, 120]
BOXES = set("│─╭╮╰╯┃━┏┓")


def commands() -> dict[str, Any]:
    """Return every command by its name, with the groups and their commands."""
    found: dict[str, Any] = {"": typer.main.get_command(app)}
    for name, command in found[""].commands.items():
        found[name] = command
        found |= {f"{name} {inner}": each for inner, each in getattr(command, "commands", {}).items()}
    return found


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    with fake_api(monkeypatch, tmp_path) as served:
        yield served


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", commands())
def test_help_shows_every_option_whole(name: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_of(monkeypatch, width)
    shown = prewarm(*name.split(), "--help").stdout
    assert prewarm(*name.split(), "-h").stdout == shown
    assert too_long(shown, width) == []
    words = {word.strip(",;.") for word in shown.split()}
    options = {
        option
        for each in commands()[name].params
        if each.param_type_name == "option" and not each.hidden
        for option in (*each.opts, *each.secondary_opts)
    }
    assert options | {"-h", "--help"} <= words
    assert not BOXES & set(shown)
    assert "<" not in shown, "a flag has no value, and a value has a name"


def test_help_shows_defaults_and_environment_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_of(monkeypatch, 80)
    shown = " ".join(prewarm("start", "--help").stdout.split())
    for part in ("[default: sample]", "[default: 300]", "[env: PREWARM_API_KEY]", "-f, --file FILE"):
        assert part in shown
    assert "[default: 20]" in prewarm("list", "--help").stdout


def test_narrow_help_divides_examples_so_that_they_can_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_of(monkeypatch, 60)
    shown = prewarm("start", "--help").stdout
    example = shown.partition("Examples:")[2].partition("\n\n")[0]
    joined = " ".join(example.replace("\\\n", "").split())
    assert "prewarm start https://www.example.com/ --region apac,eu --wait" in joined
    assert " \\\n" in example


@pytest.mark.parametrize("name", COMMANDS)
def test_summary_of_a_command_is_the_first_sentence_of_its_help(name: str) -> None:
    assert COMMANDS[name].summary == first_sentence(commands()[name].help)


def test_start_run_and_local_differ_in_their_first_sentence() -> None:
    start, run, local = (COMMANDS[name].summary for name in ("start", "run", "local"))
    assert "deployed service" in start
    assert "from this machine" in run
    assert "without a deployed service" in run
    assert "until Ctrl-C" in local


LONG = "https://www.example.com/" + "a-long-path/" * 12 + "index.html"
ENDED = failed_status(
    {LONG: {"client_error:404": 297}, f"{LONG}?other": {"server_error:502:unreachable": 290, "timeout": 7}},
    startedAt="2026-11-20T01:38:29Z",
    endedAt="2026-11-20T01:41:02Z",
    bytes=2_500_000,
    cost={"dollars": 0.0123},
    warnings=[
        "the cache policy of the behaviour /a-long-path/* includes the header Accept-Language in the cache key"
    ],
    skippedPops=[{"pop": "FRA2-C1", "reason": reason} for reason in ("unresolved_pop", "outside_price_class")],
    targets={"done": 891, "total": 891, "outcomes": {"warmed": 297}, "popsPerUrl": 297, "variants": 1},
)
DRY_RUN = {
    "urls": 3,
    "hosts": 2,
    "targets": 30,
    "fetches": 33,
    "batches": 1,
    "stages": 1,
    "distributions": [
        {"domain": "d111abc.cloudfront.net", "urls": 2, "pops": ["A"] * 15, "skippedPops": [], "targets": 30}
    ],
    "noDistribution": {"urls": 1, "hosts": ["elsewhere.example.org", "another-host.example.org"]},
    "invalidation": {"paths": 2, "rounds": 1, "dollars": 0.01, "minutes": 1, "patterns": []},
    "sizes": {"asked": 2, "known": 0},
    "estimatedBytes": None,
    "cost": {"dollars": 0.0042},
    "warnings": ["12 of 30 POPs of d111abc.cloudfront.net cannot be reached, so their targets will fail"],
}
HISTORY = {
    "url": LONG,
    "fetched": LONG,
    "last": {
        "run": "r2",
        "warm": False,
        "startedAt": "2026-11-20T01:00:00Z",
        "warmTargets": 3,
        "reachableTargets": 4,
    },
    "lastWarm": {"run": "r1", "warm": True, "startedAt": "2026-11-19T01:00:00Z", "label": "shop 4f2a91c"},
    "looked": {"runs": 100, "days": 30, "complete": False},
}
REFUSED = error(
    "InvalidRequest",
    "all in one line",
    {"field": "region[0]", "message": "unknown region 'apca'", "near": ["apac", "ca"]},
    {"field": "max_rps", "message": "must be at least 0.1, got 0; omit it for no limit", "near": []},
)
START = ["start", *URL]
CALLS: list[tuple[list[str], int]] = [
    (["status", "the-run"], 0),
    (["watch", "the-run"], 1),
    ([*START, "--dry-run"], 0),
    ([*START, "--wait"], 1),
    (START, 0),
    (["cancel", "the-run"], 0),
    (["retry", "the-run"], 0),
    (["list", "--url", LONG], 0),
    (["pops", "show", "NRT57-P3"], 0),
    (["report", "the-run"], 0),
    (["status", "refused"], 2),
    (["run", LONG, "--region", "eu", "--distribution", "www.example.com"], 2),
    (["local", "--distribution", "www.example.com"], 2),
    (["start", "--file", "/no/such/folder/with/a/long/name/urls.txt", "--region", "eu"], 2),
    (["start", LONG], 2),
    (["list", "--since", "yesterday"], 2),
    (["list", "--function", "arn:aws:lambda:eu-west-1:123456789012:function:warm"], 2),
    (["configure", "--region", "eu-west-1"], 2),
]


def serve(api: FakeApi, call: list[str]) -> None:
    api.responses["POST /prewarm"] = [(200, {"dryRun": DRY_RUN} if "--dry-run" in call else {"requestID": RUN})]
    api.responses["POST /retry"] = [(200, {"requestID": RUN, "retryOf": RUN, "urls": 7})]
    ended = (400, REFUSED) if "refused" in call else (200, ENDED)
    api.responses["GET /status"] = [(200, running_status()), ended] if "--wait" in call else [ended]
    api.responses["DELETE /prewarm"] = [(200, ENDED)]
    api.responses["GET /urls"] = [(200, HISTORY)]
    api.responses["GET /report"] = [(200, {"url": f"{api.url}/store"})]
    api.responses["GET /store"] = [(200, b"url,outcome\n")]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("call", "code"), CALLS, ids=[" ".join(call)[:40] for call, _ in CALLS])
def test_output_on_a_terminal_is_the_pipes_divided_between_words(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, call: list[str], code: int, width: int
) -> None:
    serve(api, call)
    piped = prewarm(*call, code=code)
    serve(api, call)
    terminal_of(monkeypatch, width)
    shown = prewarm(*call, code=code)
    for at_terminal, in_pipe in ((shown.stdout, piped.stdout), (shown.stderr, piped.stderr)):
        words = [word for word in at_terminal.split() if not word.replace(".", "").isdigit()]
        assert words == [word for word in in_pipe.split() if not word.replace(".", "").isdigit()]
        assert too_long(at_terminal, width) == []
        assert not BOXES & set(at_terminal)


def test_url_in_a_pipe_is_whole_whatever_the_columns(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    api.responses["GET /status"] = [(200, ENDED)]
    lines = prewarm("status", "the-run").stdout.splitlines()
    start = lines.index(f"failed   {LONG}")
    assert lines[start + 1].startswith("         404 Not Found at all 297 POPs, such as FRA56-P5 (x-amz-cf-id ")
    assert lines[start + 2].startswith("next     publish the file, or take the URL off the list; see https://")
    assert f"failed   {LONG}?other" in lines


@pytest.mark.parametrize("width", WIDTHS)
def test_failed_urls_and_links_are_whole_at_every_width(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    api.responses["GET /status"] = [(200, ENDED)]
    terminal_of(monkeypatch, width)
    words = prewarm("status", "the-run").stdout.split()
    assert words.count(LONG) == words.count(f"{LONG}?other") == 1
    assert {step["link"] for step in ENDED["nextSteps"]} <= set(words)


def runs(name: str) -> list[dict[str, Any]]:
    old = {
        "requestID": RUN,
        "run": f"{name}1",
        "status": "FAILED",
        "startedAt": "2025-11-24T01:00:00Z",
        "endedAt": None,
    }
    new = old | {
        "run": f"{name}2",
        "status": "CANCELLED",
        "startedAt": "2026-01-02T03:04:05Z",
        "label": "acme/shop 4f2a91c07d GitHub 6789",
        "hosts": ["www.example.com", "img.example.com", "a.example.com", "b.example.com"],
        "hostCount": 7,
        "regionType": "region",
        "region": ["apac", "eu"],
        "total": 1_200,
        "warm": 1_199,
        "dollars": 0.0123,
        "startedBy": "direct",
    }
    return [new, old]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["20261124T013829Z-c0af4526a8d7f3b", "20261124T013829Z-" + "0123456789abcdef" * 2])
def test_list_on_a_terminal_is_a_table_that_fits(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, name: str, width: int
) -> None:
    api.responses["GET /runs"] = [(200, {"runs": runs(name)})]
    terminal_of(monkeypatch, width)
    shown = prewarm("list").stdout
    assert max(map(len, shown.splitlines())) <= width
    assert shown.startswith("RUN")
    assert "STARTED (UTC)" in shown
    words = " ".join(shown.split())
    for part in (
        f"{name}1",
        f"{name}2",
        "CANCELLED",
        "1,199 of 1,200",
        "acme/shop 4f2a91c07d GitHub 6789",
        "www.example.com img.example.com a.example.com and 4 more",
        "region apac,eu",
        "$0.0123",
        "d ago",
    ):
        assert part in words


def test_list_in_a_pipe_has_one_line_per_run_with_whole_times(api: FakeApi) -> None:
    api.responses["GET /runs"] = [(200, {"runs": runs("r")})]
    header, new, old = prewarm("list").stdout.splitlines()
    assert header.split()[:4] == ["RUN", "STATUS", "STARTED", "ENDED"]
    assert new.split()[:7] == ["r2", "CANCELLED", "2026-01-02T03:04:05Z", "-", "1199", "1200", "0.0123"]
    assert "www.example.com,img.example.com,a.example.com,b.example.com" in new
    assert old.split() == ["r1", "FAILED", "2025-11-24T01:00:00Z", *"-------"]


def test_list_sends_its_filters(api: FakeApi) -> None:
    api.responses["GET /runs"] = [(200, {"runs": []})]
    prewarm("list", "--label", "shop main", "--host", "www.example.com", "--since", "2026-11-24")
    assert api.calls[0].query == {
        "label": "shop main",
        "host": "www.example.com",
        "since": "2026-11-24",
        "limit": "20",
    }
    prewarm("list", "--since", "7d")
    assert api.calls[1].query["since"].endswith("Z")


def test_list_url_prints_when_it_was_warm_and_how_far_it_looked(api: FakeApi) -> None:
    api.responses["GET /urls"] = [(200, HISTORY)]
    lines = prewarm("list", "--url", LONG, "--since", "2w").stdout.splitlines()
    assert lines[0] == LONG
    assert re.search(r"not warm at 3 of 4 targets, started [-0-9]+ [:0-9]+ UTC, .* ago, ", lines[1]), lines[1]
    assert "(shop 4f2a91c)" in lines[2]
    assert lines[3] == "searched   100 runs in the last 30 days; the host has more runs in this time"
    assert api.calls[0].query == {"url": LONG, "days": "14"}
    assert json.loads(prewarm("list", "--url", LONG, "--json").stdout) == HISTORY
    one_run = HISTORY | {"looked": {"runs": 1, "days": 30, "complete": True}}
    api.responses["GET /urls"] = [(200, one_run)]
    assert prewarm("list", "--url", LONG).stdout.splitlines()[3] == "searched   1 run in the last 30 days"
