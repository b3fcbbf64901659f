"""Runs a composite GitHub Action's steps as the runner does: bash, the environment files, expressions in `env`."""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.definitions import ROOT

EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
# GitHub Docs, "Workflow syntax for GitHub Actions", jobs.<job_id>.steps[*].shell: bash.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


def action() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return document


@dataclass
class Job:
    """A job on a runner with the folder `temp`; `run` runs the action's steps, or those of these numbers."""

    temp: Path
    environment: dict[str, str]
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        return "".join(path.read_text() for path in sorted(self.temp.glob("summary-*")))

    def run(self, *numbers: int, **inputs: str) -> int:
        """Run steps with inputs (`fail_on` for fail-on); return the exit code of the one that fails, or 0."""
        document = action()
        values = {name: entry.get("default", "") for name, entry in document["inputs"].items()}
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() <= values.keys()
        context = {f"inputs.{name}": value for name, value in (values | given).items()}
        context["github.action_path"] = str(ROOT)
        code = 0
        for number, step in enumerate(document["runs"]["steps"]):
            if (not numbers or number in numbers) and not code:
                code = self._step(number, step, context)
        self.outputs = {
            name: evaluated(entry["value"], lambda key: context.get(key, ""))
            for name, entry in document["outputs"].items()
        }
        return code

    def _step(self, number: int, step: dict[str, Any], context: dict[str, str]) -> int:
        assert step["shell"] == "bash"
        files = {
            "GITHUB_OUTPUT": self.temp / f"output-{number}",
            "GITHUB_STEP_SUMMARY": self.temp / f"summary-{number}",
        }
        for path in files.values():
            path.write_text("")
        script = self.temp / f"step-{number}.sh"
        script.write_text(step["run"])
        own = {name: evaluated(text, context.__getitem__) for name, text in step.get("env", {}).items()}
        runner = {"RUNNER_TEMP": str(self.temp), "GITHUB_ACTIONS": "true", "CI": "true"}
        environment = self.environment | runner | {name: str(path) for name, path in files.items()} | own
        done = subprocess.run(
            [*BASH, str(script)],
            env=environment,
            cwd=self.temp,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        self.log += done.stdout + done.stderr
        for name, value in read_outputs(files["GITHUB_OUTPUT"].read_text()).items():
            context[f"steps.{step.get('id')}.outputs.{name}"] = value
        return done.returncode


def evaluated(text: str, value_of: Callable[[str], str]) -> str:
    return EXPRESSION.sub(lambda match: value_of(match[1]), text)


def read_outputs(text: str) -> dict[str, str]:
    """Return the outputs of an environment file: `name=value`, or `name<<END`, lines, `END`."""
    outputs, lines = {}, iter(text.splitlines())
    for line in lines:
        name, multiline, end = line.partition("<<")
        if not multiline:
            name, _, outputs[name] = line.partition("=")
            continue
        value: list[str] = []
        for each in lines:
            if each == end:
                break
            value.append(each)
        outputs[name] = "\n".join(value)
    return outputs


def runner_environment(**added: str) -> dict[str, str]:
    """Return this shell's environment without what the tests' own CI server or user may have set."""
    dropped = ("GITHUB_", "PREWARM_", "AWS_", "CI_", "RUNNER_")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)} | added
