"""action.yml and the snippets of docs/recipes.md match the schemas of their CI servers; inputs reach no script."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for

from tests.support.composite_action import action
from tests.support.definitions import ROOT

RECIPES = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
INPUTS = {"urls", "file", "targets", "locations", "label", "wait", "fail-on", "api-url", "api-key", "function"}


def schema_errors(name: str, document: Any) -> list[str]:
    """Return what a schema that check-jsonschema ships finds; its own command needs a newer click than SAM's."""
    spec = importlib.util.find_spec("check_jsonschema")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    path = Path(next(iter(spec.submodule_search_locations))) / "builtin_schemas/vendor" / f"{name}.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    return [error.message for error in validator_for(schema)(schema).iter_errors(document)]


def scripts_with_expressions(document: dict[str, Any]) -> list[str]:
    """List steps whose script contains an expression: GitHub would insert an input's text into the script."""
    return [step["name"] for step in document["runs"]["steps"] if "${{" in step.get("run", "")]


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", RECIPES, re.MULTILINE | re.DOTALL)


def test_action_matches_githubs_schema() -> None:
    assert schema_errors("github-actions", action()) == []
    assert schema_errors("github-actions", action() | {"runs": {"using": "composite"}})


def test_inputs_and_outputs_are_those_that_the_docs_list() -> None:
    assert action()["inputs"].keys() == INPUTS
    assert action()["outputs"].keys() == {"requestID", "status", "report"}
    rows = set(re.findall(r"^\| `([a-zA-Z-]+)`", RECIPES, re.MULTILINE))
    assert INPUTS | action()["outputs"].keys() <= rows


def test_no_script_contains_an_expression_and_each_input_reaches_the_command() -> None:
    assert scripts_with_expressions(action()) == []
    values = " ".join(str(step.get("env", {})) for step in action()["runs"]["steps"])
    assert [name for name in INPUTS if f"inputs.{name} " not in values] == []


def test_script_with_an_expression_is_found() -> None:
    document = action()
    document["runs"]["steps"][1]["run"] += 'echo "${{ inputs.label }}"'
    assert scripts_with_expressions(document) == ["Warm"]


@pytest.mark.parametrize(
    ("schema", "marker"),
    [("github-workflows", "jobs:\n"), ("gitlab-ci", "artifacts:\n"), ("circle-ci", "workflows:\n")],
)
def test_recipe_matches_the_servers_schema(schema: str, marker: str) -> None:
    found = [
        text for text in snippets("yaml") if marker in text and (schema == "circle-ci" or "workflows:" not in text)
    ]
    assert found
    for text in found:
        # YAML 1.1 reads the key `on` as a boolean; the servers do not.
        document = {"on" if key is True else key: value for key, value in yaml.safe_load(text).items()}
        assert schema_errors(schema, document) == [], text
