"""The OpenAPI 3.1 document, built from the request and response models. Pure.

Served at /openapi.json and written to docs/openapi.json by `make docs`. A test compares both with each other and with
the template's routes.
"""

import functools
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.http.run_query import DEFAULT_RUNS, MAX_RUNS, STATUSES
from api.runs.report import FORMATS
from api.runs.url_history import DEFAULT_DAYS, MAX_DAYS
from api.schemas.diagnosis import Diagnosis
from api.schemas.history import Runs, StoredRequest, Upload, UploadRequest, UrlHistory
from api.schemas.pops import Pops
from api.schemas.report import Report
from api.schemas.responses import ErrorResponse, ReportLink, Retried, Started, Status
from prewarm import __version__
from prewarm.request.model import MAX_LABEL, PrewarmRequest

SCHEMAS = "#/components/schemas/{model}"
ERRORS = {
    400: "The request is invalid, or has an unknown query parameter; each detail names a field.",
    403: "The x-api-key header is missing or is not a valid key.",
    404: "The run or the requested document does not exist.",
    409: "The run's state does not allow the operation, or the Idempotency-Key is in use.",
    413: "The body is larger than 4 MB.",
    429: "The rate limit or the key's quota is exceeded.",
    500: "Unexpected error of the service.",
}
COMMON_ERRORS = (403, 429, 500)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or header."""

    name: str
    description: str
    schema: dict[str, Any]
    required: bool = False
    where: str = "query"

    def as_json(self) -> dict[str, Any]:
        """Return the OpenAPI object."""
        return {
            "name": self.name,
            "in": self.where,
            "required": self.required,
            "description": self.description,
            "schema": self.schema,
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """One route of the API.

    `name` is the operation's id; `response` is a model or a content type; `errors` are in addition to COMMON_ERRORS.
    """

    method: str
    path: str
    name: str
    summary: str
    response: type[BaseModel] | str
    errors: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: type[BaseModel] | None = None
    keyed: bool = True
    body_required: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the OpenAPI object."""
        operation: dict[str, Any] = {
            "operationId": self.name,
            "summary": self.summary,
            "responses": {"200": _success(self.response)} | {str(code): _error(code) for code in self._codes()},
        }
        if self.parameters:
            operation["parameters"] = [parameter.as_json() for parameter in self.parameters]
        if self.body:
            content = {"application/json": {"schema": _reference(self.body)}}
            operation["requestBody"] = {"required": self.body_required, "content": content}
        return operation if self.keyed else operation | {"security": []}

    def _codes(self) -> list[int]:
        return sorted({*self.errors, *(COMMON_ERRORS if self.keyed else (429, 500))})


TEXT: dict[str, Any] = {"type": "string"}
RUN = Parameter("requestID", "The run's execution ARN or bare name.", TEXT, required=True)
TOKEN = Parameter("nextToken", "The nextToken of the previous page.", TEXT)


def _limit(most: int | None, default: str) -> Parameter:
    bounds = {"type": "integer", "minimum": 1} | ({"maximum": most} if most else {})
    return Parameter("limit", f"The maximum number of entries; default: {default}.", bounds)


