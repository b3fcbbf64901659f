"""The files of .github: they parse, and every action is pinned by a full commit with its version next to it.

A tag can be moved to other code; a commit cannot. Each rule is shown to find a break in a made-up workflow.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.definitions import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
YAML_FILES = sorted([*ROOT.glob(".github/**/*.y*ml"), ROOT / ".pre-commit-config.yaml"])
USES = re.compile(r"^\s*(?:- )?uses:\s*(.*)$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
PYTHONS = ["3.11", "3.12", "3.13"]
# What only some jobs may hold, and the workflows that need it.
WRITE_PERMISSIONS = {"release.yml": {"id-token", "attestations", "contents"}, "codeql.yml": {"security-events"}}


def unpinned_actions(text: str) -> list[str]:
    return [action for action in USES.findall(text) if not PINNED.fullmatch(action.strip())]


def problems_of(name: str, workflow: dict[str, Any]) -> list[str]:
    """List missing permissions and time limits, and rights to write that are not expected."""
    problems = [] if "permissions" in workflow else ["no top-level permissions: the token would have all rights"]
    for title, job in workflow["jobs"].items():
        if "timeout-minutes" not in job:
            problems.append(f"{title}: no timeout-minutes")
        granted = {right for right, level in job.get("permissions", {}).items() if level == "write"}
        if extra := granted - WRITE_PERMISSIONS.get(name, set()):
            problems.append(f"{title}: may write {', '.join(sorted(extra))}")
    return problems


def parsed(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_every_file_parses(path: Path) -> None:
    assert isinstance(parsed(path), dict)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_a_commit_with_its_version(path: Path) -> None:
    assert unpinned_actions(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_has_a_time_limit_and_few_rights(path: Path) -> None:
    assert problems_of(path.name, parsed(path)) == []


def test_one_version_of_an_action_is_used_everywhere() -> None:
    actions = {action.strip() for path in WORKFLOWS for action in USES.findall(path.read_text(encoding="utf-8"))}
    repositories = ["/".join(action.split("@")[0].split("/")[:2]) for action in actions]
    versions = {(repository, action.split("@")[1]) for repository, action in zip(repositories, actions, strict=True)}
    assert len(versions) == len(set(repositories))


@pytest.mark.parametrize(
    "action",
    [
        "actions/checkout@v7",
        "actions/checkout@3d3c42e # v7.0.1",
        f"actions/checkout@{'a' * 40}",
        f"actions/checkout@{'a' * 40} # latest",
        "./.github/actions/own",
    ],
)
def test_an_unpinned_action_is_found(action: str) -> None:
    assert unpinned_actions(f"jobs:\n  test:\n    steps:\n      - uses: {action}\n") == [action]
    assert unpinned_actions(f"      - uses: a/b/c@{'a' * 40} # v1.2.3\n") == []


def test_missing_limits_and_extra_rights_are_found() -> None:
    workflow = {"jobs": {"test": {"permissions": {"packages": "write", "contents": "read"}}}}
    assert problems_of("ci.yml", workflow) == [
        "no top-level permissions: the token would have all rights",
        "test: no timeout-minutes",
        "test: may write packages",
    ]


def test_ci_runs_the_projects_own_command_on_every_supported_python() -> None:
    job = parsed(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == PYTHONS
    assert job["steps"][-1]["run"] == ".ci/run"
    assert [line for line in pyproject_pythons() if line not in PYTHONS] == []


def test_ci_audits_every_lock_file_that_users_install() -> None:
    steps = parsed(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["audit"]["steps"]
    commands = " ".join(step.get("run", "") for step in steps)
    for lock in ("functions/requirements.txt", "requirements/local.txt"):
        assert (ROOT / lock).exists()
        assert f"pip-audit --disable-pip --require-hashes --requirement {lock}" in commands


def pyproject_pythons() -> list[str]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return re.findall(r"Programming Language :: Python :: (\d+\.\d+)", text)
