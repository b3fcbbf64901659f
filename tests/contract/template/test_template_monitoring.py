"""The template's dashboard, alarms, encryption keys, networks and parameters."""

import json
import re
from typing import Any

import pytest

from tests.support.definitions import ROOT, Document, as_if, resources, template, translated
from tests.support.policies import statements

ALARMS = {
    "RunsNotWarmAlarm": "runs-not-warm",
    "FunctionErrorsAlarm": "function-errors",
    "FunctionThrottlesAlarm": "function-throttles",
    "ApiErrorsAlarm": "api-errors",
    "LedgerThrottlesAlarm": "ledger-throttles",
}


def alarms() -> dict[str, Document]:
    return resources(template(), "AWS::CloudWatch::Alarm")


def metrics_of(alarm: Document) -> list[Document]:
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]


def test_each_alarm_links_to_a_heading_of_the_operations_page() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    headings = {re.sub(r"\W+", "-", each.lower()).strip("-") for each in re.findall(r"^## (.+)$", page, re.MULTILINE)}
    assert {name: alarm["AlarmDescription"].rpartition("#")[2] for name, alarm in alarms().items()} == ALARMS
    assert set(ALARMS.values()) <= headings


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_notifies_the_topic_and_ignores_missing_data(name: str) -> None:
    alarm = alarms()[name]
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["AlarmActions"]["Fn::If"][0] == "HasNotifications"


@pytest.mark.parametrize(
    ("name", "excluded"), [("FunctionErrorsAlarm", {"WarmFunction"}), ("FunctionThrottlesAlarm", set())]
)
def test_alarm_covers_every_function(name: str, excluded: set[str]) -> None:
    covered = {metric["Dimensions"][0]["Value"]["Ref"] for metric in metrics_of(alarms()[name])}
    assert covered == set(resources(template(), "AWS::Serverless::Function")) - excluded


def dashboard() -> Document:
    text = template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    document: Document = json.loads(text)
    return document


def test_dashboard_is_json_and_refers_to_existing_resources() -> None:
    text = template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    existing = {"AWS::Region", "AWS::StackName", *template()["Parameters"], *template()["Resources"]}
    assert set(re.findall(r"\$\{([\w:]+)\}", text)) <= existing
    assert all(widget["properties"]["region"] == "${AWS::Region}" for widget in dashboard()["widgets"])


def own_metrics_shown() -> set[str]:
    rows = [row for widget in dashboard()["widgets"] for row in widget["properties"]["metrics"]]
    named = {row[1] for row in rows if row[0] == "CloudFrontPrewarm"}
    searched = re.findall(r'MetricName=\\?"(\w+)\\?"', json.dumps(rows).replace("\\\\", "\\"))
    return named | set(searched)


def own_metrics_emitted() -> set[str]:
    """Return the names of the metrics in the code that emits them."""
    names = set()
    for path in (
        "functions/aggregate/finish_run.py",
        "functions/warm/metrics.py",
        "functions/prewarm/observability.py",
    ):
        text = (ROOT / path).read_text(encoding="utf-8")
        names |= set(re.findall(r'"(Runs\w+|Urls\w+|PopsSkipped|Fetches|Targets|TimeToFirstByte)"', text))
        names |= set(re.findall(r"\b(RunTime|EstimatedDollars|Bytes)=\(", text))
    return names


def test_dashboard_shows_exactly_the_emitted_metrics() -> None:
    runs = {"RunsWarm", "RunsNotWarm"}  # duplicated by Step Functions' own metrics
    assert own_metrics_shown() == own_metrics_emitted() - runs


def test_kms_key_encrypts_logs_ledger_bucket_and_topic() -> None:
    document = template()["Resources"]
    for name in ("FunctionLogs", "StateMachineLogs"):
        assert as_if(document[name]["Properties"]["KmsKeyId"]) == {"Ref": "KmsKeyArn"}
    table = document["LedgerTable"]["Properties"]["SSESpecification"]
    assert as_if(table["KMSMasterKeyId"]) == {"Ref": "KmsKeyArn"}
    (rule,) = document["RunsBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert as_if(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]) == {"Ref": "KmsKeyArn"}
    assert as_if(document["NotificationTopic"]["Properties"]["KmsMasterKeyId"]) == {"Ref": "KmsKeyArn"}


def test_every_role_may_use_the_kms_key() -> None:
    for role, properties in resources(translated(), "AWS::IAM::Role").items():
        conditional = {"Fn::If": ["HasKey", {"Ref": "UseKeyPolicy"}, {"Ref": "AWS::NoValue"}]}
        assert conditional in properties["ManagedPolicyArns"], role
    assert {role for role, statement in statements(translated()) if statement["Sid"] == "UseKey"} == set(
        resources(translated(), "AWS::IAM::Role")
    )
    assert translated()["Resources"]["UseKeyPolicy"]["Condition"] == "HasKey"


def test_every_role_has_the_permissions_boundary() -> None:
    for role, properties in resources(translated(), "AWS::IAM::Role").items():
        assert as_if(properties["PermissionsBoundary"]) == {"Ref": "PermissionsBoundaryArn"}, role


def test_only_functions_that_fetch_through_edges_run_in_the_vpc() -> None:
    inside = {name for name, each in resources(translated(), "AWS::Lambda::Function").items() if "VpcConfig" in each}
    assert inside == {"ResolveFunction", "WarmFunction"}


def uses(value: Any, name: str) -> bool:
    return f'"{name}"' in json.dumps(value)


def test_retention_days_applies_to_bucket_and_functions() -> None:
    document = template()
    rules = document["Resources"]["RunsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules} == {
        "runs/": {"Ref": "RetentionDays"},
        "uploads/": {"Ref": "RetentionDays"},
    }
    assert document["Globals"]["Function"]["Environment"]["Variables"]["PREWARM_RETENTION_DAYS"] == {
        "Ref": "RetentionDays"
    }
    for name, log in resources(document, "AWS::Logs::LogGroup").items():
        assert uses(log["RetentionInDays"], "LogRetentionDays"), name


def test_every_parameter_is_described_and_documented() -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    for name, parameter in template()["Parameters"].items():
        assert parameter.get("Description"), name
        assert f"`{name}`" in page, f"docs/configuration.md does not name {name}"


def unexplained_rights(text: str) -> list[str]:
    """List policy statements without a preceding comment (for a conditional one, before its Fn::If)."""
    lines = text.splitlines()
    unexplained = []
    for number, line in enumerate(lines):
        if sid := re.match(r"\s+- Sid: (\w+)", line):
            before = number - 3 if lines[number - 2].strip() == "- !If" else number - 1
            if not lines[before].strip().startswith("#"):
                unexplained.append(sid[1])
    return unexplained


def test_each_policy_statement_has_a_comment() -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert unexplained_rights(text) == []
    assert unexplained_rights("  Statement:\n    - Sid: Nameless\n") == ["Nameless"]
