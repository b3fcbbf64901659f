"""CloudFront operations that the functions call and moto lacks: tenants, policies, paged distribution lists.

A WSGI middleware answers these calls itself, in the shapes of botocore's model, and passes all others to moto.
moto 5.2 has no tenants, connection groups and policies; its list of distributions has neither Staging nor
ConnectionMode, and is a single page, where CloudFront's pages have at most 100 distributions.
"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

import botocore.session
from botocore.model import ListShape, Shape, StructureShape

from prewarm_local.stack.moto_accounts import account_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from botocore.model import ServiceModel

    from prewarm_local.stack.moto_invalidations import OnInvalidation

VERSION = "/2020-05-31"
PAGE = 100


@dataclass(frozen=True)
class Tenant:
    """A distribution tenant; `routing_endpoint` is that of its connection group."""

    id: str
    domains: tuple[str, ...]
    routing_endpoint: str
    enabled: bool = True


class NotFoundError(Exception):
    """The resource does not exist; the message is CloudFront's error code."""


@dataclass
class CloudFrontExtras:
    """An account's CloudFront resources that moto lacks.

    `tenants` by id, each with the id of its distribution; `policies` of all kinds by id. `configs`: each
    DistributionConfig by id, whole, since moto keeps neither origin groups nor custom error responses.
    """

    distributions: Callable[[], Iterable[dict[str, Any]]]
    tenants: dict[str, tuple[Tenant, str]] = field(default_factory=dict)
    policies: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    configs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    on_invalidation: OnInvalidation | None = None
    _invalidations: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def list_distributions(self, query: dict[str, str]) -> dict[str, Any]:
        """Return a page of distributions; the marker is the last id of the previous page."""
        listed = sorted(self.distributions(), key=lambda each: str(each["Id"]))
        marker, limit = query.get("Marker", ""), min(PAGE, int(query.get("MaxItems", PAGE)))
        rest = [each for each in listed if each["Id"] > marker]
        page = rest[:limit]
        truncated = len(rest) > limit
        more = {"NextMarker": page[-1]["Id"]} if truncated else {}
        listing = {
            "Marker": marker,
            "MaxItems": limit,
            "IsTruncated": truncated,
            "Quantity": len(page),
            "Items": page,
        }
        return {"DistributionList": listing | more}

    def tenant_by_domain(self, query: dict[str, str]) -> dict[str, Any]:
        """Return the tenant with the domain, as GetDistributionTenantByDomain does."""
        for tenant, distribution in self.tenants.values():
            if query["domain"] in tenant.domains:
                return {
                    "DistributionTenant": {
                        "Id": tenant.id,
                        "DistributionId": distribution,
                        "Name": tenant.id,
                        "Domains": [{"Domain": domain, "Status": "active"} for domain in tenant.domains],
                        "ConnectionGroupId": f"cg_{tenant.routing_endpoint}",
                        "Enabled": tenant.enabled,
                        "Status": "Deployed",
                    }
                }
        raise NotFoundError("EntityNotFound")

    def connection_group(self, query: dict[str, str]) -> dict[str, Any]:
        """Return a connection group, as GetConnectionGroup does."""
        endpoint = query["Identifier"].removeprefix("cg_")
        if all(tenant.routing_endpoint != endpoint for tenant, _ in self.tenants.values()):
            raise NotFoundError("EntityNotFound")
        return {"ConnectionGroup": {"Id": query["Identifier"], "RoutingEndpoint": endpoint, "Enabled": True}}

    def distribution_config(self, query: dict[str, str]) -> dict[str, Any]:
        """Return a distribution's settings, as GetDistributionConfig does."""
        if query["Id"] not in self.configs:
            raise NotFoundError("NoSuchDistribution")
        return {"DistributionConfig": self.configs[query["Id"]]}

    def create_tenant_invalidation(self, query: dict[str, str]) -> dict[str, Any]:
        """Create a tenant's invalidation, or return that of the same CallerReference."""
        if query["Id"] not in self.tenants:
            raise NotFoundError("EntityNotFound")
        batch = read_xml(query["body"])
        key = (query["Id"], batch["CallerReference"])
        if key not in self._invalidations:
            if self.on_invalidation is not None:
                self.on_invalidation(self.tenants[query["Id"]][0].routing_endpoint, batch["Paths"]["Items"])
            invalidation_id = "I" + uuid.uuid4().hex[:13].upper()
            self._invalidations[key] = {"Id": invalidation_id, "Status": "Completed", "InvalidationBatch": batch}
        return {"Invalidation": self._invalidations[key]}

    def tenant_invalidation(self, query: dict[str, str]) -> dict[str, Any]:
        """Return a tenant's invalidation, as GetInvalidationForDistributionTenant does."""
        for (tenant, _), invalidation in self._invalidations.items():
            if (tenant, invalidation["Id"]) == (query["DistributionTenantId"], query["Id"]):
                return {"Invalidation": invalidation}
        raise NotFoundError("NoSuchInvalidation")


POLICIES = {
    "cache-policy": "CachePolicy",
    "origin-request-policy": "OriginRequestPolicy",
    "response-headers-policy": "ResponseHeadersPolicy",
}


