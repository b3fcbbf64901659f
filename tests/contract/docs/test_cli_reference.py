"""docs/cli.md agrees with the commands: its reference is generated, and each command has help and examples."""

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
    """Return all commands by name, including those of `pops`."""
    by_name: dict[str, Any] = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            by_name |= {f"{name} {inner}": each for inner, each in command.commands.items()}
        else:
            by_name[name] = command
    return by_name


def test_cli_page_matches_the_generated_reference() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert MARK in text
    assert text == page(text), "docs/cli.md is out of date: run python -m tools.cli_reference"


def test_reference_contains_a_changed_option_help(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_command_and_its_options_have_help(name: str) -> None:
    command = commands()[name]
    assert command.help
    assert [each.name for each in command.params if not each.help] == []


@pytest.mark.parametrize("name", sorted(commands()))
def test_command_examples_use_existing_options(name: str) -> None:
    examples = commands()[name].help.partition(EXAMPLES)[2]
    calls = re.findall(r"prewarm (.+?)(?: \||$)", examples, re.MULTILINE)
    assert calls, f"prewarm {name} has no example"
    for call in calls:
        words = shlex.split(call)
        assert " ".join(words).startswith(name)
        options = {option for each in commands()[name].params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("name", sorted(commands().keys() - {"local", "demo"}))
def test_command_with_output_has_a_json_option(name: str) -> None:
    assert "--json" in {option for each in commands()[name].params for option in each.opts}


def test_cli_page_lists_every_exit_code_and_request_field() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [int(code) for code in Code if f"\n| {int(code)} |" not in text] == []
    options = {"url_list": "[URL", "region_type": "--country"}
    options |= {"headers": "--header", "accept_encodings": "--accept-encoding"}
    named = {field: options.get(field, "--" + field.replace("_", "-")) for field in PrewarmRequest.model_fields}
    assert [field for field, option in named.items() if f"| `{option}" not in text] == []
