"""The rules of modules: allowed imports, calls to AWS, names and lengths. Each returns its violations.

The code is parsed, not imported. tests/contract/packaging/test_module_rules.py applies the rules and tests them.
"""

import ast
import sys
from collections.abc import Callable
from functools import cache
from pathlib import PurePosixPath

from tests.support.definitions import ROOT, functions, template

Sources = dict[str, str]  # by path from the project's root
Rule = Callable[[Sources], list[str]]

CODE = ("functions", "src", "tools")
# The functions are imported from their CodeUri: `prewarm.planning.plan`, not `functions.prewarm.planning.plan`.
FUNCTION_PACKAGES = {"api", "resolve", "warm", "aggregate"}
SHARED_PACKAGE = "prewarm"
NOT_DEPLOYED = {"functions", "prewarm_local", "prewarm_cli", "tools", "tests", "bench", "moto", "pytest"}
NOT_INSTALLED = {"functions", "tools", "tests", "bench", "pytest", *FUNCTION_PACKAGES}

# The modules that call AWS, and the services that they call.
AWS_CLIENTS: dict[str, set[str]] = {
    "functions/prewarm/storage/clients.py": {"s3", "dynamodb"},
    "functions/prewarm/storage/bucket.py": set(),  # botocore's errors only
    "functions/prewarm/storage/rate_lanes.py": set(),  # botocore's errors only
    "functions/prewarm/storage/run_store.py": set(),  # likewise
    "functions/prewarm/storage/transient.py": set(),  # likewise
    "functions/aggregate/sns.py": {"sns"},
    "functions/api/runs/executions.py": {"stepfunctions"},
    "functions/api/runs/dry_run.py": {"lambda"},
    "functions/resolve/distributions/accounts.py": set(),  # botocore's errors only
    "functions/resolve/distributions/assumed_roles.py": {"sts"},
    "functions/resolve/distributions/cloudfront_client.py": {"cloudfront"},
    "functions/resolve/distributions/config_reader.py": set(),  # botocore's errors only
    "functions/resolve/distributions/tenants.py": set(),  # likewise
    "functions/resolve/invalidation_calls.py": set(),  # botocore's errors only
}
AWS_PACKAGES = {"boto3", "botocore"}

# Each would lengthen the cold start of the warm function, which starts most often.
TOO_HEAVY_FOR_WARM = ("boto3", "pydantic", "aws_lambda_powertools.event_handler", "api")

# Installed without an extra (urllib3 as a dependency of requests); the other allowed imports are Python's own.
BASE_DEPENDENCIES = {"requests", "urllib3", "rich", "typer", "prewarm", "prewarm_cli"}
# The commands that need an extra: they import it inside their functions, after `--help` and bad input.
LOCAL_COMMANDS = (
    "prewarm_cli.commands.run_here",
    "prewarm_cli.commands.serve",
    "prewarm_cli.demo",
    "prewarm_cli.doctor.account",
    "prewarm_cli.traffic.command",
)
# Loaded by such a command only once it is called.
EXTRA_PACKAGES = ("prewarm_cli.traffic", "prewarm_cli.aws", "prewarm_cli.doctor.aws_calls")

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}

# The aim is 200 lines a module and 60 a handler; these are the limits.
MAX_LINES = 260
MAX_HANDLER_LINES = 80


def sources() -> Sources:
    return {
        path.relative_to(ROOT).as_posix(): path.read_text()
        for folder in CODE
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def handlers() -> set[str]:
    """Return the paths of the modules that the template's functions name as their handlers."""
    modules = {properties["Handler"].rpartition(".")[0] for properties in functions(template()).values()}
    return {f"functions/{module.replace('.', '/')}.py" for module in modules}


def module_name(path: str) -> str:
    """Return the name under which a module is imported."""
    parts = PurePosixPath(path).with_suffix("").parts
    parts = parts[1:] if parts[0] in {"functions", "src"} else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


def imports(path: str, source: str, *, in_functions: bool = True, for_types: bool = False) -> set[str]:
    """Return the names that a module imports: `from a import b` counts as `a` and as `a.b`.

    `in_functions` includes imports inside of functions, which run later; `for_types` those for type checkers only,
    which never run.
    """
    package = module_name(path).split(".")
    if not path.endswith("/__init__.py"):
        package = package[:-1]
    names = set()
    nodes: list[ast.AST] = [parsed(source)]
    while nodes:
        node = nodes.pop()
        if not for_types and isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            nodes += node.orelse
            continue
        if not in_functions and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return names


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def with_packages(name: str) -> set[str]:
    """Return a module's name and the names of the packages around it, which are imported first."""
    parts = name.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts) + 1)}


# ---- the rules ----


def imports_of_other_functions(code: Sources) -> list[str]:
    """List imports from one function's package into another's, and from the shared package into any."""
    problems = []
    for path, source in code.items():
        top, package, *_ = PurePosixPath(path).parts
        if top == "functions":
            others = FUNCTION_PACKAGES - {package}
            problems += [f"{path}: {name}" for name in sorted(imports(path, source)) if within(name, *others)]
    return problems


