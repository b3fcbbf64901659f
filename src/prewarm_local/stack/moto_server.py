"""moto's HTTP server on a loopback port: threaded, without logs, with a cache for the service of each host."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from prewarm_local.stack.lambda_account import LambdaAccountMiddleware
from prewarm_local.stack.moto_cloudfront import CloudFrontMiddleware

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer


class _Dispatcher(DomainDispatcherApplication):
    """moto's dispatcher with a cache of each host's service.

    Moto lists its own folder for each request.
    """

    @functools.lru_cache(maxsize=256)  # noqa: B019  there is one dispatcher per stack
    def get_backend_for_host(self, host: str | None) -> Any:  # noqa: ANN401  moto's type  # noqa: ANN401
        return super().get_backend_for_host(host)


class _Handler(MotoRequestHandler):
    # Headers and body are two writes; Nagle's algorithm would delay the second by 40 ms.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  werkzeug's name
        """Log nothing: each AWS call of each function would be a line."""


def serve_moto() -> tuple[BaseWSGIServer, CloudFrontMiddleware, LambdaAccountMiddleware]:
    """Return a running server, and its middlewares for CloudFront and for Lambda's account settings.

    Stop it by shutdown and server_close.
    """
    cloudfront = CloudFrontMiddleware(_Dispatcher(create_backend_app))
    account = LambdaAccountMiddleware(cloudfront)
    server = make_server("127.0.0.1", 0, account, threaded=True, request_handler=_Handler)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="embedded-aws", daemon=True
    ).start()
    return server, cloudfront, account
