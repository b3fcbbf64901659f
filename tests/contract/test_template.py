"""template.yaml as AWS will see it: translated, linted, and held to the rules that no linter knows.

Each rule is a function that lists what breaks it; each is shown to find a break in a broken copy.
"""

import ast
import json
import re
from pathlib import Path

import pytest

from tests.contract.definitions import (
    FUNCTIONS,
    MACHINE_ID,
    TEMPLATE,
    Document,
    find_statement,
    functions,
    lint,
    lint_document,
    many,
    name_of,
    resources,
    state_machine,
    template,
    translate,
    translated,
)

# What cfn-lint may say, and why it may: both resources are made by SAM, with a DependsOn beside the Ref.
ACCEPTED_FINDINGS = {
    ("W3005", "ApiUsagePlan"): "SAM adds DependsOn Api beside the Ref",
    ("W3005", "ApiUsagePlanKey"): "SAM adds DependsOn ApiApiKey beside the Ref",
}

# What functions/ may read without the template setting it, and what for.
OPTIONAL_SETTINGS = {
    "PREWARM_NAMESERVERS": "DNS servers other than the system's",
    "PREWARM_CA_BUNDLE": "a CA other than the public ones",
    "PREWARM_HTTPS_PORT": "an edge that listens elsewhere",
    "PREWARM_HTTP_PORT": "an edge that listens elsewhere",
    "PREWARM_EDGE_NETWORKS": "an edge outside CloudFront's published ranges",
    "PREWARM_CONNECT_TIMEOUT_MS": "patience; the default suits CloudFront",
    "PREWARM_STALL_SECONDS": "patience; the default suits CloudFront",
    "PREWARM_ERROR_CACHE_SECONDS": "a distribution with another error caching time",
}

KEYLESS_METHODS = {"options"}


# ---- lint ----


def findings(document: Document, folder: Path) -> set[tuple[str, str]]:
    return {(rule, logical_id) for rule, logical_id, _ in lint_document(document, folder)}


def test_cfn_lint_finds_nothing_in_the_translated_template(tmp_path: Path) -> None:
    found = lint_document(translated(), tmp_path)
    assert sorted(f for f in found if f[:2] not in ACCEPTED_FINDINGS) == []
    assert {f[:2] for f in found} == set(ACCEPTED_FINDINGS), "an accepted finding is gone: take it off the list"


def test_accepted_findings_are_about_what_only_sam_wrote() -> None:
    assert {name for _, name in ACCEPTED_FINDINGS}.isdisjoint(template()["Resources"])


def test_cfn_lint_finds_nothing_in_the_template_itself() -> None:
    assert sorted(lint(TEMPLATE)) == []


def test_cfn_lint_finds_a_circle_of_the_state_machine_and_its_own_role(tmp_path: Path) -> None:
    broken = template()
    statement = find_statement(broken, MACHINE_ID, "StartMapRun")
    statement["Resource"] = {"Ref": MACHINE_ID}
    circle = findings(translate(broken, state_machine()), tmp_path)
    assert {("E3004", MACHINE_ID), ("E3004", f"{MACHINE_ID}Role")} <= circle


def test_cfn_lint_finds_an_action_that_does_not_exist(tmp_path: Path) -> None:
    broken = template()
    find_statement(broken, "WarmFunction", "WriteLedger")["Action"] = "dynamodb:PutItems"
    assert ("W3037", "WarmFunctionRole") in findings(translate(broken, state_machine()), tmp_path)


def test_cfn_lint_opens_the_inlined_definition(tmp_path: Path) -> None:
    machine = state_machine()
    machine["States"]["WarmTargets"]["ItemProcessor"]["States"]["WarmBatch"]["TimeoutSecond"] = 1
    assert ("E3601", MACHINE_ID) in findings(translate(template(), machine), tmp_path)


# ---- functions and their settings ----


def missing_handlers(document: Document, root: Path) -> list[str]:
    """List handlers whose module or function is not there; the code is read, not run."""
    problems = []
    for name, properties in functions(document).items():
        module, _, function = properties["Handler"].rpartition(".")
        path = root / Path(*module.split(".")).with_suffix(".py")
        if not path.is_file():
            problems.append(f"{name}: there is no {path.relative_to(root)}")
        elif function not in top_level_callables(path.read_text()):
            problems.append(f"{name}: {path.relative_to(root)} has no {function}()")
    return problems


