"""The GitHub Action's step (action.yml): start a run with the inputs, follow it, and set the outputs.

The inputs are environment variables, PREWARM_INPUT_…, of which empty ones were not given.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from prewarm_cli.ci import workflow_commands
from prewarm_cli.config import FUNCTION_VARIABLE, KEY_VARIABLE, URL_VARIABLE
from prewarm_cli.errors import Code, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "PREWARM_INPUT_"
CONNECTION = {"API_URL": URL_VARIABLE, "API_KEY": KEY_VARIABLE, "FUNCTION": FUNCTION_VARIABLE}
PREWARM = (sys.executable, "-m", "prewarm_cli")
KINDS = ("region", "country", "pop")
POP_ID = re.compile(r"[A-Z]{3}[0-9]{1,3}-[A-Z][0-9]{1,3}", re.ASCII)
REPORT = "prewarm-report.html"


def start_arguments(inputs: Mapping[str, str]) -> list[str]:
    """Return the arguments of `prewarm start`; the input `urls` is its stdin.

    Raises:
        CommandFailed: an input is not valid.

    """
    arguments = ["start", "--json"]
    if inputs.get("URLS"):
        arguments += ["--file", "-"]
    # Joined by =, so that a value that begins with a dash is not an option.
    for option, name in (("file", "FILE"), ("targets", "TARGETS"), ("label", "LABEL"), ("fail-on", "FAIL_ON")):
        if value := inputs.get(name):
            arguments.append(f"--{option}={value}")
    return arguments + [f"--{kind}={name}" for kind, name in locations_of(inputs.get("LOCATIONS", ""))]


def locations_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and name of each location: `apac, country: india, japan` has a region and two countries.

    A kind holds until the next one; POP ids need none.

    Raises:
        CommandFailed: a kind is unknown.

    """
    kind = "region"
    for entry in re.split(r"[,\n]", text):
        before, colon, after = entry.rpartition(":")
        if colon:
            kind = before.strip().lower()
            if kind not in KINDS:
                raise CommandFailed(f"locations: {before.strip()!r} is not a kind; use region:, country: or pop:")
        if name := after.strip():
            yield ("pop" if POP_ID.fullmatch(name) else kind), name


def waits(text: str) -> bool:
    """Return whether to wait for the end.

    Raises:
        CommandFailed: the input is not a boolean.

    """
    if text.lower() not in {"true", "false", ""}:
        raise CommandFailed(f"wait: must be true or false, got {text!r}")
    return text.lower() != "false"


def main() -> int:
    """Run the step, and return its exit code: that of the run if it waits for it."""
    given = {name.removeprefix(PREFIX): value for name, value in os.environ.items() if name.startswith(PREFIX)}
    inputs = {name: value for name, value in given.items() if value.strip()}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    _connect(environment, inputs)
    try:
        arguments, wait = start_arguments(inputs), waits(inputs.get("WAIT", ""))
    except CommandFailed as failed:
        print(workflow_commands.command("error", "prewarm", str(failed)), flush=True)
        return failed.code
    started = subprocess.run(
        [*PREWARM, *arguments],
        input=inputs.get("URLS", ""),
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if started.returncode:
        return started.returncode
    run = json.loads(started.stdout)["requestID"]
    # Set before the wait, so that a cancelled job still names its run.
    set_output("requestID", run)
    return _followed(run, environment) if wait else _status_set("IN_PROGRESS")


def _connect(environment: dict[str, str], inputs: Mapping[str, str]) -> None:
    """Put the connection's inputs into the environment; a key or a function replaces the job's other one."""
    if key := inputs.get("API_KEY"):
        print(f"::add-mask::{workflow_commands.escape_data(key)}", flush=True)
        environment.pop(FUNCTION_VARIABLE, None)
    elif inputs.get("FUNCTION"):
        environment.pop(KEY_VARIABLE, None)
    environment |= {variable: inputs[name] for name, variable in CONNECTION.items() if inputs.get(name)}


def _followed(run: str, environment: dict[str, str]) -> int:
    """Follow a run to its end, set its status and report, and return its exit code."""
    folder = Path(tempfile.mkdtemp(prefix="prewarm-", dir=environment.get("RUNNER_TEMP")))
    report = folder / REPORT
    watched = subprocess.run([*PREWARM, "watch", run, "--report", str(report)], env=environment, check=False)
    shown = subprocess.run(
        [*PREWARM, "status", run, "--json"], env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if shown.returncode == Code.WARM:
        _status_set(json.loads(shown.stdout)["status"])
    set_output("report", str(report) if report.exists() else "")
    return watched.returncode


def _status_set(status: str) -> int:
    set_output("status", status)
    return Code.WARM


def set_output(name: str, value: str) -> None:
    """Append an output to GITHUB_OUTPUT, whatever the value contains."""
    if not (path := os.environ.get("GITHUB_OUTPUT")):
        return
    # A delimiter that a value cannot contain by intent (GitHub Docs, "Workflow commands", multiline strings).
    end = f"end-{secrets.token_hex(16)}"
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{name}<<{end}\n{value}\n{end}\n")


if __name__ == "__main__":
    sys.exit(main())
