"""Reading templates for the embedded stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from prewarm_local.stack.intrinsics import TemplateError
from prewarm_local.stack.template import load_template
from tests.support.embedded_project import TEMPLATE, write_project

if TYPE_CHECKING:
    from pathlib import Path


def test_project_template_has_all_resources() -> None:
    template = load_template()
    functions = {function.logical_id: function for function in template.functions}
    assert set(functions) == {
        "ApiFunction",
        "ResolveFunction",
        "InvalidateFunction",
        "WarmFunction",
        "AggregateFunction",
        "RunEndedFunction",
    }
    warm, api = functions["WarmFunction"], functions["ApiFunction"]
    assert (warm.handler, warm.timeout, warm.memory, warm.code.name) == (
        "warm.handler.handler",
        900,
        1024,
        "functions",
    )
    [machine], [bucket], [table] = template.state_machines, template.buckets, template.tables
    assert api.environment["PREWARM_STATE_MACHINE_ARN"] == machine.arn
    assert warm.environment["PREWARM_BUCKET"] == bucket.name
    assert warm.environment["PREWARM_TABLE"] == table.name
    assert (table.ttl_attribute, [key["AttributeName"] for key in table.schema["KeySchema"]]) == (
        "ttl",
        ["run", "sk"],
    )
    states = json.loads(machine.definition)["States"]
    assert states["ResolveTargets"]["Parameters"]["FunctionName"] == functions["ResolveFunction"].arn
    assert template.api is not None
    routes = {(route.method, route.path): route for route in template.api.routes}
    assert {("POST", "/prewarm"), ("GET", "/status")} <= set(routes)
    assert routes["POST", "/prewarm"].key_required
    assert routes["POST", "/prewarm"].function_arn == api.arn
    assert template.api.gateway_responses["REQUEST_TOO_LARGE"].status == 413


def test_parameters_override_defaults() -> None:
    template = load_template(parameters={"StageName": "v9", "WarmMemory": "2048"})
    assert template.api is not None
    assert template.api.stage == "v9"
    assert next(f.memory for f in template.functions if f.logical_id == "WarmFunction") == 2048
    with pytest.raises(TemplateError, match="no parameter Nonsense"):
        load_template(parameters={"Nonsense": "1"})


@pytest.mark.parametrize("value", ["!ImportValue other", "!GetAtt Store.Colour", "!Ref Nothing", '!Sub "${Nothing}"'])
def test_unsupported_intrinsic_is_rejected_with_the_resource(tmp_path: Path, value: str) -> None:
    path = write_project(tmp_path, TEMPLATE.replace("Timeout: 1}", f"Environment: {{Variables: {{A: {value}}}}}}}"))
    with pytest.raises(TemplateError, match="resource Acts: "):
        load_template(path)
