"""The files of docs/recipes.md: each parses, and the stage of CodePipeline is that of the example."""

import re
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.support.definitions import ROOT

PAGE = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
YAML = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
# The parser has no type hints.
parse: Any = yaml_parse


def unbalanced(text: str) -> bool:
    """Return whether brackets of a Groovy file without comments do not match; those in quotes do not count."""
    opened = []
    for bracket in re.sub(r"'[^'\n]*'|//.*", "", text):
        if bracket in "{(":
            opened.append(bracket)
        elif bracket in "})" and (not opened or opened.pop() + bracket not in {"{}", "()"}):
            return True
    return bool(opened)


def test_each_yaml_file_parses() -> None:
    assert len(YAML) >= 4
    assert all(isinstance(parse(text), dict | list) for text in YAML)


def test_pipeline_stage_is_that_of_the_example() -> None:
    example = parse((ROOT / "examples/codepipeline.yaml").read_text(encoding="utf-8"))
    (stage,) = next(parse(text) for text in YAML if "InputType" in text)
    assert stage == example["Resources"]["Pipeline"]["Properties"]["Stages"][-1]


def test_jenkinsfile_has_matching_brackets() -> None:
    (text,) = re.findall(r"^```groovy\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert not unbalanced(text)


@pytest.mark.parametrize("text", ["a {", "a }", "a { ( } )"])
def test_unbalanced_reports_brackets_that_do_not_match(text: str) -> None:
    assert unbalanced(text)


# ---- what each CI service requires of its file, by its own reference ----

STEP_KEYS = {"name", "id", "if", "uses", "with", "run", "env", "shell", "working-directory", "continue-on-error"}
PHASES = {"install", "pre_build", "build", "post_build"}


def github_problems(workflow: dict[Any, Any]) -> list[str]:
    """Return what GitHub would refuse ("Workflow syntax for GitHub Actions"); `on` is a boolean in YAML 1.1."""
    problems = [] if "on" in workflow or True in workflow else ["no trigger"]
    for name, job in workflow.get("jobs", {}).items():
        problems += [] if "runs-on" in job or "uses" in job else [f"{name}: no runs-on"]
        for step in job.get("steps", ()):
            problems += [f"{name}: {key} is not a key of a step" for key in step.keys() - STEP_KEYS]
            problems += [] if ("uses" in step) != ("run" in step) else [f"{name}: a step has one of uses and run"]
            problems += [] if "with" not in step or "uses" in step else [f"{name}: with belongs to uses"]
            problems += [] if "@" in step.get("uses", "@") or step["uses"].startswith("./") else ["no version"]
    return problems if workflow.get("jobs") else [*problems, "no jobs"]


def gitlab_problems(pipeline: dict[str, Any]) -> list[str]:
    """Return what GitLab would refuse ("CI/CD YAML syntax reference")."""
    jobs = {name: job for name, job in pipeline.items() if isinstance(job, dict) and "script" in job}
    problems = [] if jobs else ["no job with a script"]
    for name, job in jobs.items():
        problems += [] if job.get("stage", "test") in pipeline.get("stages", ["test"]) else [f"{name}: unknown stage"]
        reports = job.get("artifacts", {}).get("reports", {})
        problems += [f"{name}: no report {key}" for key in reports.keys() - {"junit", "annotations", "dotenv"}]
    return problems


def codebuild_problems(spec: dict[str, Any]) -> list[str]:
    """Return what CodeBuild would refuse (User Guide, "Build specification reference")."""
    problems = [] if spec.get("version") == 0.2 else ["version is not 0.2"]
    problems += [f"no phase {name}" for name in spec.get("phases", {}).keys() - PHASES]
    problems += [] if any("commands" in phase for phase in spec.get("phases", {}).values()) else ["no commands"]
    return problems + [
        f"{name}: no files" for name, report in spec.get("reports", {}).items() if "files" not in report
    ]


def circleci_problems(config: dict[str, Any]) -> list[str]:
    """Return what CircleCI would refuse ("Configuration reference")."""
    jobs = config.get("jobs", {})
    called = [
        name
        for workflow in config.get("workflows", {}).values()
        for entry in workflow["jobs"]
        for name in ([entry] if isinstance(entry, str) else entry)
    ]
    problems = [f"no job {name}" for name in called if name not in jobs] or ([] if called else ["no workflow"])
    executors = {"docker", "machine", "macos", "executor"}
    problems += [f"{name}: no executor" for name, job in jobs.items() if not executors & job.keys()]
    return problems + [f"{name}: no steps" for name, job in jobs.items() if not job.get("steps")]


RULES = {
    ".github/workflows/": github_problems,
    ".gitlab-ci.yml": gitlab_problems,
    "buildspec.yml": codebuild_problems,
    ".circleci/config.yml": circleci_problems,
}


@pytest.mark.parametrize("name", RULES)
def test_ci_files_have_what_their_service_requires(name: str) -> None:
    files = [parse(text) for text in YAML if text.startswith(f"# {name}")]
    assert files, "the page has no such file"
    assert [problem for document in files for problem in RULES[name](document)] == []


@pytest.mark.parametrize(
    ("name", "document", "count"),
    [
        (".github/workflows/", {"on": "push", "jobs": {"a": {"steps": [{"run": "x", "with": {}, "ifs": 1}]}}}, 3),
        (".github/workflows/", {"jobs": {"a": {"runs-on": "x", "steps": [{"uses": "a/b"}, {"name": "n"}]}}}, 3),
        (
            ".gitlab-ci.yml",
            {"stages": ["a"], "j": {"script": [], "stage": "b", "artifacts": {"reports": {"x": 1}}}},
            2,
        ),
        ("buildspec.yml", {"version": 0.1, "phases": {"test": {}}, "reports": {"r": {}}}, 4),
        (".circleci/config.yml", {"jobs": {"a": {}}, "workflows": {"w": {"jobs": [{"b": {}}]}}}, 3),
    ],
)
def test_rules_report_what_a_service_would_refuse(name: str, document: dict[str, Any], count: int) -> None:
    assert len(RULES[name](document)) == count
