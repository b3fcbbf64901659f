"""A run's label from the variables of the CI server: repository, commit and pipeline. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# The service's limit; the repository gives way, since runs differ by commit and pipeline.
MAX_LABEL = 200
COMMIT_LENGTH = 10


class Source(NamedTuple):
    """Where a CI server names what it builds: variables, of which the first that is set counts."""

    marker: str
    repository: tuple[str, ...]
    commit: tuple[str, ...]
    pipeline: tuple[str, ...]


# In this order: Jenkins and CodeBuild may run inside a job of another server, whose variables are then inherited.
# GitHub Docs, "Default environment variables"; GitLab Docs, "Predefined CI/CD variables reference"; CircleCI Docs,
# "Built-in environment variables"; CodeBuild User Guide, "Environment variables in build environments"; Jenkins
# Handbook, "Using environment variables", and its Git plugin.
SOURCES = {
    "GitHub": Source("GITHUB_ACTIONS", ("GITHUB_REPOSITORY",), ("GITHUB_SHA",), ("GITHUB_RUN_ID",)),
    "GitLab": Source("GITLAB_CI", ("CI_PROJECT_PATH",), ("CI_COMMIT_SHA",), ("CI_PIPELINE_ID",)),
    "CircleCI": Source(
        "CIRCLECI", ("CIRCLE_REPOSITORY_URL", "CIRCLE_PROJECT_REPONAME"), ("CIRCLE_SHA1",), ("CIRCLE_BUILD_NUM",)
    ),
    "CodeBuild": Source(
        "CODEBUILD_BUILD_ID",
        ("CODEBUILD_SOURCE_REPO_URL",),
        ("CODEBUILD_RESOLVED_SOURCE_VERSION",),
        ("CODEBUILD_BUILD_ID",),
    ),
    "Jenkins": Source("JENKINS_URL", ("GIT_URL", "JOB_NAME"), ("GIT_COMMIT",), ("BUILD_TAG", "BUILD_NUMBER")),
}


def ci_label(environment: Mapping[str, str], *, pipeline: bool = True) -> str | None:
    """Return a label such as `acme/shop 4f2a91c07d GitHub 6789`; None outside of CI.

    `pipeline`: whether the label names the pipeline, which differs in each repetition of the same commit.
    """
    for name, source in SOURCES.items():
        if environment.get(source.marker, "").lower() not in {"", "false"}:
            repository = _repository(_first(environment, source.repository))
            commit = _first(environment, source.commit)[:COMMIT_LENGTH]
            number = f"{name} {_first(environment, source.pipeline)}" if pipeline else ""
            return _label(repository, f"{commit} {number}")
    return None


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := environment.get(name, ""))), "")


def _repository(text: str) -> str:
    """Return a repository's name from its address, which may contain a user name and a token."""
    if "://" in text:
        text = text.partition("://")[2].partition("/")[2]
    elif "@" in text and ":" in text:
        text = text.rpartition(":")[2]
    return text.strip("/").removesuffix(".git")


def _label(repository: str, rest: str) -> str | None:
    """Return printable text of at most 200 characters, without spaces at its ends."""
    rest = " ".join(rest.split())
    text = f"{repository[: max(0, MAX_LABEL - len(rest) - 1)]} {rest}"
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:MAX_LABEL].strip() or None