_KEY = Parameter(
    "Idempotency-Key",
    "Starts at most one run for repeated requests with the same key.",
    {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    where="header",
)
_STATUS = Parameter("status", "Only runs with this status.", {"type": "string", "enum": list(STATUSES)})
_LABEL = Parameter("label", "Only runs with this label.", {"type": "string", "minLength": 1, "maxLength": MAX_LABEL})
_HOST = Parameter("host", "Only runs with URLs of this host.", TEXT)
_SINCE = Parameter("since", "Only runs that started at this date or time (ISO 8601, UTC) or later.", TEXT)
_UNTIL = Parameter("until", "Only runs that started before this time, or until the end of this day.", TEXT)
_URL = Parameter("url", "The URL, in any spelling.", TEXT, required=True)
_SITE = Parameter("url", "Any URL of a site that the service may warm; checks of the edge need it.", TEXT)
_DAYS = Parameter(
    "days",
    f"How many days to look back; default: {DEFAULT_DAYS}.",
    {"type": "integer", "minimum": 1, "maximum": MAX_DAYS},
)
_FORMAT = Parameter("format", "The report's format; default: html.", {"type": "string", "enum": list(FORMATS)})
_INCLUDE = Parameter("include", "Adds the totals of each POP.", {"type": "string", "enum": ["pops"]})

OPERATIONS = (
    Operation(
        "post", "/prewarm", "startPrewarm", "Start a run", Started, (400, 409, 413), (_KEY,), body=PrewarmRequest
    ),
    Operation("delete", "/prewarm", "cancelPrewarm", "Cancel a run", Status, (400, 404, 409), (RUN,)),
    Operation(
        "post", "/retry", "retryFailed", "Start a new run of the failed URLs", Retried, (400, 404, 409), (RUN, _KEY)
    ),
    Operation(
        "get", "/status", "getStatus", "Return a run's progress", Status, (400, 404),
        (RUN, _limit(None, "all URLs that fit into one response"), TOKEN, _INCLUDE),
    ),
    Operation(
        "get", "/report", "getReport", "Return a link to a run's report", ReportLink, (400, 404, 409), (RUN, _FORMAT)
    ),
    Operation(
        "get", "/runs", "listRuns", "List runs, newest first", Runs, (400,),
        (_STATUS, _LABEL, _HOST, _SINCE, _UNTIL, _limit(MAX_RUNS, str(DEFAULT_RUNS)), TOKEN),
    ),
    Operation(
        "get", "/urls", "getUrl", "Return when a URL was last warmed, and whether it was warm", UrlHistory, (400,),
        (_URL, _DAYS),
    ),
    Operation(
        "get", "/request", "getRequest", "Return a run's request", StoredRequest, (400, 404),
        (RUN, _limit(None, "all URLs that fit into one response"), TOKEN),
    ),
    Operation(
        "post", "/uploads", "createUpload", "Return a form to upload a list of URLs", Upload, (400,),
        body=UploadRequest, body_required=False,
    ),
    Operation("get", "/pops", "getPops", "Return the POP catalogue", Pops, (400,)),
    Operation("get", "/diagnose", "diagnose", "Check the deployment", Diagnosis, (400,), (_SITE,)),
    Operation(
        "get", "/openapi.json", "getOpenapi", "Return this OpenAPI document", "application/json", (400,), keyed=False
    ),
)  # fmt: skip


@functools.cache
def openapi() -> dict[str, Any]:
    """Return the OpenAPI document."""
    requests = _schemas([operation.body for operation in OPERATIONS if operation.body], "validation")
    models = [operation.response for operation in OPERATIONS if not isinstance(operation.response, str)]
    schemas = requests | _schemas([*models, ErrorResponse], "serialization")
    _add_short_forms(schemas[PrewarmRequest.__name__])
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = operation.as_json()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CloudFront Prewarm",
            "version": __version__,
            "summary": "Warms URLs in selected CloudFront edge locations and verifies the result",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "./", "description": "The API stage that serves this document"}],
        "security": [{"apiKey": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        },
    }


def _schemas(models: list[type[BaseModel]], mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    """Return the schemas of the models and of the models they contain, by name."""
    _, document = models_json_schema([(model, mode) for model in dict.fromkeys(models)], ref_template=SCHEMAS)
    definitions: dict[str, Any] = document["$defs"]
    return definitions


def _add_short_forms(schema: dict[str, Any]) -> None:
    """Add the short forms that validation accepts: one value instead of a list."""
    properties = schema["properties"]
    # An empty list only stands for a request of targets without a region.
    del properties["region"]["default"]
    properties["region"] = {"anyOf": [properties["region"], {"type": "string", "minLength": 1}], "title": "Region"}
    for name in ("url_list_s3", "sitemap", "manifest"):
        listed, *rest = properties[name]["anyOf"]
        text = {"type": "string", "minLength": 1}
        each = listed["items"] if name == "url_list_s3" else {"anyOf": [listed["items"], text]}
        properties[name]["anyOf"] = [listed | {"items": each}, each, *rest]
    sources = ("url_list", "url_list_s3", "sitemap", "manifest")
    of_sources = {"required": ["region"], "anyOf": [{"required": [name]} for name in sources]}
    schema["anyOf"] = [of_sources, {"required": ["targets_s3"]}]


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of report.json."""
    schema = Report.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": SCHEMAS.format(model=model.__name__)}


def _success(response: type[BaseModel] | str) -> dict[str, Any]:
    if isinstance(response, str):
        return {"description": "The document.", "content": {response: {"schema": {}}}}
    return {
        "description": (response.__doc__ or "").strip(),
        "content": {"application/json": {"schema": _reference(response)}},
    }


def _error(code: int) -> dict[str, Any]:
    return {"description": ERRORS[code], "content": {"application/json": {"schema": _reference(ErrorResponse)}}}
