"""Dry runs: asked of ResolveTargets' function directly where that takes less time than API Gateway gives."""

import functools
import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from prewarm.errors import InvalidRequest, Problem
from prewarm.observability import logger
from prewarm.storage.run_store import Storage

# API Gateway and this function give up after 29 s; what is left is for starting an execution instead.
SECONDS_TO_WAIT = 20


class Resolver:
    """The function behind ResolveTargets, called without its state machine."""

    def __init__(self, function: str) -> None:
        self._function = function

    @functools.cached_property
    def _client(self) -> Any:  # noqa: ANN401 - boto3's clients are made at run time
        config = Config(connect_timeout=3, read_timeout=SECONDS_TO_WAIT, retries={"total_max_attempts": 1})
        return boto3.client("lambda", config=config)

    def ask(self, run: str, key: str) -> dict[str, Any] | None:
        """Return what the function answers for a stored request; None where it takes too long, or fails."""
        event = {"run": run, "input": {"requestKey": key}}
        try:
            answer = self._client.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
        except (ReadTimeoutError, ConnectTimeoutError, ClientError) as error:
            logger.info("the dry run goes on as an execution", extra={"why": str(error)})
            return None
        if "FunctionError" in answer:
            return None
        document: dict[str, Any] = json.loads(answer["Payload"].read())
        return document


def dry_run(run: str, key: str, resolver: Resolver, store: Storage) -> dict[str, Any] | None:
    """Return {"dryRun": …} of a stored request, or None where only an execution can tell.

    Whatever goes wrong here goes wrong visibly there.

    Raises:
        InvalidRequest: the request is rejected.

    """
    answer = resolver.ask(run, key)
    if answer is None:
        return None
    if rejection := answer.get("rejection"):
        raise InvalidRequest(
            [Problem(each["field"], each["message"], tuple(each["near"])) for each in rejection["details"]]
        )
    document = store.get_dry_run(run)
    return None if document is None else {"dryRun": document}
