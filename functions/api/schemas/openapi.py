"""The OpenAPI 3.1 document, built from the request and response models. Pure.

Served at /openapi.json and written to docs/openapi.json by `make docs`; a test compares the two with each other and
with the routes of the template.
"""

import functools
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.runs.manage import RUNS_AT_MOST, RUNS_SHOWN, STATUSES
from api.runs.report import FORMATS
from api.schemas.report import Report
from api.schemas.responses import ErrorAnswer, Pops, ReportLink, Retried, Runs, Started, Status
from prewarm import __version__
from prewarm.request.model import PrewarmRequest

SCHEMAS = "#/components/schemas/{model}"
ERRORS = {
    400: "The request is wrong; each detail names a field.",
    403: "The x-api-key header is missing or names no key.",
    404: "There is no such run, or not what is asked of it.",
    409: "What is asked for does not fit what there is.",
    413: "The body is over 4 MB.",
    429: "Too many requests, or the key's quota is used up.",
    500: "The service failed to answer.",
}
ALWAYS = (403, 429, 500)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or header."""

    name: str
    about: str
    schema: dict[str, Any]
    required: bool = False
    where: str = "query"

    def as_json(self) -> dict[str, Any]:
        """Return it as OpenAPI has it."""
        return {
            "name": self.name,
            "in": self.where,
            "required": self.required,
            "description": self.about,
            "schema": self.schema,
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: method, path, what it does, what it takes and answers, and its errors beside those of all."""

    method: str
    path: str
    name: str
    about: str
    answer: type[BaseModel] | str
    errors: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: type[BaseModel] | None = None
    keyed: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return it as OpenAPI has it."""
        found: dict[str, Any] = {
            "operationId": self.name,
            "summary": self.about,
            "responses": {"200": _good(self.answer)} | {str(code): _bad(code) for code in self._codes()},
        }
        if self.parameters:
            found["parameters"] = [parameter.as_json() for parameter in self.parameters]
        if self.body:
            content = {"application/json": {"schema": _of(self.body)}}
            found["requestBody"] = {"required": True, "content": content}
        return found if self.keyed else found | {"security": []}

    def _codes(self) -> list[int]:
        return sorted({*self.errors, *(ALWAYS if self.keyed else (429, 500))})


TEXT: dict[str, Any] = {"type": "string"}
RUN = Parameter("requestID", "The run: its execution ARN, or its bare name.", TEXT, required=True)
TOKEN = Parameter("nextToken", "Where the page before ended.", TEXT)


def _limit(most: int | None, default: str) -> Parameter:
    bounds = {"type": "integer", "minimum": 1} | ({"maximum": most} if most else {})
    return Parameter("limit", f"How many at the most; {default} otherwise.", bounds)


_KEY = Parameter(
    "Idempotency-Key",
    "The same key and request are the same run, however often they are sent.",
    {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    where="header",
)
_STATUS = Parameter("status", "Only runs of this status.", {"type": "string", "enum": list(STATUSES)})
_FORMAT = Parameter("format", "The report's form; html otherwise.", {"type": "string", "enum": list(FORMATS)})
_INCLUDE = Parameter("include", "Adds the sums of each POP.", {"type": "string", "enum": ["pops"]})

OPERATIONS = (
    Operation(
        "post", "/prewarm", "startPrewarm", "Start a run", Started, (400, 409, 413), (_KEY,), body=PrewarmRequest
    ),
    Operation("delete", "/prewarm", "cancelPrewarm", "Cancel a run", Status, (400, 404, 409), (RUN,)),
    Operation(
        "post", "/retry", "retryFailed", "Start a new run of what failed", Retried, (400, 404, 409), (RUN, _KEY)
    ),
    Operation(
        "get", "/status", "getStatus", "Tell how far a run is", Status, (400, 404),
        (RUN, _limit(None, "as many URLs as one answer holds"), TOKEN, _INCLUDE),
    ),
    Operation(
        "get", "/report", "getReport", "Give a link to a run's report", ReportLink, (400, 404, 409), (RUN, _FORMAT)
    ),
    Operation(
        "get", "/runs", "listRuns", "List runs, newest first", Runs, (400,),
        (_STATUS, _limit(RUNS_AT_MOST, str(RUNS_SHOWN)), TOKEN),
    ),
    Operation("get", "/pops", "getPops", "Tell which POPs are known", Pops),
    Operation("get", "/openapi.json", "getOpenapi", "Describe this API to machines", "application/json", keyed=False),
)  # fmt: skip


@functools.cache
def openapi() -> dict[str, Any]:
    """Return the description."""
    taken = _schemas([operation.body for operation in OPERATIONS if operation.body], "validation")
    answers = [operation.answer for operation in OPERATIONS if not isinstance(operation.answer, str)]
    given = _schemas([*answers, ErrorAnswer], "serialization")
    schemas = taken | given
    _as_accepted(schemas[PrewarmRequest.__name__])
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = operation.as_json()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CloudFront Prewarm",
            "version": __version__,
            "summary": "Warms URLs through chosen CloudFront edge locations, and proves it",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "./", "description": "The API's stage, from which this was read"}],
        "security": [{"apiKey": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        },
    }


def _schemas(models: list[type[BaseModel]], mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    """Return the models' schemas, and those of what they are made of, by name."""
    _, found = models_json_schema([(model, mode) for model in dict.fromkeys(models)], ref_template=SCHEMAS)
    defined: dict[str, Any] = found["$defs"]
    return defined


def _as_accepted(schema: dict[str, Any]) -> None:
    """Say what the request's checks take beyond its fields' types: one bare value for a list of one."""
    properties = schema["properties"]
    properties["region"] = {"anyOf": [properties["region"], {"type": "string", "minLength": 1}], "title": "Region"}
    for name in ("url_list_s3", "sitemap", "manifest"):
        listed, *rest = properties[name]["anyOf"]
        text = {"type": "string", "minLength": 1}
        each = listed["items"] if name == "url_list_s3" else {"anyOf": [listed["items"], text]}
        properties[name]["anyOf"] = [listed | {"items": each}, each, *rest]
    sources = ("url_list", "url_list_s3", "sitemap", "manifest")
    schema["anyOf"] = [{"required": [name]} for name in sources]


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of report.json."""
    schema = Report.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def _of(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": SCHEMAS.format(model=model.__name__)}


def _good(answer: type[BaseModel] | str) -> dict[str, Any]:
    if isinstance(answer, str):
        return {"description": "The document.", "content": {answer: {"schema": {}}}}
    about = (answer.__doc__ or "").strip()
    return {"description": about, "content": {"application/json": {"schema": _of(answer)}}}


def _bad(code: int) -> dict[str, Any]:
    return {"description": ERRORS[code], "content": {"application/json": {"schema": _of(ErrorAnswer)}}}
