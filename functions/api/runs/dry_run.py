"""Invoke the resolve function directly, for dry runs and GET /diagnose, within API Gateway's timeout."""

import functools
import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from prewarm.errors import InvalidRequest, Problem
from prewarm.observability import logger

# API Gateway and the API function time out after 29 s. The remaining seconds are for starting an execution instead.
TIMEOUT_SECONDS = 20
# Checks of the deployment have no execution to fall back on; they end by themselves (resolve.diagnose.SECONDS).
DIAGNOSIS_SECONDS = 24


class Resolver:
    """The resolve function, invoked without the state machine."""

    def __init__(self, function: str) -> None:
        self._function = function

    @functools.cached_property
    def _client(self) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        config = Config(connect_timeout=3, read_timeout=TIMEOUT_SECONDS, retries={"total_max_attempts": 1})
        return boto3.client("lambda", config=config)

    def invoke(self, run: str, request_key: str) -> dict[str, Any] | None:
        """Return the output for a stored request; None if it fails or times out.

        With `direct` the function returns the whole result and stores nothing.
        """
        event = {"run": run, "input": {"requestKey": request_key}, "direct": True}
        try:
            response = self._client.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
        except (ReadTimeoutError, ConnectTimeoutError, ClientError) as error:
            logger.info("the dry run continues as an execution", extra={"reason": str(error)})
            return None
        if "FunctionError" in response:
            return None
        output: dict[str, Any] = json.loads(response["Payload"].read())
        return output

    def diagnose(self, url: str | None) -> dict[str, Any]:
        """Return the function's own checks of the deployment: {"checks": […], "pops": […]}.

        Raises:
            RuntimeError, BotoCoreError, ClientError: the function failed, or could not be invoked in time.

        """
        config = Config(connect_timeout=3, read_timeout=DIAGNOSIS_SECONDS, retries={"total_max_attempts": 1})
        client = boto3.client("lambda", config=config)
        event = {"diagnose": {"url": url}}
        response = client.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
        output: dict[str, Any] = json.loads(response["Payload"].read())
        if "FunctionError" in response:
            raise RuntimeError(f"the function failed with {output.get('errorType')}: {output.get('errorMessage')}")
        return output


def dry_run(run: str, request_key: str, resolver: Resolver) -> dict[str, Any] | None:
    """Return {"dryRun": …} for a stored request, or None if an execution has to do it.

    Errors of the function are not reported here: the execution meets them again and records them.

    Raises:
        InvalidRequest: the resolve function rejects the request.

    """
    output = resolver.invoke(run, request_key)
    if output is None:
        return None
    if rejection := output.get("rejection"):
        raise InvalidRequest(
            [Problem(each["field"], each["message"], tuple(each["near"])) for each in rejection["details"]]
        )
    return {"dryRun": output["dryRun"]} if "dryRun" in output else None
