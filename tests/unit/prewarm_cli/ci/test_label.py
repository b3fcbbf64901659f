"""Labels of runs from the variables of CI servers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prewarm_cli.ci.label import MAX_LABEL, SOURCES, ci_label

SHA = "4f2a91c07d5e6f708192a3b4c5d6e7f809112233"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_SHA": SHA,
    "GITHUB_RUN_ID": "6789",
}


@pytest.mark.parametrize(
    ("variables", "label"),
    [
        (GITHUB, "acme/shop 4f2a91c07d GitHub 6789"),
        (
            {"GITLAB_CI": "true", "CI_PROJECT_PATH": "acme/shop", "CI_COMMIT_SHA": SHA, "CI_PIPELINE_ID": "12"},
            "acme/shop 4f2a91c07d GitLab 12",
        ),
        (
            {
                "CIRCLECI": "true",
                "CIRCLE_REPOSITORY_URL": "git@github.com:acme/shop.git",
                "CIRCLE_SHA1": SHA,
                "CIRCLE_BUILD_NUM": "3",
            },
            "acme/shop 4f2a91c07d CircleCI 3",
        ),
        (
            {
                "CODEBUILD_BUILD_ID": "shop:1a2b",
                "CODEBUILD_SOURCE_REPO_URL": "https://user:a-token@github.com/acme/shop.git",
                "CODEBUILD_RESOLVED_SOURCE_VERSION": SHA,
            },
            "acme/shop 4f2a91c07d CodeBuild shop:1a2b",
        ),
        (
            {"JENKINS_URL": "https://ci.example.com/", "JOB_NAME": "shop/main", "BUILD_NUMBER": "8"},
            "shop/main Jenkins 8",
        ),
        ({"GITHUB_ACTIONS": "false"}, None),
        ({}, None),
    ],
)
def test_label_names_repository_commit_and_pipeline(variables: dict[str, str], label: str | None) -> None:
    assert ci_label(variables) == label


def test_label_for_an_idempotency_key_does_not_name_the_pipeline() -> None:
    assert ci_label(GITHUB, pipeline=False) == "acme/shop 4f2a91c07d"


@given(st.sampled_from(sorted(SOURCES)), st.lists(st.text(max_size=300), min_size=3, max_size=3))
def test_any_label_is_one_that_the_service_accepts(name: str, values: list[str]) -> None:
    """Printable, 1 to 200 characters, no space at its ends."""
    source = SOURCES[name]
    named = [source.repository[0], source.commit[0], source.pipeline[0]]
    label = ci_label(dict(zip(named, values, strict=True)) | {source.marker: "true"})
    assert label is not None
    assert 0 < len(label) <= MAX_LABEL
    assert label.isprintable()
    assert label == label.strip()
