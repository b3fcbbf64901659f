"""The code keeps the rules of tests/support/module_rules.py, and each rule finds a violation in made-up code."""

import pytest

from tests.support.module_rules import (
    Rule,
    Sources,
    base_command_imports_of_extras,
    deployed_code_importing_the_rest,
    edge_importing_the_functions,
    entry_points_not_called_handler,
    handlers_importing_handlers,
    heavy_warm_imports,
    import_circles,
    imports,
    imports_of_other_functions,
    installed_code_importing_the_rest,
    long_modules,
    sources,
    unexpected_aws_clients,
    vague_names,
)

BREAKS: tuple[tuple[Rule, Sources], ...] = (
    (imports_of_other_functions, {"functions/api/handler.py": "from resolve.planner import plan"}),
    (imports_of_other_functions, {"functions/prewarm/planning/plan.py": "def f():\n    import warm.worker"}),
    (imports_of_other_functions, {"functions/api/handler.py": "from ..resolve import planner"}),
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
    (base_command_imports_of_extras, {"src/prewarm_cli/main.py": "import boto3"}),
    (base_command_imports_of_extras, {"src/prewarm_cli/commands/pops.py": "def f():\n    import prewarm_local.edge"}),
    (
        base_command_imports_of_extras,
        {
            "src/prewarm_cli/main.py": "from prewarm_cli.commands import serve",
            "src/prewarm_cli/commands/serve.py": "from prewarm_local.stack import stack",
        },
    ),
    (
        base_command_imports_of_extras,
        {
            "src/prewarm_cli/main.py": "from prewarm.catalogue import catalogue",
            "functions/prewarm/catalogue.py": "from prewarm.request import model",
            "functions/prewarm/request/__init__.py": "import pydantic",
            "functions/prewarm/request/model.py": "",
        },
    ),
    (
        base_command_imports_of_extras,
        {
            "src/prewarm_cli/config.py": "from prewarm_cli.aws import clients",
            "src/prewarm_cli/aws/clients.py": "import boto3",
        },
    ),
    (import_circles, {"functions/warm/a.py": "from warm import b", "functions/warm/b.py": "import warm.a"}),
    (
        import_circles,
        {
            "src/prewarm_local/a.py": "from prewarm_local.b import B",
            "src/prewarm_local/b.py": "from prewarm_local.c import C",
            "src/prewarm_local/c.py": "if TYPE_CHECKING:\n    from prewarm_local.a import A",
        },
    ),
    (unexpected_aws_clients, {"functions/warm/handler.py": "import boto3"}),
    (unexpected_aws_clients, {"functions/prewarm/planning/plan.py": "from botocore.exceptions import ClientError"}),
    (unexpected_aws_clients, {"functions/api/runs/executions.py": "import boto3\nboto3.client('s3')"}),
    (unexpected_aws_clients, {"functions/warm/handler.py": "session.resource('dynamodb')"}),
    (deployed_code_importing_the_rest, {"functions/prewarm/settings.py": "import prewarm_local.stack"}),
    (deployed_code_importing_the_rest, {"functions/prewarm/settings.py": "from functions.prewarm import plan"}),
    (installed_code_importing_the_rest, {"src/prewarm_cli/commands/pops.py": "def f():\n    import tools.pop_scan"}),
    (installed_code_importing_the_rest, {"src/prewarm_local/stack/stack.py": "from resolve.planner import plan"}),
    (
        edge_importing_the_functions,
        {"src/prewarm_local/edge/cache.py": "from prewarm.results.outcome import classify"},
    ),
    (vague_names, {"functions/prewarm/utils.py": ""}),
    (vague_names, {"src/prewarm_local/common/clock.py": ""}),
    (long_modules, {"src/prewarm_local/stack/http_server.py": "\n" * 261}),
    (long_modules, {"functions/warm/handler.py": "\n" * 81}),
)
RULES = (*dict.fromkeys(rule for rule, _ in BREAKS), entry_points_not_called_handler)


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_the_code_has_no(rule: Rule) -> None:
    assert rule(sources()) == []


@pytest.mark.parametrize(("rule", "code"), BREAKS, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(BREAKS)])
def test_a_violation_is_found_by(rule: Rule, code: Sources) -> None:
    assert rule(code)


def test_an_entry_point_with_another_name_is_found() -> None:
    paths = {
        "functions/api/handler.py",
        "functions/aggregate/run_ended_handler.py",
        "functions/resolve/invalidate.py",
    }
    assert entry_points_not_called_handler({}, paths) == ["functions/resolve/invalidate.py"]


def test_modules_without_a_circle_are_not_listed() -> None:
    code = {"functions/warm/a.py": "from warm import b, c", "functions/warm/b.py": "from warm import c"}
    assert import_circles(code | {"functions/warm/c.py": "import json"}) == []


def test_imports_for_type_checkers_count_only_for_circles() -> None:
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pydantic\nelse:\n    import json\n"
    names = {"typing", "typing.TYPE_CHECKING", "json"}
    assert imports("functions/warm/handler.py", source) == names
    assert imports("functions/warm/handler.py", source, for_types=True) == names | {"pydantic"}


def test_imports_inside_of_functions_count_unless_excluded() -> None:
    source = "import json\ndef f():\n    import moto\n"
    assert imports("src/prewarm_cli/commands/serve.py", source) == {"json", "moto"}
    assert imports("src/prewarm_cli/commands/serve.py", source, in_functions=False) == {"json"}
