"""The nightly example: a template and a state machine that pass the project's rules, with the command's query."""

import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.session import Session
from moto import mock_aws
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from prewarm.request.validation import check_request
from tests.contract.template.test_policy_lint import findings
from tests.support.asl_graph import unexpected_transitions
from tests.support.asl_rules import RULES, Rule
from tests.support.definitions import ROOT, Document, lint_document
from tools.nightly_query import MACHINE, current

FOLDER = ROOT / "examples" / "nightly-traffic"
# What a Run a Job task of Athena returns is GetQueryExecution's answer (Step Functions Developer Guide, "Run Athena
# queries with Step Functions"; Athena API Reference, "QueryExecution").
ANSWER = {
    "QueryExecution": {
        "QueryExecutionId": "11111111-2222-3333-4444-555555555555",
        "ResultConfiguration": {"OutputLocation": "s3://runs/lists/nightly/11111111-2222-3333-4444-555555555555.csv"},
        "Status": {"State": "SUCCEEDED"},
    }
}
PARSE: Any = yaml_parse


def machine() -> Document:
    document: Document = json.loads(json.dumps(PARSE(MACHINE.read_text(encoding="utf-8"))))
    return document


def translated() -> Document:
    """Return the CloudFormation template, with the definition where cfn-lint reads it."""
    source = json.loads(json.dumps(PARSE((FOLDER / "template.yaml").read_text(encoding="utf-8"))))
    properties = source["Resources"]["NightlyStateMachine"]["Properties"]
    del properties["DefinitionUri"]
    properties["Definition"] = machine()
    translator = Translator(managed_policy_map={}, sam_parser=Parser(), boto_session=Session(region_name="us-east-1"))
    document: Document = json.loads(json.dumps(translator.translate(source, parameter_values={})))
    properties = document["Resources"]["NightlyStateMachine"]["Properties"]
    separator, lines = properties.pop("DefinitionString")["Fn::Join"]
    properties["Definition"] = json.loads(separator.join(lines))
    return document


def test_query_is_that_of_the_command() -> None:
    text = MACHINE.read_text(encoding="utf-8")
    assert text == current(text), "run python -m tools.nightly_query"


def test_translated_template_passes_cfn_lint(tmp_path: Path) -> None:
    assert lint_document(translated(), tmp_path) == set()


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule is not unexpected_transitions], ids=lambda r: r.__name__
)
def test_state_machine_has_no(rule: Rule) -> None:
    assert rule(machine()) == []


def test_each_parameter_of_the_definition_is_substituted() -> None:
    properties = translated()["Resources"]["NightlyStateMachine"]["Properties"]
    used = {name.partition("}")[0] for name in MACHINE.read_text(encoding="utf-8").split("${")[1:]}
    assert used == properties["DefinitionSubstitutions"].keys()


def test_roles_have_no_findings() -> None:
    assert findings(translated()) == []


def test_run_that_the_machine_starts_is_a_valid_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto runs neither `athena:startQueryExecution.sync` nor startExecution with the documented parameter names.

    So Pass states take their places: the one with Athena's documented answer, the other with the task's parameters.
    """
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    definition = machine()
    counted, started = definition["States"]["CountDemand"], definition["States"]["StartWarming"]
    definition["States"] = {
        "CountDemand": {"Type": "Pass", "Result": ANSWER, "Next": "Selected"},
        "Selected": {"Type": "Pass", "Parameters": counted["ResultSelector"], "Next": counted["Next"]},
        "StartWarming": {"Type": "Pass", "Parameters": started["Parameters"], "End": True},
    }
    role = "arn:aws:iam::123456789012:role/nightly"
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = boto3.client("stepfunctions", region_name="us-east-1")
        made = client.create_state_machine(name="nightly", definition=json.dumps(definition), roleArn=role)
        arn = client.start_execution(stateMachineArn=made["stateMachineArn"], name="night-1", input="{}")[
            "executionArn"
        ]
        until = time.monotonic() + 20
        while (ended := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < until
    call = json.loads(ended["output"])
    assert call["Name"] == "night-1"
    checked = check_request(call["Input"], direct=True)
    assert checked.fields.targets_s3 == "s3://runs/lists/nightly/11111111-2222-3333-4444-555555555555.csv"
