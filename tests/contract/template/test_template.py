"""template.yaml as AWS will see it: translated, linted, and held to the rules that no linter knows.

Each rule is a function that lists what breaks it; each is shown to find a break in a broken copy.
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

# What cfn-lint may say, and why it may: both resources are made by SAM, with a DependsOn beside the Ref.
ACCEPTED_FINDINGS = {
    ("W3005", "ApiUsagePlan"): "SAM adds DependsOn Api beside the Ref",
    ("W3005", "ApiUsagePlanKey"): "SAM adds DependsOn ApiApiKey beside the Ref",
    ("W2001", "Parameters/ApiRateLimit"): "SAM writes a parameter's value, not its name, into a usage plan",
    ("W2001", "Parameters/ApiBurstLimit"): "likewise",
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
