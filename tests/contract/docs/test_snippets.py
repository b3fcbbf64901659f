"""What the documentation shows to be typed: JSON that the models take, commands that exist with their options."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator

from api.schemas.responses import ErrorResponse, Status
from prewarm.request.model import check_request
from prewarm_cli.main import app
from tests.support.definitions import ROOT

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("bench/*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(path: Path, *languages: str) -> Iterator[str]:
    for language, text in BLOCK.findall(path.read_text(encoding="utf-8")):
        if language in languages:
            yield text


def wrong_json(text: str) -> str | None:
    """Say what is wrong with an example: it is no JSON, or no request, status or error of this service."""
    try:
        document = json.loads(text.replace("…", "x"))
    except ValueError as error:
        return f"no JSON: {error}"
    if not isinstance(document, dict):
        return "no object"
    try:
        if "region_type" in document or "target_type" in document:
            # Examples of sources show what they are about, and no more.
            check_request({"region": "all"} | document)
        elif "error" in document:
            ErrorResponse.model_validate(document)
        elif "failedUrl" in document:
            schema = Status.model_json_schema(mode="serialization")
            Draft202012Validator(schema | {"required": []}).validate(document)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return str(error)
    return None


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_json_examples_are_what_the_models_take(path: Path) -> None:
    assert [problem for text in blocks(path, "json") if (problem := wrong_json(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        '{"url_list": [}',
        '{"url_list": ["https://www.example.com/"], "region_type": "planet"}',
        '{"error": {"code": 1}}',
        '{"status": "DONE", "failedUrl": []}',
    ],
)
def test_wrong_examples_are_found(text: str) -> None:
    assert wrong_json(text)


def lines(path: Path) -> Iterator[str]:
    """Give the command lines of a page's shell blocks, continued ones joined, comments cut."""
    for text in blocks(path, "sh", "console"):
        for line in text.replace("\\\n", " ").splitlines():
            yield line.removeprefix("$ ").strip()


def wrong_command(line: str) -> str | None:
    """Say what is wrong with a line that calls the command or make: an unknown command, option or target."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return None
    for start, word in enumerate(words):
        if word in {"prewarm", ".venv/bin/prewarm"}:
            return wrong_options(words[start + 1 :])
        if word == "make" and start == 0:
            targets = [target for target in words[1:] if "=" not in target]
            known = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            return next((f"no target {target}" for target in targets if target not in known), None)
    return None


def wrong_options(words: list[str]) -> str | None:
    # Any: typer brings classes of its own for what used to be click's.
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = [word.partition("=")[0] for word in words if word.startswith("--") and word != "--"]
    return next((f"no option {option}" for option in given if option not in {*known, "--help"}), None)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_exist_with_their_options(path: Path) -> None:
    assert [f"{line}: {problem}" for line in lines(path) if (problem := wrong_command(line))] == []


@pytest.mark.parametrize(
    "line",
    ["prewarm begin x", ".venv/bin/prewarm start x --regions eu", "cd x && prewarm pops shows", "make coffee"],
)
def test_wrong_commands_are_found(line: str) -> None:
    assert wrong_command(line)


def test_the_pages_show_enough_to_be_checked() -> None:
    """Otherwise the rules above would hold of nothing."""
    assert sum(1 for path in PAGES for _ in blocks(path, "json")) > 5
    assert sum(1 for path in PAGES for line in lines(path) if "prewarm " in line) > 20
