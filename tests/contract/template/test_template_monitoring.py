"""What the template watches, whom it tells, and what may be set: dashboard, alarms, notices, keys, networks."""

import json
import re
from typing import Any

import pytest

from tests.support.definitions import ROOT, Document, as_if, resources, template, translated

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


def test_each_alarm_has_its_place_in_the_operations_page() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    headings = {re.sub(r"\W+", "-", each.lower()).strip("-") for each in re.findall(r"^## (.+)$", page, re.MULTILINE)}
    assert {name: alarm["AlarmDescription"].rpartition("#")[2] for name, alarm in alarms().items()} == ALARMS
    assert set(ALARMS.values()) <= headings


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_whom_notices_go_to_and_sleeps_without_data(name: str) -> None:
    alarm = alarms()[name]
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["AlarmActions"]["Fn::If"][0] == "HasNotifications"


@pytest.mark.parametrize(
    ("name", "left_out"), [("FunctionErrorsAlarm", {"WarmFunction"}), ("FunctionThrottlesAlarm", set())]
)
def test_every_function_is_watched(name: str, left_out: set[str]) -> None:
    watched = {metric["Dimensions"][0]["Value"]["Ref"] for metric in metrics_of(alarms()[name])}
    assert watched == set(resources(template(), "AWS::Serverless::Function")) - left_out


def dashboard() -> Document:
    text = template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    document: Document = json.loads(text)
    return document


def test_the_dashboard_is_json_and_names_what_exists() -> None:
    text = template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    known = {"AWS::Region", "AWS::StackName", *template()["Parameters"], *template()["Resources"]}
    assert set(re.findall(r"\$\{([\w:]+)\}", text)) <= known
    assert all(widget["properties"]["region"] == "${AWS::Region}" for widget in dashboard()["widgets"])


def own_metrics_shown() -> set[str]:
    rows = [row for widget in dashboard()["widgets"] for row in widget["properties"]["metrics"]]
    named = {row[1] for row in rows if row[0] == "CloudFrontPrewarm"}
    searched = re.findall(r'MetricName=\\?"(\w+)\\?"', json.dumps(rows).replace("\\\\", "\\"))
    return named | set(searched)


def own_metrics_emitted() -> set[str]:
    """Name the metrics in the code: the constants of the functions that emit them."""
    found = set()
    for path in (
        "functions/aggregate/finish_run.py",
        "functions/warm/metrics.py",
        "functions/prewarm/observability.py",
    ):
        text = (ROOT / path).read_text(encoding="utf-8")
        found |= set(re.findall(r'"(Runs\w+|Urls\w+|PopsSkipped|Fetches|Targets|TimeToFirstByte)"', text))
        found |= set(re.findall(r"\b(RunTime|EstimatedDollars|Bytes)=\(", text))
    return found


def test_the_dashboard_shows_each_metric_that_is_emitted_and_no_other() -> None:
    runs = {"RunsWarm", "RunsNotWarm"}  # Step Functions' own metrics show the same
    assert own_metrics_shown() == own_metrics_emitted() - runs


def test_a_key_of_ones_own_encrypts_all_that_is_kept() -> None:
    document = template()["Resources"]
    for name in ("FunctionLogs", "StateMachineLogs"):
        assert as_if(document[name]["Properties"]["KmsKeyId"]) == {"Ref": "KmsKeyArn"}
    table = document["LedgerTable"]["Properties"]["SSESpecification"]
    assert as_if(table["KMSMasterKeyId"]) == {"Ref": "KmsKeyArn"}
    (rule,) = document["RunsBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert as_if(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]) == {"Ref": "KmsKeyArn"}
    assert as_if(document["NotificationTopic"]["Properties"]["KmsMasterKeyId"]) == {"Ref": "KmsKeyArn"}


def test_whoever_reads_or_writes_may_use_that_key() -> None:
    for role, properties in resources(translated(), "AWS::IAM::Role").items():
        statements = [
            as_if(each) for policy in properties["Policies"] for each in policy["PolicyDocument"]["Statement"]
        ]
        assert "UseKey" in {statement["Sid"] for statement in statements}, role


def test_a_boundary_bounds_every_role() -> None:
    for role, properties in resources(translated(), "AWS::IAM::Role").items():
        assert as_if(properties["PermissionsBoundary"]) == {"Ref": "PermissionsBoundaryArn"}, role


def test_what_fetches_through_edges_and_nothing_else_runs_in_the_vpc() -> None:
    inside = {name for name, each in resources(translated(), "AWS::Lambda::Function").items() if "VpcConfig" in each}
    assert inside == {"ResolveFunction", "WarmFunction"}


def uses(value: Any, name: str) -> bool:
    return f'"{name}"' in json.dumps(value)


def test_one_parameter_rules_how_long_all_of_a_run_is_kept() -> None:
    document = template()
    (rule,) = document["Resources"]["RunsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("runs/", {"Ref": "RetentionDays"})
    assert document["Globals"]["Function"]["Environment"]["Variables"]["PREWARM_RETENTION_DAYS"] == {
        "Ref": "RetentionDays"
    }
    for name, log in resources(document, "AWS::Logs::LogGroup").items():
        assert uses(log["RetentionInDays"], "LogRetentionDays"), name


def test_every_parameter_says_what_it_is_for() -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    for name, parameter in template()["Parameters"].items():
        assert parameter.get("Description"), name
        assert f"`{name}`" in page, f"docs/configuration.md does not name {name}"


def unexplained_rights(text: str) -> list[str]:
    """List the policy statements without a comment before them (before the Fn::If of a conditional one)."""
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines):
        if sid := re.match(r"\s+- Sid: (\w+)", line):
            before = number - 3 if lines[number - 2].strip() == "- !If" else number - 1
            if not lines[before].strip().startswith("#"):
                found.append(sid[1])
    return found


def test_each_right_says_what_it_is_for() -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert unexplained_rights(text) == []
    assert unexplained_rights("  Statement:\n    - Sid: Nameless\n") == ["Nameless"]
