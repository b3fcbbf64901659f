"""docs/cli.md says what the commands do: its reference is made of them, and every one has help and examples."""

import re
import shlex
from typing import Any

import pytest
import typer

from prewarm.request.model import PrewarmRequest
from prewarm_cli.errors import Code
from prewarm_cli.main import app
from tools.cli_reference import EXAMPLES, MARK, PAGE, page, reference


def commands() -> dict[str, Any]:
    """All commands by name, those of `pops` included."""
    found: dict[str, Any] = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            found |= {f"{name} {inner}": each for inner, each in command.commands.items()}
        else:
            found[name] = command
    return found


def test_the_page_is_what_the_commands_make_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert MARK in text
    assert text == page(text), "docs/cli.md is behind the commands; write it anew by: python -m tools.cli_reference"


def test_a_change_of_an_option_is_a_change_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    start = commands()["start"]
    before = "\n".join(reference())
    monkeypatch.setattr(typer.main, "get_command", lambda _: _Group({"start": start}))
    monkeypatch.setattr(start.params[0], "help", "Something else.")
    assert "Something else." in "\n".join(reference())
    assert "Something else." not in before


class _Group:
    def __init__(self, commands: dict[str, Any]) -> None:
        self.commands = commands


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_has_help(name: str) -> None:
    command = commands()[name]
    assert command.help
    assert [each.name for each in command.params if not each.help] == []


@pytest.mark.parametrize("name", sorted(commands()))
def test_examples_name_options_that_exist(name: str) -> None:
    examples = commands()[name].help.partition(EXAMPLES)[2]
    calls = re.findall(r"prewarm (.+?)(?: \||$)", examples, re.MULTILINE)
    assert calls, f"prewarm {name} has no example"
    for call in calls:
        words = shlex.split(call)
        assert " ".join(words).startswith(name)
        known = {option for each in commands()[name].params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("name", sorted(commands().keys() - {"local", "demo"}))
def test_every_command_that_answers_has_json(name: str) -> None:
    assert "--json" in {option for each in commands()[name].params for option in each.opts}


def test_the_page_has_every_exit_code_and_every_field_of_a_request() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [int(code) for code in Code if f"\n| {int(code)} |" not in text] == []
    options = {"url_list": "[URL", "region_type": "--country"}
    options |= {"headers": "--header", "accept_encodings": "--accept-encoding"}
    named = {field: options.get(field, "--" + field.replace("_", "-")) for field in PrewarmRequest.model_fields}
    assert [field for field, option in named.items() if f"| `{option}" not in text] == []
