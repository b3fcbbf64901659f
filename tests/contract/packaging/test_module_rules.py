"""The rooms of the code: who may import whom, who speaks to AWS, and how long a module may grow.

The code is read, not imported. Each rule lists what breaks it; each is shown to find a break in made-up code.
"""

import ast
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest

from tests.support.definitions import ROOT, functions, template

Sources = dict[str, str]  # by path from the project's root
Rule = Callable[[Sources], list[str]]

CODE = ("functions", "src", "tools")
# The functions are imported from their CodeUri: `prewarm.planning.plan`, not `functions.prewarm.plan`.
FUNCTION_ROOMS = {"api", "resolve", "warm", "aggregate"}
SHARED_ROOM = "prewarm"
NOT_SHIPPED = {"functions", "prewarm_local", "prewarm_cli", "tools", "tests", "bench", "moto", "pytest"}

# The modules that speak to AWS, and to which services.
AWS_CLIENTS = {
    "functions/prewarm/storage/run_store.py": {"s3", "dynamodb"},  # it makes the ledger's client too
    "functions/aggregate/sns.py": {"sns"},
    "functions/api/runs/executions.py": {"stepfunctions"},
    "functions/api/runs/dry_run.py": {"lambda"},
    "functions/resolve/distributions/cloudfront_client.py": {"cloudfront"},
}
AWS_PACKAGES = {"boto3", "botocore"}

# Each costs the warm function, the one that starts most often, a part of its cold start.
TOO_HEAVY_FOR_WARM = ("boto3", "pydantic", "aws_lambda_powertools.event_handler", "api")

NAMES_OF_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc"}

# The aim is 200 lines a module and 60 a handler; these are the ends of patience.
MAX_LINES = 260
MAX_HANDLER_LINES = 80


def sources() -> Sources:
    return {
        path.relative_to(ROOT).as_posix(): path.read_text()
        for room in CODE
        for path in sorted((ROOT / room).rglob("*.py"))
    }


def handlers() -> set[str]:
    """Give the paths of the modules that the template's functions name as their handlers."""
    modules = {properties["Handler"].rpartition(".")[0] for properties in functions(template()).values()}
    return {f"functions/{module.replace('.', '/')}.py" for module in modules}


