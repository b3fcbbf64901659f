# ruff: noqa: ANN401  the objects are moto's and boto3's own, and have no names for their types
"""Route Lambda's Invoke to the workers: directly from Task states, through moto's HTTP API from other callers."""

from __future__ import annotations

import io
import sys
import threading
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.awslambda_simple import models as awslambda_simple
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.base_backend import BackendDict
from moto.core.exceptions import JsonRESTError

from prewarm_local.stack.lambda_workers import InvokeError, Workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from prewarm_local.stack.moto_patches import MotoPatches

_PARSER_MODULES = "moto.stepfunctions.parser."


def patch_task_clients(patches: MotoPatches, make_client: Callable[[str], Any], workers: Workers) -> None:
    """Invoke functions directly from Task states; keep one boto3 client per service.

    moto creates a client for each task (20 ms, and not thread-safe) and calls itself over HTTP for each invocation.
    `make_client` returns a client of the embedded endpoint for a service's name.
    """
    clients: dict[str, Any] = {"lambda": _DirectLambda(workers)}
    lock = threading.Lock()

    def client_for(service: str, **_where: object) -> Any:
        with lock:
            if service not in clients:
                clients[service] = make_client(service)
            return clients[service]

    # Many modules of the interpreter import it by name.
    for name, module in list(sys.modules.items()):
        if name.startswith(_PARSER_MODULES) and hasattr(module, "boto_client_for"):
            patches.replace(module, "boto_client_for", client_for)


class _DirectLambda:
    """The one method of boto3's Lambda client that the interpreter calls."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        """Return the same response as boto3, or raise its ClientError."""
        payload = parameters.get("Payload", b"")
        name = parameters["FunctionName"]
        try:
            if parameters.get("InvocationType") == "Event":
                self._workers.start(name, payload)
                return {"StatusCode": 202, "Payload": io.BytesIO(b"")}
            result = self._workers.invoke(name, payload)
        except InvokeError as error:
            metadata = {"HTTPStatusCode": error.status, "RequestId": str(uuid.uuid4())}
            refusal = {"Error": {"Code": error.code, "Message": str(error)}, "ResponseMetadata": metadata}
            raise ClientError(refusal, "Invoke") from error  # type: ignore[arg-type]
        response = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": io.BytesIO(result.payload)}
        return {**response, "FunctionError": result.error} if result.error else response


def patch_lambda(patches: MotoPatches, workers: Workers) -> None:
    """Route Lambda's Invoke over HTTP to the workers.

    Moto starts a container, or echoes the event.
    """

    class Backend(LambdaSimpleBackend):
        """moto's Lambda with its own Invoke."""

        def invoke(
            self,
            function_name: str,
            qualifier: str | None,  # noqa: ARG002  there is only one version
            body: Any,
            headers: Any,
            response_headers: Any,
        ) -> bytes:
            payload = body.encode() if isinstance(body, str) else body or b""
            kind = headers.get("X-Amz-Invocation-Type")
            try:
                if kind == "DryRun":
                    return b""
                if kind == "Event":
                    workers.start(function_name, payload)
                    return b""
                result = workers.invoke(function_name, payload)
            except InvokeError as error:
                refusal = JsonRESTError(error.code, str(error))
                refusal.code = error.status
                raise refusal from error
            response_headers["x-amz-executed-version"] = "$LATEST"
            if result.error:
                response_headers["x-amz-function-error"] = result.error
            return result.payload

    patches.replace(awslambda_simple, "lambda_simple_backends", BackendDict(Backend, "lambda"))
    patches.configure("lambda", "use_docker", value=False)
