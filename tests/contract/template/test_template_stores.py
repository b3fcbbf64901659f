"""The template's storage and its retention: bucket, ledger, logs."""

import pytest

from tests.support.definitions import (
    MACHINE_ID,
    Document,
    many,
    name_of,
    resources,
    translated,
)
from tests.support.policies import statements


def exposed_bucket(document: Document) -> list[str]:
    """List missing protection of buckets: encryption, public access block, expiry, denial of plain HTTP."""
    problems = []
    for name, properties in resources(document, "AWS::S3::Bucket").items():
        encryption = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration")
        problems += [] if encryption else [f"{name} is not encrypted"]
        block = properties.get("PublicAccessBlockConfiguration", {})
        closed = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"]
        problems += [f"{name}: {key} is off" for key in closed if block.get(key) is not True]
        rules = properties.get("LifecycleConfiguration", {}).get("Rules", [])
        expiring = [r for r in rules if r["Status"] == "Enabled" and r.get("Prefix") == "runs/"]
        if not any(r.get("ExpirationInDays") == {"Ref": "RetentionDays"} for r in expiring):
            problems.append(f"{name}: runs never expire")
        uploads = [r for r in rules if r["Status"] == "Enabled" and r.get("Prefix") == "uploads/"]
        if [r.get("ExpirationInDays") for r in uploads] != [{"Ref": "RetentionDays"}]:
            problems.append(f"{name}: uploads never expire")
        for rule in properties.get("CorsConfiguration", {}).get("CorsRules", []):
            # A page may send a signed form; every other request needs credentials that a page must not have.
            problems += [] if rule["AllowedMethods"] == ["POST"] else [f"{name}: a page may do more than upload"]
        if not any("AbortIncompleteMultipartUpload" in r for r in expiring):
            problems.append(f"{name}: incomplete uploads never expire")
        problems += [] if denies_plain_http(document, name) else [f"{name} allows plain HTTP"]
    return problems


def uploading_rights(document: Document) -> set[tuple[str, str, str]]:
    """Return role, action and resource of each right on uploads."""
    return {
        (role, action, name_of(resource))
        for role, statement in statements(document)
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
        if "/uploads/" in name_of(resource)
    }


def test_api_may_only_write_uploads_and_resolve_only_read_them() -> None:
    uploads = "${RunsBucket.Arn}/uploads/*"
    assert uploading_rights(translated()) == {
        ("ApiFunctionRole", "s3:PutObject", uploads),
        ("ResolveFunctionRole", "s3:GetObject", uploads),
    }


def test_knowledge_is_read_by_api_and_resolve_and_written_by_resolve_only() -> None:
    knowledge = "${RunsBucket.Arn}/knowledge/*"
    rights = {
        (role, action, name_of(resource))
        for role, statement in statements(translated())
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
        if "/knowledge" in name_of(resource)
    }
    assert rights == {
        ("ApiFunctionRole", "s3:GetObject", knowledge),
        ("ResolveFunctionRole", "s3:GetObject", knowledge),
        ("ResolveFunctionRole", "s3:PutObject", knowledge),
    }


def test_checkpoints_are_written_by_the_api_only() -> None:
    """The state machine and the functions that decide a run's end neither write nor need them."""
    checkpoint = "${RunsBucket.Arn}/runs/*/checkpoint.bin"
    rights = {
        (role, action, name_of(resource))
        for role, statement in statements(translated())
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
        if "checkpoint" in name_of(resource) or (action == "s3:PutObject" and name_of(resource).endswith("/runs/*"))
    }
    assert rights == {("ApiFunctionRole", "s3:PutObject", checkpoint)}


def test_no_lifecycle_rule_expires_knowledge() -> None:
    """What runs learn is kept for 180 days, however short RetentionDays is."""
    rules = resources(translated(), "AWS::S3::Bucket")["RunsBucket"]["LifecycleConfiguration"]["Rules"]
    assert rules
    for rule in rules:
        assert rule.get("Prefix"), rule
        assert not "knowledge/pops.json".startswith(rule["Prefix"]), rule


def test_bucket_that_keeps_uploads_or_allows_pages_more_is_reported() -> None:
    broken = translated()
    properties = broken["Resources"]["RunsBucket"]["Properties"]
    properties["LifecycleConfiguration"]["Rules"].pop()
    properties["CorsConfiguration"]["CorsRules"][0]["AllowedMethods"].append("GET")
    assert exposed_bucket(broken) == [
        "RunsBucket: uploads never expire",
        "RunsBucket: a page may do more than upload",
    ]


