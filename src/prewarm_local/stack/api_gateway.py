"""API Gateway for the template's routes: find the function, check the key, return gateway errors."""

from __future__ import annotations

import hmac
import json
import queue
import re
import secrets
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from prewarm_local.stack.http_server import HttpServer
from prewarm_local.stack.lambda_workers import InvokeError, Workers
from prewarm_local.stack.proxy_event import MalformedResponseError, Request, Response, proxy_event, proxy_response
from prewarm_local.stack.routes import Api, GatewayResponse, Route

if TYPE_CHECKING:
    from prewarm_local.stack.intrinsics import Account
    from prewarm_local.stack.runtime_api import Result

_CONTEXT = re.compile(r"\$context\.([A-Za-z.]+)")

# Gateway response type → status and message of API Gateway's defaults, for types that the template does not set:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
_BUILT_IN_RESPONSES = {
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "INVALID_API_KEY": (403, "Forbidden"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "BAD_REQUEST_BODY": (400, "Invalid request body"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    "INTEGRATION_FAILURE": (502, "Internal server error"),
}


class Gateway:
    """Serves `api` at http://127.0.0.1:`port`/STAGE (0: any free port).

    The server runs until `stop`.
    May raise OSError if the port is in use.
    """

    def __init__(
        self, api: Api, account: Account, workers: Workers, api_key: str | None = None, port: int = 0
    ) -> None:
        self.api = api
        self.api_key = api_key or secrets.token_urlsafe(30)
        self._account = account
        self._workers = workers
        self._server = HttpServer(port, self.answer)
        self.url = f"http://127.0.0.1:{self._server.server_port}/{api.stage}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="gateway", daemon=True
        ).start()

    def stop(self) -> None:
        """Stop accepting requests."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request, refusal: str | None = None) -> Response:
        """Return the response to `request`, whose path includes the stage.

        `refusal` is the gateway response type of a request that the server refused, else None.
        """
        prefix = f"/{self.api.stage}"
        in_stage = request.path == prefix or request.path.startswith(f"{prefix}/")
        path = request.path[len(prefix) :].rstrip("/") or "/"
        request = Request(
            request.method, path, request.query, request.headers, request.body, request.source_address, request.id
        )
        match = self._match(request) if in_stage else None
        if refusal is not None:
            return self._refuse(refusal, request)
        if match is None:
            return self._refuse("MISSING_AUTHENTICATION_TOKEN", request)
        route, parameters = match
        if route.mock_headers is not None:
            return Response(HTTPStatus.OK, list(route.mock_headers.items()), b"")
        key = request.header("x-api-key") or ""
        if route.key_required and not hmac.compare_digest(key.encode(), self.api_key.encode()):
            return self._refuse("INVALID_API_KEY", request)
        event = proxy_event(
            request, route, parameters, self.api, self._account, self.api_key if route.key_required else None
        )
        return self._integrate(request, route, json.dumps(event).encode())

    def _match(self, request: Request) -> tuple[Route, dict[str, str]] | None:
        for route in self.api.routes:
            if route.method in (request.method, "ANY") and (parameters := route.match(request.path)) is not None:
                return route, parameters
        return None

    def _integrate(self, request: Request, route: Route, event: bytes) -> Response:
        results: queue.SimpleQueue[Result | InvokeError] = queue.SimpleQueue()

        def invoke() -> None:
            try:
                results.put(self._workers.invoke(route.function_arn, event))
            except InvokeError as error:
                results.put(error)

        # In a separate thread, since the function continues after the gateway has timed out.
        threading.Thread(target=invoke, name="integration", daemon=True).start()
        try:
            result = results.get(timeout=route.timeout)
        except queue.Empty:
            return self._refuse("INTEGRATION_TIMEOUT", request)
        if isinstance(result, InvokeError):
            return self._refuse(
                "REQUEST_TOO_LARGE"
                if result.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                else "INTEGRATION_FAILURE",
                request,
            )
        if result.error:
            return self._refuse("INTEGRATION_FAILURE", request)
        try:
            return proxy_response(result.payload)
        except MalformedResponseError:
            return self._refuse("INTEGRATION_FAILURE", request)

    def _refuse(self, kind: str, request: Request) -> Response:
        """Return the gateway response for `kind`.

        It is the template's, else the template's default, else API Gateway's built-in one.
        """
        status, message = _BUILT_IN_RESPONSES[kind]
        fallback = "DEFAULT_4XX" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "DEFAULT_5XX"
        built_in = GatewayResponse(None, {"application/json": '{"message":$context.error.messageString}'}, {})
        chosen = self.api.gateway_responses.get(kind) or self.api.gateway_responses.get(fallback) or built_in
        media_type, template = next(iter((chosen.templates or built_in.templates).items()))
        context = {
            "error.message": message,
            "error.messageString": json.dumps(message),
            "error.responseType": kind,
            "requestId": request.id,
            "stage": self.api.stage,
            "path": f"/{self.api.stage}{request.path}",
            "httpMethod": request.method,
        }
        text = _CONTEXT.sub(lambda match: context.get(match.group(1), ""), template)
        headers = [("Content-Type", media_type), ("x-amzn-ErrorType", kind), *chosen.headers.items()]
        return Response(chosen.status or status, headers, text.encode())
