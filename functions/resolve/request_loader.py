"""Load a run's request: from S3 if the API stored it, else from the execution's own input."""

from prewarm.catalogue import Catalogue
from prewarm.errors import InvalidRequest, Problem
from prewarm.request.model import CheckedRequest
from prewarm.request.validation import check_request, stored_request
from prewarm.storage.keys import run_key
from prewarm.storage.run_store import Storage


def load_request(run: str, execution_input: object, store: Storage, pop_catalogue: Catalogue) -> CheckedRequest:
    """Return the run's checked request; the input of a direct start is stored now.

    Raises:
        InvalidRequest: the request is wrong, is not stored, or belongs to another run.

    """
    if isinstance(execution_input, dict) and "requestKey" in execution_input:
        own_key = run_key(run, "request.json")
        if execution_input["requestKey"] != own_key:
            raise InvalidRequest([Problem("requestKey", f"must be {own_key}, the request of this run")])
        stored = store.get_request(run)
        if stored is None:
            message = "no request is stored for this run; start the run with POST /prewarm"
            raise InvalidRequest([Problem("requestKey", message)])
        return stored_request(stored, pop_catalogue)
    request = check_request(execution_input, direct=True, pop_catalogue=pop_catalogue)
    store.put_request(run, request.as_json())
    return request