def _policy(kind: str) -> Callable[[CloudFrontExtras, dict[str, str]], dict[str, Any]]:
    """Return the call that gets a policy of a kind (GetCachePolicy and the like)."""

    def get(extras: CloudFrontExtras, query: dict[str, str]) -> dict[str, Any]:
        if query["Id"] not in extras.policies:
            raise NotFoundError(f"NoSuch{kind}")
        return {kind: {"Id": query["Id"], f"{kind}Config": extras.policies[query["Id"]]}}

    return get


ROUTES: list[tuple[str, re.Pattern[str], str, Callable[[CloudFrontExtras, dict[str, str]], dict[str, Any]]]] = [
    ("GET", re.compile("/distribution"), "ListDistributions", CloudFrontExtras.list_distributions),
    (
        "GET",
        re.compile("/distribution/(?P<Id>[^/]+)/config"),
        "GetDistributionConfig",
        CloudFrontExtras.distribution_config,
    ),
    ("GET", re.compile("/distribution-tenant"), "GetDistributionTenantByDomain", CloudFrontExtras.tenant_by_domain),
    (
        "GET",
        re.compile("/connection-group/(?P<Identifier>[^/]+)"),
        "GetConnectionGroup",
        CloudFrontExtras.connection_group,
    ),
    *(("GET", re.compile(f"/{path}/(?P<Id>[^/]+)"), f"Get{kind}", _policy(kind)) for path, kind in POLICIES.items()),
    (
        "POST",
        re.compile("/distribution-tenant/(?P<Id>[^/]+)/invalidation"),
        "CreateInvalidationForDistributionTenant",
        CloudFrontExtras.create_tenant_invalidation,
    ),
    (
        "GET",
        re.compile("/distribution-tenant/(?P<DistributionTenantId>[^/]+)/invalidation/(?P<Id>[^/]+)"),
        "GetInvalidationForDistributionTenant",
        CloudFrontExtras.tenant_invalidation,
    ),
]


class CloudFrontMiddleware:
    """A WSGI application that answers the CloudFront calls that moto lacks, and passes all others to moto."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401  moto's
        """Wrap moto's application; `extras` by account is set once the accounts are set up."""
        self._app = app
        self.extras: dict[str, CloudFrontExtras] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401  WSGI
        """Handle a request."""
        path: str = environ.get("PATH_INFO", "")
        if path.startswith(VERSION) and (extras := self.extras.get(account_of(environ))):
            for method, pattern, operation, act in ROUTES:
                match = pattern.fullmatch(path.removeprefix(VERSION).rstrip("/"))
                if match and environ["REQUEST_METHOD"] == method:
                    bound = partial(act, extras)
                    return self._respond(environ, start_response, operation, match.groupdict(), bound)
        return self._app(environ, start_response)

    def _respond(
        self,
        environ: dict[str, Any],
        start_response: Any,  # noqa: ANN401  WSGI
        operation: str,
        path_parameters: dict[str, str],
        act: Callable[[dict[str, str]], dict[str, Any]],
    ) -> list[bytes]:
        query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        query |= {name: unquote(value) for name, value in path_parameters.items()}
        length = int(environ.get("CONTENT_LENGTH") or 0)
        query["body"] = environ["wsgi.input"].read(length).decode() if length else ""
        status = "201 Created" if environ["REQUEST_METHOD"] == "POST" else "200 OK"
        try:
            body = write_xml(operation, act(query))
        except NotFoundError as error:
            status = "404 Not Found"
            body = (
                f"<ErrorResponse><Error><Code>{error}</Code><Message>none</Message></Error></ErrorResponse>".encode()
            )
        start_response(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
        return [body]


@cache
def _model() -> ServiceModel:
    return botocore.session.Session().get_service_model("cloudfront")


def write_xml(operation: str, output: Mapping[str, Any]) -> bytes:
    """Return an operation's output as CloudFront sends it, in XML."""
    shape = _model().operation_model(operation).output_shape
    assert shape is not None
    payload = shape.serialization["payload"]
    member = shape.members[payload]
    root = ET.Element(member.name)
    _fill(root, member, output[payload])
    return ET.tostring(root)


def _fill(node: ET.Element, shape: Shape, value: Any) -> None:  # noqa: ANN401  JSON of any shape
    if isinstance(shape, StructureShape):
        for name, each in value.items():
            member = shape.members[name]
            _fill(ET.SubElement(node, member.serialization.get("name", name)), member, each)
    elif isinstance(shape, ListShape):
        for each in value:
            _fill(ET.SubElement(node, shape.member.serialization.get("name", "member")), shape.member, each)
    else:
        node.text = str(value).lower() if isinstance(value, bool) else str(value)


def read_xml(body: str) -> dict[str, Any]:
    """Parse an invalidation batch from the XML of a request."""
    root = ET.fromstring(body)  # noqa: S314  sent by our own functions
    texts = {node.tag.rpartition("}")[2]: node.text or "" for node in root.iter()}
    paths = [node.text or "" for node in root.iter() if node.tag.rpartition("}")[2] == "Path"]
    return {"CallerReference": texts["CallerReference"], "Paths": {"Quantity": len(paths), "Items": paths}}
