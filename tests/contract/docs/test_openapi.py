"""The OpenAPI document: the served one, the one in docs/, the template's routes and the handler's are equal."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from api import handler
from api.schemas.openapi import OPERATIONS, openapi, report_schema
from prewarm.request.model import SOURCES, PrewarmRequest
from prewarm.request.validation import check_request
from tests.support.definitions import ROOT, template

DOCUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "docs/openapi.json": openapi,
    "docs/report.schema.json": report_schema,
}


def routes_of_the_template() -> set[tuple[str, str]]:
    events = template()["Resources"]["ApiFunction"]["Properties"]["Events"].values()
    properties = [event["Properties"] for event in events if event["Type"] == "Api"]
    return {(each["Method"].lower(), each["Path"]) for each in properties}


# Routes that serve a page and are not part of the API.
PAGES = {("get", "/")}


def test_openapi_has_the_templates_routes() -> None:
    described = {(operation.method, operation.path) for operation in OPERATIONS}
    assert described == routes_of_the_template() - PAGES


def test_handler_has_the_templates_routes() -> None:
    coded = {(route.method.lower(), route.path) for route in handler.app._static_routes}
    assert coded == routes_of_the_template()


def test_key_requirement_matches_the_template() -> None:
    events = template()["Resources"]["ApiFunction"]["Properties"]["Events"].values()
    open_ones = {
        (event["Properties"]["Method"].lower(), event["Properties"]["Path"])
        for event in events
        if event["Properties"].get("Auth", {}).get("ApiKeyRequired") is False
    }
    assert {(each.method, each.path) for each in OPERATIONS if not each.keyed} == open_ones - PAGES


def test_document_is_valid_openapi() -> None:
    validate(openapi())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_docs_match_the_models(name: str) -> None:
    kept = json.loads((ROOT / name).read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(DOCUMENTS[name]())), "run `make docs`"


def test_make_docs_writes_the_same_documents() -> None:
    before = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
    subprocess.run([sys.executable, "-m", "tools.openapi"], check=True)
    assert {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS} == before


def test_every_request_field_is_in_the_schema() -> None:
    properties = openapi()["components"]["schemas"]["PrewarmRequest"]["properties"]
    assert set(properties) >= set(PrewarmRequest.model_fields)


@pytest.mark.parametrize("region", ["apac", ["apac", "eu"]])
@pytest.mark.parametrize("source", SOURCES)
def test_schema_accepts_what_validation_accepts(source: str, region: object) -> None:
    urls = {"url_list": ["https://www.example.com/"], "url_list_s3": "s3://bucket/lists/a.txt"}
    request = {source: urls.get(source, "https://www.example.com/x"), "region_type": "region", "region": region}
    check_request(request)
    schema = openapi()["components"]["schemas"]["PrewarmRequest"] | {"components": openapi()["components"]}
    Draft202012Validator(json.loads(json.dumps(schema))).validate(request)


def test_schema_rejects_a_request_without_a_source() -> None:
    schema = openapi()["components"]["schemas"]["PrewarmRequest"] | {"components": openapi()["components"]}
    assert not Draft202012Validator(json.loads(json.dumps(schema))).is_valid({"region_type": "pop", "region": "x"})