def top_level_callables(source: str) -> set[str]:
    """Name functions, and names given to what a call returns (a handler may be wrapped)."""
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            found.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return found


def test_every_handler_is_there() -> None:
    assert missing_handlers(template(), FUNCTIONS) == []


def test_a_missing_handler_is_found(tmp_path: Path) -> None:
    document = template()
    for name in [name for name in functions(document) if name not in {"ApiFunction", "WarmFunction"}]:
        del document["Resources"][name]
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "handler.py").write_text("def handle(): ...\n")
    assert missing_handlers(document, tmp_path) == [
        "ApiFunction: api/handler.py has no handler()",
        "WarmFunction: there is no warm/handler.py",
    ]


def settings_read(root: Path) -> set[str]:
    """Name the PREWARM_ variables that the code reads: strings that are such a name and nothing else."""
    return {
        node.value
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch("PREWARM_[A-Z_]+", node.value)
    }


def settings_set(document: Document) -> set[str]:
    everywhere = dict(document["Globals"]["Function"]["Environment"]["Variables"])
    for properties in resources(document, "AWS::Serverless::Function").values():
        everywhere.update(properties.get("Environment", {}).get("Variables", {}))
    return {name for name in everywhere if name.startswith("PREWARM_")}


def loose_settings(read: set[str], given: set[str]) -> list[str]:
    return [
        *(f"{name} is read but neither set nor optional" for name in sorted(read - given - set(OPTIONAL_SETTINGS))),
        *(f"{name} is set but never read" for name in sorted(given - read)),
        *(f"{name} is called optional but never read" for name in sorted(set(OPTIONAL_SETTINGS) - read)),
    ]


def test_settings_and_template_name_the_same_variables() -> None:
    assert loose_settings(settings_read(FUNCTIONS), settings_set(template())) == []


def test_loose_settings_are_found(tmp_path: Path) -> None:
    names = [*OPTIONAL_SETTINGS, "PREWARM_BUCKET", "PREWARM_NEW"]
    (tmp_path / "settings.py").write_text(f"names = {names!r}\n")
    assert loose_settings(settings_read(tmp_path), {"PREWARM_BUCKET", "PREWARM_OLD"}) == [
        "PREWARM_NEW is read but neither set nor optional",
        "PREWARM_OLD is set but never read",
    ]


def uneven_functions(document: Document) -> list[str]:
    """List translated functions off the project's one runtime, or beyond what Lambda allows."""
    wanted = {"Runtime": "python3.13", "Architectures": ["arm64"], "TracingConfig": {"Mode": "Active"}}
    problems = []
    for name, properties in resources(document, "AWS::Lambda::Function").items():
        problems += [f"{name}: {key} is not {value}" for key, value in wanted.items() if properties.get(key) != value]
        problems += [f"{name}: {key} is not given" for key in ("Timeout", "MemorySize") if key not in properties]
        if properties["LoggingConfig"] != {"LogFormat": "JSON", "LogGroup": {"Ref": "FunctionLogs"}}:
            problems.append(f"{name}: logs go elsewhere, or never expire")
    return problems


def test_functions_share_runtime_architecture_traces_and_logs() -> None:
    assert uneven_functions(translated()) == []


def test_uneven_functions_are_found() -> None:
    broken = template()
    properties = broken["Resources"]["WarmFunction"]["Properties"]
    properties.update(Runtime="python3.12", Architectures=["x86_64"])
    del properties["Timeout"], properties["LoggingConfig"]
    assert len(uneven_functions(translate(broken, state_machine()))) == 4


# ---- what is kept ----


def exposed_bucket(document: Document) -> list[str]:
    """List what a bucket lacks: encryption, privacy, expiry, refusal of plain HTTP."""
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
        if not any("AbortIncompleteMultipartUpload" in r for r in expiring):
            problems.append(f"{name}: broken uploads stay")
        problems += [] if refuses_plain_http(document, name) else [f"{name} answers plain HTTP"]
    return problems


