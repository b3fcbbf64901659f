"""`prewarm pops` and `prewarm local` with bad input and on narrow terminals."""

import errno
import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

import prewarm_local.stack.stack
from prewarm.catalogue import catalogue
from tests.support.fake_api import prewarm
from tests.support.terminal_widths import terminal_of


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--country", "japn"],
        ["list", "--location", "QQQ"],
        ["show", "SYD99-C1"],
    ],
)
def test_pops_with_bad_input_prints_an_error_document(arguments: list[str]) -> None:
    result = prewarm("pops", *arguments, "--json", code=2)
    assert json.loads(result.stdout)["error"]["code"] == "BadInput"
    assert result.stderr.startswith("prewarm: ")


def test_pops_without_command_lists_all_pops() -> None:
    assert [row["id"] for row in json.loads(prewarm("pops", "--json").stdout)] == list(catalogue().pops)
    assert f"{len(catalogue().pops)} POPs" in prewarm("pops").stdout
    assert "prewarm pops show --json" in prewarm("pops", "--json", "show", "SYD1-C1", code=2).stderr


@pytest.mark.parametrize("columns", [30, 40, 50, 80])
def test_pop_ids_are_complete_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    terminal_of(monkeypatch, columns)
    lines = prewarm("pops", "list", "--region", "all").stdout.splitlines()
    assert set(catalogue().pops) <= {word for line in lines for word in line.split()}
    assert max(len(line) for line in lines) <= columns


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_local_with_invalid_port_exits_2(port: str) -> None:
    assert "--port" in prewarm("local", "--port", port, code=2).stderr


@pytest.mark.parametrize("key", ["a b", "", "k\u00f6y"])
def test_local_refuses_a_key_that_cannot_be_sent(key: str) -> None:
    assert "--api-key must consist of visible ASCII" in prewarm("local", "--api-key", key, code=2).stderr


def test_local_names_the_log_folder_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert f"--log-dir {file}: is not a folder" in prewarm("local", "--log-dir", str(file), code=2).stderr
    below = file / "logs"
    assert f"--log-dir {below}: not a directory" in prewarm("local", "--log-dir", str(below), code=2).stderr


def test_local_names_the_port_that_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_use(**_: Any) -> None:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(prewarm_local.stack.stack, "EmbeddedStack", in_use)
    shown = prewarm("local", "--port", "8080", code=2).stderr
    assert "--port 8080: address already in use; pass another port, or 0 for a free one" in shown


def test_pops_refuses_json_together_with_csv() -> None:
    assert "--json and --csv cannot be combined" in prewarm("pops", "list", "--json", "--csv", code=2).stderr


def test_local_prints_export_lines_on_stderr_and_one_json_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Served:
        api, api_key = "http://127.0.0.1:1/v1", "the key"

        def __init__(self, **_: Any) -> None:
            self.entered = False

        def __enter__(self) -> None:
            self.entered = True

        def __exit__(self, *_: object) -> None:
            self.entered = False

        def ready_line(self) -> dict[str, str]:
            assert self.entered
            return {"api": self.api, "apiKey": self.api_key}

    monkeypatch.setattr(prewarm_local.stack.stack, "EmbeddedStack", Served)
    monkeypatch.setattr(threading.Event, "wait", lambda *_: True)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        shown = prewarm("local")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert json.loads(shown.stdout)["apiKey"] == "the key"
    assert "Dashboard: http://127.0.0.1:1/v1/" in shown.stderr
    assert "\nexport PREWARM_API_URL=http://127.0.0.1:1/v1\nexport PREWARM_API_KEY='the key'\n" in shown.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("foo", "'foo' is not a distribution's domain name, such as d111abc.cloudfront.net"),
        ("www.example.com", "write d111abc.cloudfront.net=www.example.com with your distribution's own name"),
        ("https://d111abc.cloudfront.net", "is not a distribution's domain name"),
        ("E1ABCDEF", "is not a distribution's domain name"),
        ("www.example.com=d111abc.cloudfront.net", "write d111abc.cloudfront.net=www.example.com"),
        ("d111abc.cloudfront.net=", "has no host after the =; write d111abc.cloudfront.net=www.example.com"),
        ("d111abc.cloudfront.net=https://www.example.com/", "'https://www.example.com/' is not a host name"),
        ("", "'' is not a distribution's domain name"),
    ],
)
@pytest.mark.parametrize("arguments", [["local"], ["run", "https://www.example.com/", "--region", "eu"]])
def test_invalid_distribution_is_explained(arguments: list[str], text: str, words: str) -> None:
    shown = prewarm(*arguments, "--distribution", text, code=2).stderr
    assert shown.startswith("prewarm: --distribution: ")
    assert words in shown


@pytest.mark.parametrize(
    ("distribution", "fix"),
    [
        ("d111abc.cloudfront.net", "d111abc.cloudfront.net=www.example.com"),
        ("D111ABC.cloudfront.net=img.example.com", "d111abc.cloudfront.net=img.example.com,www.example.com"),
        ("d111abc.cloudfront.net=*.www.example.com", "d111abc.cloudfront.net=*.www.example.com,www.example.com"),
    ],
)
def test_run_without_the_host_of_its_urls_is_explained(distribution: str, fix: str) -> None:
    urls = ["https://www.example.com/a", "https://WWW.example.com/b"]
    shown = prewarm("run", *urls, "--region", "eu", "--distribution", distribution, code=2).stderr
    assert "--distribution: none names a host of the URLs: www.example.com; " in shown
    assert shown.rstrip().endswith(fix)
