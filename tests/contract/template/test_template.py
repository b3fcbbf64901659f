"""template.yaml as AWS receives it: translated, linted, and checked by rules that no linter has.

Each rule is a function that lists its violations; a test shows that it finds one in a broken copy.
"""

import ast
import re
from pathlib import Path

from tests.support.definitions import (
    FUNCTIONS,
    MACHINE_ID,
    TEMPLATE,
    Document,
    find_statement,
    functions,
    lint,
    lint_document,
    resources,
    state_machine,
    template,
    translate,
    translated,
)

# Accepted findings of cfn-lint, with reasons: SAM creates both resources, with a DependsOn in addition to the Ref.
ACCEPTED_FINDINGS = {
    ("W3005", "ApiUsagePlan"): "SAM adds DependsOn Api in addition to the Ref",
    ("W3005", "ApiUsagePlanKey"): "SAM adds DependsOn ApiApiKey in addition to the Ref",
    ("W2001", "Parameters/ApiRateLimit"): "SAM writes a parameter's value, not its name, into a usage plan",
    ("W2001", "Parameters/ApiBurstLimit"): "as for ApiRateLimit",
}

# Variables that functions/ may read although the template does not set them, with their purpose.
OPTIONAL_SETTINGS = {
    "PREWARM_NAMESERVERS": "DNS servers other than the system's",
    "PREWARM_CA_BUNDLE": "a CA other than the public ones",
    "PREWARM_HTTPS_PORT": "an edge that listens elsewhere",
    "PREWARM_HTTP_PORT": "an edge that listens elsewhere",
    "PREWARM_EDGE_NETWORKS": "an edge outside CloudFront's published ranges",
    "PREWARM_EDGE_NETWORKS_URL": "a mirror of AWS's list of networks, or none",
    "PREWARM_EDGE_NAMESERVER_PORT": "a simulated CloudFront whose nameservers listen elsewhere",
    "PREWARM_CONNECT_TIMEOUT_MS": "timeouts; the default suits CloudFront",
    "PREWARM_STALL_SECONDS": "timeouts; the default suits CloudFront",
    "PREWARM_OWN_MACHINE": "on AWS the service is charged for; the embedded stack sets it",
    "PREWARM_ERROR_CACHE_SECONDS": "a distribution with another error caching time",
}


# ---- lint ----


def findings(document: Document, folder: Path) -> set[tuple[str, str]]:
    return {(rule, logical_id) for rule, logical_id, _ in lint_document(document, folder)}


def test_cfn_lint_finds_nothing_in_the_translated_template(tmp_path: Path) -> None:
    reported = lint_document(translated(), tmp_path)
    assert sorted(f for f in reported if f[:2] not in ACCEPTED_FINDINGS) == []
    assert {f[:2] for f in reported} == set(ACCEPTED_FINDINGS), "remove findings that no longer occur from the list"


def test_accepted_findings_concern_only_resources_that_sam_adds() -> None:
    assert {name for _, name in ACCEPTED_FINDINGS}.isdisjoint(template()["Resources"])


def test_cfn_lint_finds_nothing_in_the_template_itself() -> None:
    assert sorted(lint(TEMPLATE)) == []


def test_cfn_lint_reports_circular_dependency_of_state_machine_and_role(tmp_path: Path) -> None:
    broken = template()
    statement = find_statement(broken, MACHINE_ID, "StartMapRun")
    statement["Resource"] = {"Ref": MACHINE_ID}
    circular = findings(translate(broken, state_machine()), tmp_path)
    assert {("E3004", MACHINE_ID), ("E3004", f"{MACHINE_ID}Role")} <= circular


def test_cfn_lint_reports_unknown_action(tmp_path: Path) -> None:
    broken = template()
    find_statement(broken, "WarmFunction", "WriteLedger")["Action"] = "dynamodb:PutItems"
    assert ("W3037", "WarmFunctionRole") in findings(translate(broken, state_machine()), tmp_path)


def test_cfn_lint_reads_the_inlined_definition(tmp_path: Path) -> None:
    machine = state_machine()
    machine["States"]["WarmTargets"]["ItemProcessor"]["States"]["WarmBatch"]["TimeoutSecond"] = 1
    assert ("E3601", MACHINE_ID) in findings(translate(template(), machine), tmp_path)