def refuses_plain_http(document: Document, bucket: str) -> bool:
    refusals = [
        statement
        for policy in resources(document, "AWS::S3::BucketPolicy").values()
        if policy["Bucket"] == {"Ref": bucket}
        for statement in policy["PolicyDocument"]["Statement"]
        if (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        if statement.get("Condition") == {"Bool": {"aws:SecureTransport": False}}
    ]
    covered = {name_of(resource) for statement in refusals for resource in many(statement["Resource"])}
    return covered == {f"{bucket}.Arn", f"${{{bucket}.Arn}}/*"}


def test_the_bucket_is_encrypted_private_expiring_and_tls_only() -> None:
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
def test_an_exposed_bucket_is_found(resource: str, key: str) -> None:
    broken = translated()
    emptied: Document = {"Statement": []} if key == "PolicyDocument" else {}
    broken["Resources"][resource]["Properties"][key] = emptied
    assert exposed_bucket(broken)


def costly_table(document: Document) -> list[str]:
    problems = []
    for name, properties in resources(document, "AWS::DynamoDB::Table").items():
        if properties.get("BillingMode") != "PAY_PER_REQUEST":
            problems.append(f"{name} costs when idle")
        if properties.get("TimeToLiveSpecification") != {"AttributeName": "ttl", "Enabled": True}:
            problems.append(f"{name} keeps items for ever")
        if {key["AttributeName"]: key["KeyType"] for key in properties["KeySchema"]} != {
            "run": "HASH",
            "sk": "RANGE",
        }:
            problems.append(f"{name} is not keyed by run and batch")
    return problems


def test_the_ledger_is_on_demand_expires_and_is_keyed_by_run_and_batch() -> None:
    assert resources(translated(), "AWS::DynamoDB::Table")
    assert costly_table(translated()) == []


def test_a_costly_table_is_found() -> None:
    broken = translated()
    properties = broken["Resources"]["LedgerTable"]["Properties"]
    properties.update(BillingMode="PROVISIONED", KeySchema=[])
    properties["TimeToLiveSpecification"]["Enabled"] = False
    assert len(costly_table(broken)) == 3


def eternal_logs(document: Document) -> list[str]:
    groups = resources(document, "AWS::Logs::LogGroup")
    return [name for name, properties in groups.items() if not properties.get("RetentionInDays")]


def test_logs_expire() -> None:
    assert resources(translated(), "AWS::Logs::LogGroup")
    assert eternal_logs(translated()) == []


def test_eternal_logs_are_found() -> None:
    broken = translated()
    del broken["Resources"]["FunctionLogs"]["Properties"]["RetentionInDays"]
    assert eternal_logs(broken) == ["FunctionLogs"]


def talkative_machines(document: Document) -> list[str]:
    """List state machines whose logs would hold what a request holds: URLs, headers, signatures."""
    machines = resources(document, "AWS::StepFunctions::StateMachine")
    return [name for name, p in machines.items() if p["LoggingConfiguration"]["IncludeExecutionData"] is not False]


def test_state_logs_hold_no_execution_data() -> None:
    assert talkative_machines(translated()) == []


def test_talkative_machines_are_found() -> None:
    broken = translated()
    broken["Resources"][MACHINE_ID]["Properties"]["LoggingConfiguration"]["IncludeExecutionData"] = True
    assert talkative_machines(broken) == [MACHINE_ID]


# ---- the API ----


def open_api(document: Document) -> list[str]:
    """List what opens the API wider than meant: edge-optimised, a route without a key, a second stage."""
    problems = []
    for name, properties in resources(document, "AWS::ApiGateway::RestApi").items():
        if properties["EndpointConfiguration"].get("Types") != ["REGIONAL"]:
            problems.append(f"{name} is not regional")
        for path, methods in properties["Body"]["paths"].items():
            for method, operation in methods.items():
                needs_key = {"api_key": []} in operation.get("security", [])
                if needs_key == (method in KEYLESS_METHODS):
                    problems.append(f"{method.upper()} {path}: key {'required' if needs_key else 'not required'}")
    # SAM's deployment makes a stage of its own, which no usage plan covers, unless OpenApiVersion is set.
    deployments = resources(document, "AWS::ApiGateway::Deployment")
    problems += [f"{name} makes a second stage" for name, p in deployments.items() if "StageName" in p]
    return problems


def test_the_api_is_regional_asks_for_a_key_and_has_one_stage() -> None:
    paths = translated()["Resources"]["Api"]["Properties"]["Body"]["paths"]
    assert "post" in paths["/prewarm"]
    assert "get" in paths["/status"]
    assert open_api(translated()) == []


def test_an_open_api_is_found() -> None:
    broken = template()
    properties = broken["Resources"]["Api"]["Properties"]
    properties["EndpointConfiguration"]["Type"] = "EDGE"
    del properties["OpenApiVersion"]
    broken["Resources"]["ApiFunction"]["Properties"]["Events"]["GetStatus"]["Properties"]["Auth"] = {
        "ApiKeyRequired": False
    }
    problems = "\n".join(open_api(translate(broken, state_machine())))
    assert "Api is not regional" in problems
    assert "GET /status: key not required" in problems
    assert "makes a second stage" in problems


def shapeless_responses(document: Document) -> list[str]:
    """List API Gateway's own answers that are not JSON in the service's error shape.

    `$context.error.messageString` is the one variable that comes with its quotes; another is put in bare.
    """
    problems = []
    for name, properties in resources(document, "AWS::ApiGateway::RestApi").items():
        for kind, response in properties["Body"]["x-amazon-apigateway-gateway-responses"].items():
            text = response["responseTemplates"]["application/json"]
            text = text.replace("$context.error.messageString", '"the \\"message\\""')
            text = re.sub(r"\$context(\.\w+)+", 'the "value"', text)
            if not has_error_shape(text):
                problems.append(f"{name}: {kind}")
    return problems


def has_error_shape(text: str) -> bool:
    try:
        error = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return False
    shape = {key: type(value) for key, value in error.items()}
    return shape == {"code": str, "message": str, "details": list}


def test_gateway_responses_have_the_services_error_shape() -> None:
    assert shapeless_responses(translated()) == []


def test_gateway_responses_cover_key_route_size_throttle_and_timeout() -> None:
    body = translated()["Resources"]["Api"]["Properties"]["Body"]
    statuses = {
        kind: response.get("statusCode") for kind, response in body["x-amazon-apigateway-gateway-responses"].items()
    }
    assert statuses == {
        "INVALID_API_KEY": "403",
        "MISSING_AUTHENTICATION_TOKEN": "404",
        "REQUEST_TOO_LARGE": "413",
        "THROTTLED": "429",
        "QUOTA_EXCEEDED": "429",
        "INTEGRATION_TIMEOUT": "504",
        "DEFAULT_4XX": None,
        "DEFAULT_5XX": None,
    }


@pytest.mark.parametrize(
    "text",
    [
        '{"error": {"code": "X", "message": "$context.error.message", "details": []}}',
        '{"error": {"code": "X", "message": "$context.error.messageString", "details": []}}',
        '{"message": $context.error.messageString}',
        '{"error": {"code": "X", "message": "m"}}',
        "not JSON",
    ],
)
def test_shapeless_responses_are_found(text: str) -> None:
    broken = translated()
    body = broken["Resources"]["Api"]["Properties"]["Body"]
    body["x-amazon-apigateway-gateway-responses"]["THROTTLED"]["responseTemplates"]["application/json"] = text
    assert shapeless_responses(broken) == ["Api: THROTTLED"]


def test_runs_that_end_from_outside_are_told_to_the_aggregate_function() -> None:
    """The rule as CloudFormation gets it: of this machine's own runs, and of no child execution."""
    resources = translated()["Resources"]
    (rule,) = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Events::Rule"]
    assert rule["EventPattern"]["detail"] == {
        "stateMachineArn": [{"Ref": "PrewarmStateMachine"}],
        "status": ["TIMED_OUT", "ABORTED"],
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["AggregateFunction", "Arn"]}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    allowed = [
        each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::Lambda::Permission" and each["Properties"]["Principal"] == "events.amazonaws.com"
    ]
    assert [each["FunctionName"] for each in allowed] == [{"Ref": "AggregateFunction"}]