def module_name(path: str) -> str:
    """Name a module as it is imported."""
    parts = PurePosixPath(path).with_suffix("").parts
    parts = parts[1:] if parts[0] in {"functions", "src"} else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: str, source: str) -> set[str]:
    """Name all that a module imports, wherever in it: `from a import b` counts as `a` and as `a.b`.

    Imports for type checkers alone do not count: they do not run.
    """
    package = module_name(path).split(".")
    if not path.endswith("/__init__.py"):
        package = package[:-1]
    found = set()
    left: list[ast.AST] = [ast.parse(source)]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            left += node.orelse
            continue
        left += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def within(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


# ---- the rules ----


def doors_between_rooms(code: Sources) -> list[str]:
    """List imports from one function's room into another's, and from the shared room into any."""
    problems = []
    for path, source in code.items():
        top, room, *_ = PurePosixPath(path).parts
        if top == "functions":
            others = FUNCTION_ROOMS - {room}
            problems += [f"{path}: {name}" for name in sorted(imports(path, source)) if within(name, *others)]
    return problems


def handlers_importing_handlers(code: Sources) -> list[str]:
    names = {module_name(path) for path in handlers()}
    return [
        f"{path}: {name}"
        for path, source in code.items()
        if path.startswith("functions/")
        for name in sorted(imports(path, source) & names)
    ]


def heavy_warm_imports(code: Sources) -> list[str]:
    """List what the warm handler should not load, directly or through what it imports."""
    by_name = {module_name(path): path for path in code if path.startswith("functions/")}
    problems = []
    seen: set[str] = set()
    left = ["warm.handler"]
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        parents = {name.rpartition(".")[0]} if "." in name else set()
        found = parents | (imports(by_name[name], code[by_name[name]]) if name in by_name else set())
        problems += [f"{name}: {heavy}" for heavy in sorted(found) if within(heavy, *TOO_HEAVY_FOR_WARM)]
        left += sorted(found & by_name.keys())
    return problems


def strangers_to_aws(code: Sources) -> list[str]:
    """List modules that speak to AWS unasked, or to a service that is not theirs."""
    problems = []
    for path, source in code.items():
        if not path.startswith("functions/"):
            continue
        if path not in AWS_CLIENTS:
            problems += [f"{path}: {name}" for name in sorted(imports(path, source)) if within(name, *AWS_PACKAGES)]
        services = clients_made(source) - AWS_CLIENTS.get(path, set())
        problems += [f"{path}: client of {service}" for service in sorted(services)]
    return problems


def clients_made(source: str) -> set[str]:
    """Name the services of `client("…")` and `resource("…")` calls, whatever they are called on."""
    return {
        str(node.args[0].value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"client", "resource"}
        if node.args and isinstance(node.args[0], ast.Constant)
    }


def shipped_code_that_needs_the_rest(code: Sources) -> list[str]:
    return [
        f"{path}: {name}"
        for path, source in code.items()
        if path.startswith("functions/")
        for name in sorted(imports(path, source))
        if within(name, *NOT_SHIPPED)
    ]


def edge_that_knows_the_functions(code: Sources) -> list[str]:
    """List imports that would let the simulated CloudFront share the functions' mistakes."""
    return [
        f"{path}: {name}"
        for path, source in code.items()
        if path.startswith("src/prewarm_local/edge/")
        for name in sorted(imports(path, source))
        if within(name, "functions", SHARED_ROOM, *FUNCTION_ROOMS)
    ]


def names_that_say_nothing(code: Sources) -> list[str]:
    return [path for path in code if NAMES_OF_NOTHING & set(PurePosixPath(path).with_suffix("").parts)]


def long_modules(code: Sources) -> list[str]:
    most = dict.fromkeys(handlers(), MAX_HANDLER_LINES)
    lengths = {path: len(source.splitlines()) for path, source in code.items()}
    return [f"{path}: {lines}" for path, lines in lengths.items() if lines > most.get(path, MAX_LINES)]


BREAKS: tuple[tuple[Rule, Sources], ...] = (
    (doors_between_rooms, {"functions/api/handler.py": "from resolve.planner import plan"}),
    (doors_between_rooms, {"functions/prewarm/planning/plan.py": "def f():\n    import warm.worker"}),
    (doors_between_rooms, {"functions/api/handler.py": "from ..resolve import planner"}),
    (handlers_importing_handlers, {"functions/resolve/handler.py": "from resolve import invalidate_handler"}),
    (handlers_importing_handlers, {"functions/resolve/handler.py": "from .invalidate_handler import handler"}),
    (heavy_warm_imports, {"functions/warm/handler.py": "from pydantic import BaseModel"}),
    (heavy_warm_imports, {"functions/warm/handler.py": "from aws_lambda_powertools import event_handler"}),
    (
        heavy_warm_imports,
        {
            "functions/warm/handler.py": "from warm import worker",
            "functions/warm/worker.py": "from prewarm.request.model import Request",
            "functions/prewarm/request/model.py": "import pydantic",
        },
    ),
    (
        heavy_warm_imports,
        {
            "functions/warm/handler.py": "from prewarm.planning.plan import Plan",
            "functions/prewarm/planning/plan.py": "",
            "functions/prewarm/__init__.py": "from prewarm.request import model",
            "functions/prewarm/request/model.py": "import pydantic",
        },
    ),
    (strangers_to_aws, {"functions/warm/handler.py": "import boto3"}),
    (strangers_to_aws, {"functions/prewarm/planning/plan.py": "from botocore.exceptions import ClientError"}),
    (strangers_to_aws, {"functions/api/runs/executions.py": "import boto3\nboto3.client('s3')"}),
    (strangers_to_aws, {"functions/warm/handler.py": "session.resource('dynamodb')"}),
    (shipped_code_that_needs_the_rest, {"functions/prewarm/settings.py": "import prewarm_local.stack"}),
    (shipped_code_that_needs_the_rest, {"functions/prewarm/settings.py": "from functions.prewarm import plan"}),
    (edge_that_knows_the_functions, {"src/prewarm_local/edge/cache.py": "from prewarm.results.outcome import judge"}),
    (names_that_say_nothing, {"functions/prewarm/utils.py": ""}),
    (names_that_say_nothing, {"src/prewarm_local/common/clock.py": ""}),
    (long_modules, {"src/prewarm_local/stack/http_server.py": "\n" * 261}),
    (long_modules, {"functions/warm/handler.py": "\n" * 81}),
)
RULES = tuple(dict.fromkeys(rule for rule, _ in BREAKS))


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_the_code_has_no(rule: Rule) -> None:
    assert rule(sources()) == []


@pytest.mark.parametrize(("rule", "code"), BREAKS, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(BREAKS)])
def test_broken_code_has(rule: Rule, code: Sources) -> None:
    assert rule(code)


def test_imports_for_type_checkers_do_not_count() -> None:
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pydantic\nelse:\n    import json\n"
    assert imports("functions/warm/handler.py", source) == {"typing", "typing.TYPE_CHECKING", "json"}
