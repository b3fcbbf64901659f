"""Snippets in the docs are valid: JSON examples match the models, commands and their options exist."""

import json
import re
import shlex
from collections.abc import Iterator
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from jsonschema import Draft202012Validator

from api.schemas.responses import ErrorResponse, Status
from prewarm.request.validation import check_request
from prewarm_cli.main import app
from tests.support.definitions import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("bench/*.md"))]
WORKFLOW = ROOT / "examples/github-actions.yml"
# Where a command ends for the shell, such as `|`, `&&`, `>` or `2>`.
SHELL = re.compile(r"\d?[|&;<>]+.*")
JENKINS_STEP = re.compile(r"sh '(.*)'")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(path: Path, *languages: str) -> Iterator[str]:
    for language, text in BLOCK.findall(path.read_text(encoding="utf-8")):
        if language in languages:
            yield text


def wrong_json(text: str) -> str | None:
    """Return why an example is not valid JSON, or not a request, status or error of this service; None if it is."""
    try:
        document = json.loads(text.replace("…", "x"))
    except ValueError as error:
        return f"not JSON: {error}"
    if not isinstance(document, dict):
        return "not an object"
    try:
        if "region_type" in document or "target_type" in document:
            # Examples of sources contain only the fields that they illustrate.
            check_request({"region": "all"} | document)
        elif "error" in document:
            ErrorResponse.model_validate(document)
        elif "failedUrl" in document:
            schema = Status.model_json_schema(mode="serialization")
            Draft202012Validator(schema | {"required": []}).validate(document)
    except Exception as error:  # noqa: BLE001 - any failure of a model is reported
        return str(error)
    return None


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_json_examples_match_the_models(path: Path) -> None:
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
def test_wrong_json_reports_invalid_examples(text: str) -> None:
    assert wrong_json(text)


def lines(path: Path) -> Iterator[str]:
    """Yield the command lines of a page's shell, YAML and Jenkins blocks, with continuation lines joined."""
    for text in blocks(path, "sh", "console", "yaml", "groovy"):
        for line in text.replace("\\\n", " ").splitlines():
            step = JENKINS_STEP.fullmatch(line.strip())
            yield step[1] if step else line.removeprefix("$ ").strip()


def wrong_command(line: str) -> str | None:
    """Return the unknown command, option or make target of a line; None if there is none."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return None
    for start, word in enumerate(words):
        # `pipx install cloudfront-prewarm` names the package, `uvx cloudfront-prewarm start` calls the command.
        if (
            word == "prewarm"
            or word.endswith("/bin/prewarm")
            or words[start - 1 : start + 1] == ["uvx", "cloudfront-prewarm"]
        ):
            rest = list(dropwhile(lambda word: not SHELL.fullmatch(word), words[start + 1 :]))
            return wrong_options(words[start + 1 :]) or wrong_command(shlex.join(rest[1:]))
        if word == "make" and start == 0:
            targets = [target for target in words[1:] if "=" not in target]
            existing = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            return next((f"no target {target}" for target in targets if target not in existing), None)
    return None


def wrong_options(words: list[str]) -> str | None:
    """Return the unknown command or option of a call of `prewarm`; None if there is none."""
    # Any: typer has its own classes in place of click's.
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = [word.partition("=")[0] for word in words if word.startswith("--") and word != "--"]
    unknown = next((f"no option {option}" for option in used if option not in {*options, "--help"}), None)
    return unknown or wrong_values(command, words)


def wrong_values(command: Any, words: list[str]) -> str | None:
    """Return why the command's own parser refuses a call, which is not run; None if it accepts it."""
    if not words and hasattr(command, "commands"):
        return None
    own = list(takewhile(lambda word: not SHELL.fullmatch(word), words))
    try:
        command.make_context("prewarm", own)
    except typer.Exit:  # --help
        return None
    except Exception as error:  # noqa: BLE001 - click's own classes differ by typer's version
        return f"{type(error).__name__}: {getattr(error, 'message', '') or error}"
    return None


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_and_options_exist(path: Path) -> None:
    assert [f"{line}: {problem}" for line in lines(path) if (problem := wrong_command(line))] == []


@pytest.mark.parametrize(
    "line",
    [
        "prewarm begin x",
        ".venv/bin/prewarm start x --regions eu",
        "cd x && prewarm pops shows",
        "uvx cloudfront-prewarm begin x",
        "prewarm status RUN && prewarm begin x",
        "make coffee",
        "prewarm status",
        "prewarm status RUN OTHER",
        "prewarm start x --region eu --wait-seconds soon",
        "prewarm list --status BROKEN | jq .",
        "prewarm start x -R",
        "prewarm report RUN --output",
    ],
)
def test_wrong_command_reports_unknown_names(line: str) -> None:
    assert wrong_command(line)


def test_workflow_example_calls_the_command_with_existing_options() -> None:
    steps = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["warm"]["steps"]
    calls = [step["run"] for step in steps if "run" in step]
    assert any(call.startswith("prewarm start ") and "--wait" in call for call in calls)
    assert [problem for call in calls if (problem := wrong_command(call))] == []


def test_pages_contain_enough_snippets() -> None:
    """Guards the rules above against checking nothing."""
    assert sum(1 for path in PAGES for _ in blocks(path, "json")) > 5
    assert sum(1 for path in PAGES for line in lines(path) if "prewarm " in line) > 20