def handlers_importing_handlers(code: Sources) -> list[str]:
    return _imports_of(code, "functions/", {module_name(path) for path in handlers()})


def entry_points_not_called_handler(_: Sources, entry_points: set[str] | None = None) -> list[str]:
    """List modules that Lambda starts although their names do not end with `handler`."""
    paths = handlers() if entry_points is None else entry_points
    return sorted(path for path in paths if not path.endswith("handler.py"))


def heavy_warm_imports(code: Sources) -> list[str]:
    """List heavy packages that the warm handler loads, directly or through its imports."""
    by_name = {module_name(path): path for path in code if path.startswith("functions/")}
    problems = []
    seen: set[str] = set()
    queue = ["warm.handler"]
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        loaded = with_packages(name) | (imports(by_name[name], code[by_name[name]]) if name in by_name else set())
        problems += [f"{name}: {heavy}" for heavy in sorted(loaded) if within(heavy, *TOO_HEAVY_FOR_WARM)]
        queue += sorted(loaded & by_name.keys())
    return problems


def base_command_imports_of_extras(code: Sources) -> list[str]:
    """List imports that a command without extras would fail at, directly or through the modules that it imports.

    Commands that need the local extra count with the imports that run when they are loaded.
    """
    by_name = {module_name(path): path for path in code}
    problems = []
    seen: set[str] = set()
    queue = [name for name in by_name if within(name, "prewarm_cli")]
    queue = [name for name in queue if not within(name, *LOCAL_COMMANDS, *EXTRA_PACKAGES)]
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        path = by_name[name]
        names = imports(path, code[path], in_functions=not within(name, *LOCAL_COMMANDS))
        allowed = BASE_DEPENDENCIES | sys.stdlib_module_names
        problems += [f"{name}: {each}" for each in sorted(names) if each.partition(".")[0] not in allowed]
        # A base command may call an extra's package once the user asks for what needs it.
        loaded = imports(path, code[path], in_functions=False)
        followed = [each for each in names if each in loaded or not within(each, *EXTRA_PACKAGES)]
        around = set().union(*map(with_packages, followed)) if followed else set()
        queue += sorted(around & by_name.keys())
    return problems


def import_circles(code: Sources) -> list[str]:
    """List modules that import each other, at run time or for types; `functions` and `src` are one name space."""
    by_name = {module_name(path): path for path in code if not path.startswith("tools/")}
    edges = {name: imports(path, code[path], for_types=True) & by_name.keys() for name, path in by_name.items()}
    reached = {name: _reachable(name, edges) for name in edges}
    circles = {frozenset(other for other in reached[name] if name in reached[other]) for name in edges}
    return sorted(" ⇄ ".join(sorted(circle)) for circle in circles if circle)


def _reachable(start: str, edges: dict[str, set[str]]) -> set[str]:
    """Return the modules that a module imports, directly or indirectly; itself only if it is in a circle."""
    reached: set[str] = set()
    queue = [*(edges[start] - {start})]
    while queue:
        name = queue.pop()
        if name not in reached:
            reached.add(name)
            queue += edges[name]
    return reached


def unexpected_aws_clients(code: Sources) -> list[str]:
    """List modules that call AWS, or one of its services, without an entry in AWS_CLIENTS."""
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
    """Return the services of `client("…")` and `resource("…")` calls on any object."""
    return {
        str(node.args[0].value)
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"client", "resource"}
        if node.args and isinstance(node.args[0], ast.Constant)
    }


def deployed_code_importing_the_rest(code: Sources) -> list[str]:
    return _imports_of(code, "functions/", NOT_DEPLOYED)


def installed_code_importing_the_rest(code: Sources) -> list[str]:
    """List imports of packages that the wheel does not install: the functions are its data, the rest is not in it."""
    return _imports_of(code, "src/", NOT_INSTALLED)


def edge_importing_the_functions(code: Sources) -> list[str]:
    """List imports by which the simulated CloudFront would share the functions' bugs."""
    return _imports_of(code, "src/prewarm_local/edge/", {"functions", SHARED_PACKAGE, *FUNCTION_PACKAGES})


def _imports_of(code: Sources, folder: str, packages: set[str]) -> list[str]:
    """Return the imports of `packages` by the modules of a folder."""
    return [
        f"{path}: {name}"
        for path, source in code.items()
        if path.startswith(folder)
        for name in sorted(imports(path, source))
        if within(name, *packages)
    ]


def vague_names(code: Sources) -> list[str]:
    return [path for path in code if VAGUE_NAMES & set(PurePosixPath(path).with_suffix("").parts)]


def long_modules(code: Sources) -> list[str]:
    limits = dict.fromkeys(handlers(), MAX_HANDLER_LINES)
    lengths = {path: len(source.splitlines()) for path, source in code.items()}
    return [f"{path}: {lines}" for path, lines in lengths.items() if lines > limits.get(path, MAX_LINES)]
