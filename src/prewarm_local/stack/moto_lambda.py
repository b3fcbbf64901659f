# ruff: noqa: ANN401  the objects are moto's and boto3's own, and have no names for their types
"""How Lambda's Invoke reaches the workers: from a state directly, from everyone else through moto's HTTP API."""

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

    from prewarm_local.stack.moto_patches import Mending

_PARSER_MODULES = "moto.stepfunctions.parser."


def mend_task_clients(mending: Mending, make_client: Callable[[str], Any], workers: Workers) -> None:
    """Invoke functions directly from a state, and keep one boto3 client per service.

    moto makes a client for each task (20 ms, and not safe in threads) and calls itself by HTTP for each invocation.
    `make_client` returns a client of the embedded endpoint for a service's name.
    """
    clients: dict[str, Any] = {"lambda": _DirectLambda(workers)}
    lock = threading.Lock()

    def client_for(service: str, **_where: object) -> Any:
        with lock:
            if service not in clients:
                clients[service] = make_client(service)
            return clients[service]

    # It is imported by name all over the interpreter.
    for name, module in list(sys.modules.items()):
        if name.startswith(_PARSER_MODULES) and hasattr(module, "boto_client_for"):
            mending.replace(module, "boto_client_for", client_for)


class _DirectLambda:
    """The one method of boto3's Lambda client that the interpreter calls."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def invoke(self, **parameters: Any) -> dict[str, Any]:
        """Return what boto3 would, or raise its ClientError."""
        payload = parameters.get("Payload", b"")
        name = parameters["FunctionName"]
        try:
            if parameters.get("InvocationType") == "Event":
                self._workers.start(name, payload)
                return {"StatusCode": 202, "Payload": io.BytesIO(b"")}
            result = self._workers.invoke(name, payload)
        except InvokeError as error:
            metadata = {"HTTPStatusCode": error.status, "RequestId": str(uuid.uuid4())}
            response = {"Error": {"Code": error.code, "Message": str(error)}, "ResponseMetadata": metadata}
            raise ClientError(response, "Invoke") from error  # type: ignore[arg-type]
        answer = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": io.BytesIO(result.payload)}
        return {**answer, "FunctionError": result.error} if result.error else answer


def mend_lambda(mending: Mending, workers: Workers) -> None:
    """Let Lambda's Invoke, whoever calls it by HTTP, reach the workers; moto would start a container, or echo."""

    class Backend(LambdaSimpleBackend):
        """moto's Lambda, but for Invoke."""

        def invoke(
            self,
            function_name: str,
            qualifier: str | None,  # noqa: ARG002  there is one version
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

    mending.replace(awslambda_simple, "lambda_simple_backends", BackendDict(Backend, "lambda"))
    mending.configure("lambda", "use_docker", value=False)
