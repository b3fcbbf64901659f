"""Routes about the runs so far: their list, their requests and URLs; and uploads of lists for the next ones."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from api.http import run_query
from api.http.params import body_of, check_query, page_of, request_id_of
from api.http.responses import json_response
from api.runs import stored_request, url_history
from api.runs.list_runs import list_runs
from api.runs.lookup import find_run
from api.services import executions
from api.uploads import upload
from prewarm.storage.run_store import storage

router = Router()  # type: ignore[no-untyped-call]  # Powertools leaves it untyped


@router.get("/runs")
def get_runs() -> Response[str]:
    """List runs, newest first."""
    check_query(router.current_event, run_query.PARAMETERS)
    return json_response(200, list_runs(executions(), storage(), router.current_event.query_string_parameters))


@router.get("/urls")
def get_urls() -> Response[str]:
    """Return when a URL was last warmed."""
    check_query(router.current_event, url_history.PARAMETERS)
    query = router.current_event.query_string_parameters
    return json_response(200, url_history.url_history(query, executions(), storage()))


@router.get("/request")
def get_request() -> Response[str]:
    """Return a run's request."""
    check_query(router.current_event, stored_request.PARAMETERS)
    run = find_run(request_id_of(router.current_event), executions(), storage())
    return json_response(200, stored_request.stored_request(run, storage(), page_of(router.current_event)))


@router.post("/uploads")
def post_uploads() -> Response[str]:
    """Return a form to upload a list of URLs."""
    check_query(router.current_event)
    return json_response(200, upload(body_of(router.current_event), storage()))