def denies_plain_http(document: Document, bucket: str) -> bool:
    denials = [
        statement
        for policy in resources(document, "AWS::S3::BucketPolicy").values()
        if policy["Bucket"] == {"Ref": bucket}
        for statement in policy["PolicyDocument"]["Statement"]
        if (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        if statement.get("Condition") == {"Bool": {"aws:SecureTransport": False}}
    ]
    covered = {name_of(resource) for statement in denials for resource in many(statement["Resource"])}
    return covered == {f"{bucket}.Arn", f"${{{bucket}.Arn}}/*"}


def test_bucket_is_encrypted_private_expiring_and_tls_only() -> None:
    assert resources(translated(), "AWS::S3::Bucket")
    assert exposed_bucket(translated()) == []


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        ("RunsBucket", "BucketEncryption"),
        ("RunsBucket", "PublicAccessBlockConfiguration"),
        ("RunsBucket", "LifecycleConfiguration"),
        ("RunsBucketPolicy", "PolicyDocument"),
    ],
)
def test_exposed_bucket_is_reported(resource: str, key: str) -> None:
    broken = translated()
    emptied: Document = {"Statement": []} if key == "PolicyDocument" else {}
    broken["Resources"][resource]["Properties"][key] = emptied
    assert exposed_bucket(broken)


def buckets_left_behind(document: Document) -> list[str]:
    """List resources that a failed first deployment would leave behind, and buckets that a deletion would remove."""
    problems = []
    for name, resource in document["Resources"].items():
        policy = resource.get("DeletionPolicy")
        if policy == "Retain":
            problems.append(f"{name} stays after a first deployment that failed")
        if resource["Type"] == "AWS::S3::Bucket" and policy != "RetainExceptOnCreate":
            problems.append(f"{name} is not kept with the stack's reports")
    return problems


def test_bucket_is_kept_unless_the_first_deployment_fails() -> None:
    assert buckets_left_behind(translated()) == []
    for policy, problems in (("Retain", 2), ("Delete", 1)):
        broken = translated()
        broken["Resources"]["RunsBucket"]["DeletionPolicy"] = policy
        assert len(buckets_left_behind(broken)) == problems


def costly_table(document: Document) -> list[str]:
    problems = []
    for name, properties in resources(document, "AWS::DynamoDB::Table").items():
        if properties.get("BillingMode") != "PAY_PER_REQUEST":
            problems.append(f"{name} has provisioned capacity, which costs when idle")
        if properties.get("TimeToLiveSpecification") != {"AttributeName": "ttl", "Enabled": True}:
            problems.append(f"{name} never expires items")
        if {key["AttributeName"]: key["KeyType"] for key in properties["KeySchema"]} != {
            "run": "HASH",
            "sk": "RANGE",
        }:
            problems.append(f"{name} is not keyed by run and batch")
    return problems


def test_ledger_is_on_demand_expires_and_is_keyed_by_run_and_batch() -> None:
    assert resources(translated(), "AWS::DynamoDB::Table")
    assert costly_table(translated()) == []


def test_costly_table_is_reported() -> None:
    broken = translated()
    properties = broken["Resources"]["LedgerTable"]["Properties"]
    properties.update(BillingMode="PROVISIONED", KeySchema=[])
    properties["TimeToLiveSpecification"]["Enabled"] = False
    assert len(costly_table(broken)) == 3


def logs_without_retention(document: Document) -> list[str]:
    groups = resources(document, "AWS::Logs::LogGroup")
    return [name for name, properties in groups.items() if not properties.get("RetentionInDays")]


def test_logs_expire() -> None:
    assert resources(translated(), "AWS::Logs::LogGroup")
    assert logs_without_retention(translated()) == []


def test_logs_without_retention_are_reported() -> None:
    broken = translated()
    del broken["Resources"]["FunctionLogs"]["Properties"]["RetentionInDays"]
    assert logs_without_retention(broken) == ["FunctionLogs"]


def machines_that_log_data(document: Document) -> list[str]:
    """List state machines whose logs would contain request data: URLs, headers, signatures."""
    machines = resources(document, "AWS::StepFunctions::StateMachine")
    return [name for name, p in machines.items() if p["LoggingConfiguration"]["IncludeExecutionData"] is not False]


def test_state_machine_logs_exclude_execution_data() -> None:
    assert machines_that_log_data(translated()) == []


def test_machine_that_logs_data_is_reported() -> None:
    broken = translated()
    broken["Resources"][MACHINE_ID]["Properties"]["LoggingConfiguration"]["IncludeExecutionData"] = True
    assert machines_that_log_data(broken) == [MACHINE_ID]
