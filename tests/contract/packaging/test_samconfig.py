"""samconfig.toml: its keys are options of SAM, its overrides parameters of the template; SAM never prompts."""

import tomllib
from typing import Any

import pytest
from samcli.commands.build.command import cli as build
from samcli.commands.deploy.command import cli as deploy

from tests.support.definitions import ROOT, Document, resources, template

COMMANDS = {"build": build, "deploy": deploy}
# Without one of these, `sam deploy` asks, or fails.
NEEDED = {"resolve_s3", "capabilities", "confirm_changeset"}
NAMES_OF_ROLES = ("RoleName", "ManagedPolicyName", "GroupName", "UserName")


def samconfig() -> Document:
    return tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))


def unknown_keys(config: Document) -> list[str]:
    problems = []
    for section, tables in config["default"].items():
        commands = COMMANDS.values() if section == "global" else [COMMANDS[section]]
        known = {parameter.name for command in commands for parameter in command.params}
        problems += [f"{section}: {key}" for key in tables["parameters"] if key not in known]
    return problems


def wrong_overrides(config: Document, defined: dict[str, Any]) -> list[str]:
    """List overrides of parameters that the template lacks, and those that differ from its defaults."""
    problems = []
    for override in config["default"]["deploy"]["parameters"]["parameter_overrides"]:
        name, _, value = override.partition("=")
        if name not in defined:
            problems.append(f"{name}: not in template.yaml")
        elif value != str(defined[name].get("Default")):
            problems.append(f"{name}: {value} is not the template's default")
    return problems


def test_every_key_is_an_option_of_sam() -> None:
    assert unknown_keys(samconfig()) == []
    assert unknown_keys({"default": {"deploy": {"parameters": {"confirm": True}}}}) == ["deploy: confirm"]


def test_sam_deploy_asks_nothing() -> None:
    config = samconfig()["default"]
    deployment = config["deploy"]["parameters"]
    assert deployment.keys() >= NEEDED
    assert deployment["confirm_changeset"] is False
    assert config["global"]["parameters"]["stack_name"]
    assert [name for name, each in template()["Parameters"].items() if "Default" not in each] == []


def test_the_overridden_parameters_are_the_templates_defaults() -> None:
    assert wrong_overrides(samconfig(), template()["Parameters"]) == []


@pytest.mark.parametrize("override", ["Retention=30", "RetentionDays=31"])
def test_a_wrong_override_is_found(override: str) -> None:
    config = {"default": {"deploy": {"parameters": {"parameter_overrides": [override]}}}}
    assert wrong_overrides(config, template()["Parameters"])


def test_the_template_needs_no_more_than_capability_iam() -> None:
    """A role or policy with a name of its own would need CAPABILITY_NAMED_IAM."""
    document = template()
    named = [
        (logical_id, name)
        for kind in {each["Type"] for each in document["Resources"].values()}
        for logical_id, properties in resources(document, kind).items()
        for name in NAMES_OF_ROLES
        if name in properties and kind.startswith(("AWS::IAM::", "AWS::Serverless::"))
    ]
    assert named == []
    assert samconfig()["default"]["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
