"""The template's API, its gateway responses, and the events that invoke functions."""

import json
import re
from types import SimpleNamespace

import pytest

from tests.support.definitions import (
    Document,
    resources,
    state_machine,
    template,
    translate,
    translated,
)

KEYLESS_METHODS = {"options"}
# Public, without data of any run: the API description, and the dashboard page, which prompts for the key.
KEYLESS_ROUTES = {("get", "/"), ("get", "/openapi.json")}


def open_api(document: Document) -> list[str]:
    """List unintended access to the API: an edge-optimised endpoint, a route without a key, a second stage."""
    problems = []
    for name, properties in resources(document, "AWS::ApiGateway::RestApi").items():
        if properties["EndpointConfiguration"].get("Types") != ["REGIONAL"]:
            problems.append(f"{name} is not regional")
        for path, methods in properties["Body"]["paths"].items():
            for method, operation in methods.items():
                needs_key = {"api_key": []} in operation.get("security", [])
                if needs_key == (method in KEYLESS_METHODS or (method, path) in KEYLESS_ROUTES):
                    problems.append(f"{method.upper()} {path}: key {'required' if needs_key else 'not required'}")
    # Without OpenApiVersion, SAM's deployment creates another stage, which no usage plan covers.
    deployments = resources(document, "AWS::ApiGateway::Deployment")
    problems += [f"{name} creates a second stage" for name, p in deployments.items() if "StageName" in p]
    return problems


def test_api_is_regional_requires_a_key_and_has_one_stage() -> None:
    paths = translated()["Resources"]["Api"]["Properties"]["Body"]["paths"]
    assert "post" in paths["/prewarm"]
    assert "get" in paths["/status"]
    assert open_api(translated()) == []


def test_routes_without_a_key_have_their_own_throttle() -> None:
    """A usage plan counts requests by key, so it does not count requests without one."""
    (stage,) = resources(translated(), "AWS::ApiGateway::Stage").values()
    settings = {
        (each["HttpMethod"].lower(), each["ResourcePath"].replace("/~1", "/")): each
        for each in stage["MethodSettings"]
    }
    assert settings.keys() == KEYLESS_ROUTES
    assert all(0 < each["ThrottlingRateLimit"] <= 20 for each in settings.values())


def test_every_deployment_of_the_stack_deploys_the_api_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """SAM names a deployment by a hash of the paths, with AlwaysDeploy by the time; a new name deploys again."""

    def deployment(document: Document, second: int) -> str:
        monkeypatch.setattr("samtranslator.model.apigateway.time", SimpleNamespace(time=lambda: second))
        translated_now = translate(document, state_machine())
        (name,) = resources(translated_now, "AWS::ApiGateway::Deployment")
        (stage,) = resources(translated_now, "AWS::ApiGateway::Stage").values()
        assert stage["DeploymentId"] == {"Ref": name}
        return name

    changed = template()
    changed["Resources"]["Api"]["Properties"]["GatewayResponses"]["THROTTLED"]["StatusCode"] = 503
    assert deployment(template(), 1) != deployment(changed, 2)
    assert deployment(template(), 1) != deployment(template(), 2)
    without = template()
    del without["Resources"]["Api"]["Properties"]["AlwaysDeploy"]
    assert deployment(without, 1) == deployment(without, 2)


def test_unintended_access_is_reported() -> None:
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
    assert "creates a second stage" in problems


def shapeless_responses(document: Document) -> list[str]:
    """List gateway responses that are not JSON in the service's error format.

    `$context.error.messageString` is the only variable that includes its quotes.
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


def test_gateway_responses_have_the_error_format() -> None:
    assert shapeless_responses(translated()) == []


def test_gateway_responses_cover_key_route_size_throttling_and_timeout() -> None:
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
def test_response_in_another_format_is_reported(text: str) -> None:
    broken = translated()
    body = broken["Resources"]["Api"]["Properties"]["Body"]
    body["x-amazon-apigateway-gateway-responses"]["THROTTLED"]["responseTemplates"]["application/json"] = text
    assert shapeless_responses(broken) == ["Api: THROTTLED"]


def test_rules_invoke_the_run_ended_function() -> None:
    """The rules match executions of this state machine, and no child executions."""
    resources = translated()["Resources"]
    rules = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Events::Rule"]
    assert {tuple(rule["EventPattern"]["detail"]["status"]): rule.get("State") for rule in rules} == {
        ("TIMED_OUT", "ABORTED"): None,
        ("SUCCEEDED", "FAILED"): None,
    }
    for rule in rules:
        assert rule["EventPattern"]["detail"]["stateMachineArn"] == [{"Ref": "PrewarmStateMachine"}]
        (target,) = rule["Targets"]
        assert target["Arn"] == {"Fn::GetAtt": ["RunEndedFunction", "Arn"]}
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    allowed = [
        each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::Lambda::Permission" and each["Properties"]["Principal"] == "events.amazonaws.com"
    ]
    assert [each["FunctionName"] for each in allowed] == [{"Ref": "RunEndedFunction"}] * 2
