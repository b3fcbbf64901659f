"""Routes that do not concern a run: dashboard, POP catalogue, checks of the deployment, OpenAPI document."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from api.dashboard.page import dashboard
from api.diagnose import diagnose
from api.http.params import check_query
from api.http.responses import json_response
from api.pops import pops
from api.services import executions, resolver
from prewarm.storage.run_store import storage

router = Router()  # type: ignore[no-untyped-call]  # Powertools leaves it untyped
# The OpenAPI document changes only when the service is deployed; runs add to the POPs.
CACHE_HEADERS, POPS_CACHE_HEADERS = {"Cache-Control": "max-age=3600"}, {"Cache-Control": "max-age=60"}

router.get("/")(dashboard)


@router.get("/pops")
def get_pops() -> Response[str]:
    """Return the POPs that runs can select."""
    check_query(router.current_event)
    return json_response(200, pops(storage()), dict(POPS_CACHE_HEADERS))


@router.get("/diagnose")
def get_diagnose() -> Response[str]:
    """Return the checks that the service makes of its own deployment."""
    check_query(router.current_event, ("url",))
    url = router.current_event.query_string_parameters.get("url")
    return json_response(200, diagnose(url, executions(), resolver()), {"Cache-Control": "no-store"})


@router.get("/openapi.json")
def get_openapi() -> Response[str]:
    """Return the OpenAPI document."""
    check_query(router.current_event)
    # Importing its models takes longer than importing all other routes.
    from api.schemas.openapi import openapi  # noqa: PLC0415

    return json_response(200, openapi(), dict(CACHE_HEADERS))
