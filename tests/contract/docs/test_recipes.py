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
