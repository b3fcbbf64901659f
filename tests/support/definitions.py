"""The definitions as the contract tests read them: the template, the state machine, SAM's translation of both.

Each call returns a new copy, so that a test may break its own.
"""

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from cfnlint.match import Match

Document = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
STATE_MACHINE = ROOT / "statemachine" / "prewarm.asl.yaml"
FUNCTIONS = ROOT / "functions"

MACHINE_ID = "PrewarmStateMachine"


@cache
def _text(path: Path) -> str:
    # samtranslator's parser expands short intrinsics (!Ref) to their long form (Ref); it has no type hints.
    return json.dumps(yaml_parse(path.read_text()))  # type: ignore[no-untyped-call]


def template() -> Document:
    document: Document = json.loads(_text(TEMPLATE))
    return document


def state_machine() -> Document:
    document: Document = json.loads(_text(STATE_MACHINE))
    return document


def resources(document: Document, resource_type: str) -> dict[str, Document]:
    """Return the properties of every resource of a type, by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in document["Resources"].items()
        if resource["Type"] == resource_type
    }


def functions(document: Document) -> dict[str, Document]:
    """Return a SAM template's functions, with its flat Globals applied."""
    shared = document["Globals"]["Function"]
    return {name: {**shared, **own} for name, own in resources(document, "AWS::Serverless::Function").items()}


def find_statement(document: Document, resource: str, sid: str) -> Document:
    """Return a policy statement of a SAM template's resource, to be changed in place."""
    properties = document["Resources"][resource]["Properties"]
    inline = [policy for policy in properties.get("Policies", []) if "Statement" in policy]
    for policy in [*inline, *([properties["PolicyDocument"]] if "PolicyDocument" in properties else [])]:
        for statement in map(as_if, policy["Statement"]):
            if statement["Sid"] == sid:
                named: Document = statement
                return named
    raise KeyError(sid)


def as_if(value: Any) -> Any:
    """Return the first branch of an Fn::If, as if its condition were true.

    Other values unchanged.
    """
    return value["Fn::If"][1] if isinstance(value, dict) and "Fn::If" in value else value


def many(value: Any) -> list[Any]:
    """Return a value that IAM accepts alone or in a list as a list."""
    return value if isinstance(value, list) else [value]


def name_of(resource: Any) -> str:
    """Return an ARN as text: that of a Sub, or the logical id of a GetAtt, of a Ref or of a Ref that is split."""
    if isinstance(resource, str):
        return resource
    (function, argument), *_ = resource.items()
    if function == "Fn::If":
        return name_of(as_if(resource))
    if function == "Fn::Split":
        return name_of(argument[1])
    return ".".join(argument) if function == "Fn::GetAtt" else str(argument)


def translate(document: Document, machine: Document) -> Document:
    """Run SAM's transform without AWS, and put the definition where cfn-lint reads it.

    SAM turns an inlined Definition into a DefinitionString, which cfn-lint does not read; it reads a Definition.
    Both must be equal.
    """
    source = json.loads(json.dumps(document))
    source["Globals"]["Function"]["CodeUri"] = "s3://artefacts/functions.zip"
    properties = source["Resources"][MACHINE_ID]["Properties"]
    del properties["DefinitionUri"]
    properties["Definition"] = json.loads(json.dumps(machine))
    translator = Translator(managed_policy_map={}, sam_parser=Parser(), boto_session=Session(region_name="us-east-1"))
    translated: Document = json.loads(json.dumps(translator.translate(source, parameter_values={})))
    properties = translated["Resources"][MACHINE_ID]["Properties"]
    separator, lines = properties.pop("DefinitionString")["Fn::Join"]
    properties["Definition"] = json.loads(separator.join(lines))
    if properties["Definition"] != machine:
        raise ValueError("SAM changed the state machine's definition")
    return translated


@cache
def _translated_text() -> str:
    return json.dumps(translate(template(), state_machine()))


def translated() -> Document:
    """Return the CloudFormation template that AWS receives."""
    document: Document = json.loads(_translated_text())
    return document


def lint(path: Path, *, regions: tuple[str, ...] = ("us-east-1", "eu-west-1")) -> set[tuple[str, str, str]]:
    """Return the rule, logical id and message of each error and warning of cfn-lint."""
    # Imported here: the import takes over a second, and most users of this module do not lint.
    from cfnlint.api import lint_file  # noqa: PLC0415
    from cfnlint.config import ManualArgs  # noqa: PLC0415

    matches = lint_file(path, ManualArgs(regions=list(regions)))
    return {(match.rule.id, _logical_id(match), match.message) for match in matches}


def lint_document(document: Document, folder: Path) -> set[tuple[str, str, str]]:
    path = folder / "template.json"
    path.write_text(json.dumps(document, indent=1))
    return lint(path)


def _logical_id(match: "Match") -> str:
    # Findings about the file as a whole (a parse error) have no path.
    steps = [str(step) for step in getattr(match, "path", None) or ()]
    return steps[1] if steps[:1] == ["Resources"] and len(steps) > 1 else "/".join(steps)
