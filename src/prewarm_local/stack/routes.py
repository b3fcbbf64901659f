"""The REST API of a translated template: its routes, and its gateway responses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prewarm_local.stack.intrinsics import Resolver, TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
_ANY = "x-amazon-apigateway-any-method"
_FUNCTION_ARN = re.compile(r"/functions/(arn:[^/]+)/invocations$")
# API Gateway's default and, for most accounts, its maximum.
_INTEGRATION_TIMEOUT_MS = 29_000


@dataclass(frozen=True)
class Route:
    """A method of a path, and what answers it.

    `function_arn` answers within `timeout` seconds, or a mock answers with 200 and `mock_headers`.
    `method` is upper case, or ANY. `path` is the template's, for example `/runs/{id}` or `/{proxy+}`.
    """

    method: str
    path: str
    function_arn: str
    key_required: bool
    timeout: float
    mock_headers: dict[str, str] | None = None

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parameters of a percent-encoded path, or None without a match."""
        pattern = ""
        for part in re.split(r"(\{[^}]+\})", self.path):
            if part.startswith("{"):
                name = part[1:-1]
                pattern += f"(?P<{_group(name)}>.+)" if name.endswith("+") else f"(?P<{_group(name)}>[^/]+)"
            else:
                pattern += re.escape(part)
        match = re.fullmatch(pattern, path)
        if not match:
            return None
        names = [name.removesuffix("+") for name in re.findall(r"\{([^}]+)\}", self.path)]
        return {name: match.group(_group(name)) for name in names}

    @property
    def rank(self) -> tuple[int, int, int]:
        """Sort key: fixed, parameter, greedy paths; named methods before ANY."""
        return (self.path.count("+}"), self.path.count("{"), int(self.method == "ANY"))


def _group(name: str) -> str:
    return "p_" + re.sub(r"\W", "_", name.removesuffix("+"))


@dataclass(frozen=True)
class GatewayResponse:
    """A response of API Gateway itself; `status` None keeps the error's own status."""

    status: int | None
    templates: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Api:
    """A REST API at one stage."""

    logical_id: str
    stage: str
    routes: tuple[Route, ...]
    gateway_responses: dict[str, GatewayResponse]
    binary_media_types: tuple[str, ...]


def read_api(resolver: Resolver, resources: Mapping[str, Mapping[str, Any]]) -> Api | None:
    """Return the template's REST API, or None if the template has no API.

    May raise TemplateError.
    """
    apis = [name for name, resource in resources.items() if resource["Type"] == "AWS::ApiGateway::RestApi"]
    if not apis:
        return None
    if len(apis) > 1:
        raise TemplateError(f"the embedded stack serves one API; the template has {', '.join(sorted(apis))}")
    logical_id = apis[0]
    body = resolver.resolve(resources[logical_id]["Properties"]["Body"], logical_id)
    # Swagger 2.0 and OpenAPI 3 define them in different places; SAM writes either format.
    schemes = {**body.get("securityDefinitions", {}), **body.get("components", {}).get("securitySchemes", {})}
    keys = {
        name
        for name, scheme in schemes.items()
        if scheme.get("type") == "apiKey" and scheme.get("name") == "x-api-key"
    }
    routes = [
        _route(logical_id, path, method, operation, keys)
        for path, operations in body.get("paths", {}).items()
        for method, operation in operations.items()
        if method.lower() in _METHODS or method == _ANY
    ]
    responses = body.get("x-amazon-apigateway-gateway-responses", {})
    return Api(
        logical_id=logical_id,
        stage=_stage(resolver, resources, logical_id),
        routes=tuple(sorted(routes, key=lambda route: route.rank)),
        gateway_responses={name: _gateway_response(response) for name, response in responses.items()},
        binary_media_types=tuple(body.get("x-amazon-apigateway-binary-media-types", ())),
    )


def _route(logical_id: str, path: str, method: str, operation: Mapping[str, Any], keys: set[str]) -> Route:
    integration = operation.get("x-amazon-apigateway-integration", {})
    if integration.get("type") == "mock":
        parameters = integration.get("responses", {}).get("default", {}).get("responseParameters", {})
        headers = _headers(parameters, "method.response.header.")
        return Route(method.upper(), path, "", key_required=False, timeout=0, mock_headers=headers)
    match = _FUNCTION_ARN.search(str(integration.get("uri", "")))
    if integration.get("type") != "aws_proxy" or not match:
        raise TemplateError(f"resource {logical_id}: {method} {path} is not a Lambda proxy integration")
    return Route(
        method="ANY" if method == _ANY else method.upper(),
        path=path,
        function_arn=match.group(1),
        key_required=any(keys & set(requirement) for requirement in operation.get("security", ())),
        timeout=float(integration.get("timeoutInMillis", _INTEGRATION_TIMEOUT_MS)) / 1000,
    )


def _stage(resolver: Resolver, resources: Mapping[str, Mapping[str, Any]], api: str) -> str:
    for logical_id, resource in resources.items():
        if resource["Type"] == "AWS::ApiGateway::Stage" and resource["Properties"].get("RestApiId") == {"Ref": api}:
            return resolver.name(logical_id)
    raise TemplateError(f"resource {api}: the API has no stage")


def _gateway_response(response: Mapping[str, Any]) -> GatewayResponse:
    status = response.get("statusCode")
    headers = _headers(response.get("responseParameters", {}), "gatewayresponse.header.")
    return GatewayResponse(int(status) if status else None, dict(response.get("responseTemplates", {})), headers)


def _headers(parameters: Mapping[str, object], prefix: str) -> dict[str, str]:
    """Return the headers among response parameters, with unquoted values."""
    return {
        name.removeprefix(prefix): str(value).strip("'")
        for name, value in parameters.items()
        if name.startswith(prefix)
    }
