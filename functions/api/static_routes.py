"""Routes that need no run: what the service knows, and what it offers."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from api.dashboard.page import dashboard
from api.http.responses import answer
from api.pops import pops

router = Router()  # type: ignore[no-untyped-call]  # Powertools leaves it untyped
# The catalogue changes with a deploy of the service only.
KEPT = {"Cache-Control": "max-age=3600"}

router.get("/")(dashboard)


@router.get("/pops")
def get_pops() -> Response[str]:
    """Tell which POPs are known, and what the names of regions and countries mean."""
    return answer(200, pops(), dict(KEPT))


@router.get("/openapi.json")
def get_openapi() -> Response[str]:
    """Describe this API to machines."""
    # Its models take longer to import than all other routes need.
    from api.schemas.openapi import openapi  # noqa: PLC0415

    return answer(200, openapi(), dict(KEPT))
