"""The project's texts avoid the words of tests/support/prose.py, and commit subjects are short."""

import subprocess
import warnings

import pytest

from tests.support.definitions import ROOT
from tests.support.prose import ALLOWED, WORDS, checked, violations

MAX_SUBJECT_LENGTH = 72
# The last commit before the rule. A clone that lacks it holds newer commits only.
BEFORE_THE_RULE = "1c8a0ca6d39a2befb5984c308dab2424d84428c9"


def git(*arguments: str) -> str:
    """Return what git prints; skip, with a warning, where there is no repository."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"NOT CHECKED: git {arguments[0]} failed ({error}), so neither texts nor commits were checked"
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    return done.stdout


def project_texts() -> dict[str, str]:
    """Return the texts that git tracks or would add, by path."""
    names = git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    paths = [name for name in names if name and checked(name) and (ROOT / name).is_file()]
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in paths}


def long_subjects(log: str) -> list[str]:
    return [subject for subject in log.splitlines() if len(subject) > MAX_SUBJECT_LENGTH]


def test_the_projects_texts_avoid_the_listed_words() -> None:
    texts = project_texts()
    assert len(texts) > 100
    found = violations(texts)
    assert not found, f"{len(found)} to rewrite:\n" + "\n".join(found)


def test_commit_subjects_are_short() -> None:
    commits = git("rev-list", "HEAD").splitlines()
    span = f"{BEFORE_THE_RULE}..HEAD" if BEFORE_THE_RULE in commits else "HEAD"
    assert long_subjects(git("log", "--no-merges", "--format=%s", span)) == []


def test_every_allowed_file_has_a_reason() -> None:
    assert all(reason for words in ALLOWED.values() for reason in words.values())
    assert {word for words in ALLOWED.values() for word in words} <= {"*", *(word.pattern for word in WORDS)}


@pytest.mark.parametrize(
    "text",
    [
        "# Tell the caller.",
        "def test_the_user_is_told_of_it() -> None: ...",
        "told = report()",
        "result.told",
        "Say whether it is.",
        "the retry was in vain",
        "# the retry was in\n    # vain",
        "written anew",
        "def mending() -> None: ...",
        "the id is none",
        "'foo' is no distribution",
        "def test_what_is_no_url_is_refused() -> None: ...",
        "Nobody knows",
        "whoever asks",
        "at the most 5",
        "a run that comes to nothing",
        "it goes on",
        "beside the file",
        "an edge of its own making",
        "lest it fail",
        "one's own key",
        "one’s own key",
    ],
)
def test_a_listed_word_is_found(text: str) -> None:
    (found,) = violations({"docs/x.md": text})
    assert found.startswith("docs/x.md:1: ")
    assert "; write: " in found


@pytest.mark.parametrize(
    "text",
    [
        "retold, foretell, recommend, amended, besides, celeste, income total",
        "position = file.tell()",
        "if value is None: return",
        "there is no route, it is no longer here, there_is_no_route, it is not a run",
        "with verify `none`, ongoing, nobodyX",
        "the most recent run, at most 5, welcome to",
    ],
)
def test_other_words_are_not_found(text: str) -> None:
    assert violations({"docs/x.md": text}) == []


def test_generated_files_and_data_are_not_checked() -> None:
    names = ["requirements/dev.txt", "functions/prewarm/data/selections.json", "docs/images/command.svg", "LICENSE"]
    assert [name for name in names if checked(name)] == []
    names = ["Makefile", ".ci/run", ".editorconfig", ".github/workflows/ci.yml", "requirements/dev.in", "README.md"]
    assert [name for name in names if not checked(name)] == []


def test_a_long_subject_is_found() -> None:
    assert long_subjects(f"{'a' * 72}\n{'b' * 73}\n") == ["b" * 73]