# ---- functions and their settings ----


def missing_handlers(document: Document, root: Path) -> list[str]:
    """List handlers whose module or function is missing; the code is parsed, not run."""
    problems = []
    for name, properties in functions(document).items():
        module, _, function = properties["Handler"].rpartition(".")
        path = root / Path(*module.split(".")).with_suffix(".py")
        if not path.is_file():
            problems.append(f"{name}: {path.relative_to(root)} is missing")
        elif function not in top_level_callables(path.read_text()):
            problems.append(f"{name}: {path.relative_to(root)} has no {function}()")
    return problems


def top_level_callables(source: str) -> set[str]:
    """Return the names of functions, and of results of calls (a handler may be wrapped)."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names


def test_every_handler_exists() -> None:
    assert missing_handlers(template(), FUNCTIONS) == []


def test_missing_handler_is_reported(tmp_path: Path) -> None:
    document = template()
    for name in [name for name in functions(document) if name not in {"ApiFunction", "WarmFunction"}]:
        del document["Resources"][name]
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "handler.py").write_text("def handle(): ...\n")
    assert missing_handlers(document, tmp_path) == [
        "ApiFunction: api/handler.py has no handler()",
        "WarmFunction: warm/handler.py is missing",
    ]


def settings_read(root: Path) -> set[str]:
    """Return the PREWARM_ variables that the code reads: its strings that are such a name."""
    return {
        node.value
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch("PREWARM_[A-Z_]+", node.value)
    }


def settings_set(document: Document) -> set[str]:
    variables = dict(document["Globals"]["Function"]["Environment"]["Variables"])
    for properties in resources(document, "AWS::Serverless::Function").values():
        variables.update(properties.get("Environment", {}).get("Variables", {}))
    return {name for name in variables if name.startswith("PREWARM_")}


def mismatched_settings(read: set[str], defined: set[str]) -> list[str]:
    return [
        *(f"{name} is read but neither set nor optional" for name in sorted(read - defined - set(OPTIONAL_SETTINGS))),
        *(f"{name} is set but never read" for name in sorted(defined - read)),
        *(f"{name} is listed as optional but never read" for name in sorted(set(OPTIONAL_SETTINGS) - read)),
    ]


def test_template_sets_the_variables_that_the_code_reads() -> None:
    assert mismatched_settings(settings_read(FUNCTIONS), settings_set(template())) == []


def test_mismatched_settings_are_reported(tmp_path: Path) -> None:
    names = [*OPTIONAL_SETTINGS, "PREWARM_BUCKET", "PREWARM_NEW"]
    (tmp_path / "settings.py").write_text(f"names = {names!r}\n")
    assert mismatched_settings(settings_read(tmp_path), {"PREWARM_BUCKET", "PREWARM_OLD"}) == [
        "PREWARM_NEW is read but neither set nor optional",
        "PREWARM_OLD is set but never read",
    ]


def uneven_functions(document: Document) -> list[str]:
    """List translated functions with another runtime, architecture, tracing or log group, or without limits."""
    expected = {"Runtime": "python3.13", "Architectures": ["arm64"], "TracingConfig": {"Mode": "Active"}}
    problems = []
    for name, properties in resources(document, "AWS::Lambda::Function").items():
        problems += [
            f"{name}: {key} is not {value}" for key, value in expected.items() if properties.get(key) != value
        ]
        problems += [f"{name}: {key} is not set" for key in ("Timeout", "MemorySize") if key not in properties]
        if properties["LoggingConfig"] != {"LogFormat": "JSON", "LogGroup": {"Ref": "FunctionLogs"}}:
            problems.append(f"{name}: logs go to another log group")
    return problems


def test_functions_share_runtime_architecture_tracing_and_logs() -> None:
    assert uneven_functions(translated()) == []


def test_uneven_functions_are_reported() -> None:
    broken = template()
    broken["Resources"]["WarmFunction"]["Properties"].update(Runtime="python3.12", Architectures=["x86_64"])
    document = translate(broken, state_machine())
    properties = document["Resources"]["WarmFunction"]["Properties"]
    del properties["Timeout"], properties["LoggingConfig"]["LogGroup"]
    assert len(uneven_functions(document)) == 4
