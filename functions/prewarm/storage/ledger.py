"""The one module that speaks to DynamoDB: what changes while a run goes on.

`run`, `sk` = `control` or `batch#part`. An item with `closed` stands where a late part would come, and refuses it:
its number is how often the run had been redriven by then, so that a worker of a later redrive may still write.
"""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from prewarm.results.batch_result import BatchResult
from prewarm.results.rollup import current_parts
from prewarm.storage.ledger_items import (
    CONTROL,
    Control,
    pack,
    pack_item,
    part_key,
    result_as_item,
    result_from_item,
    unpack_item,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY_SECONDS = 86_400
# Batches that are closed at once.
CLOSERS = 16


class RunEnded(Exception):
    """The run's control item says that it has ended: late results are not wanted."""


class Ledger:
    """The ledger of all runs: one table."""

    def __init__(self, client: "DynamoDBClient", table: str, retention_days: int) -> None:
        self._dynamodb, self._table = client, table
        self._retention = retention_days * DAY_SECONDS

    def open_run(self, run: str, deadline: float, redrives: int = 0) -> None:
        """Put the run's control item: workers may write from now on. `deadline` in epoch seconds.

        A redrive of ResolveTargets plans, and so begins the run's time, anew.
        """
        item = {"run": run, "sk": CONTROL, "ended": False, "deadline": int(deadline), "redrives": redrives}
        self._put(item | {"ttl": self._ttl()})

    def control(self, run: str) -> Control:
        """Read the run's control item; a run that was never opened, or is forgotten, has ended."""
        key = pack_item({"run": run, "sk": CONTROL})
        packed = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if packed is None:
            return Control(ended=True)
        item = unpack_item(packed)
        return Control(
            ended=item["ended"],
            open_hosts=item.get("openHosts", frozenset()),
            deadline=item.get("deadline", 0),
            redrives=item.get("redrives", 0),
            ended_as=item.get("endedAs", ""),
        )

    def control_after(self, run: str, redrives: int, seconds: float) -> Control:
        """Read the run's control item for whoever was started after so many redrives.

        The first one after a redrive opens the run again and gives it a fresh deadline, `seconds` from now.
        """
        control = self.control(run)
        if control.redrives >= redrives:
            return control
        self.renew(run, time.time() + seconds, redrives)
        return self.control(run)

    def renew(self, run: str, deadline: float, redrives: int) -> None:
        """Open a redriven run again, with a fresh deadline, and with origins that may be well again."""
        values = {":no": False, ":deadline": int(deadline), ":redrives": redrives}
        change = ", ended = :no, deadline = :deadline, redrives = :redrives REMOVE openHosts, endedAs"
        self._update_control(run, change, values, "attribute_not_exists(redrives) OR redrives < :redrives")

    def add_open_host(self, run: str, host: str) -> None:
        """Tell all workers of the run that a host's origin is overloaded."""
        self._update_control(run, "ADD openHosts :hosts", {":hosts": frozenset({host})})

    def end_run(self, run: str, redrives: int | None = None, ended_as: str = "") -> bool:
        """Mark the run as ended: workers stop when they next look.

        `redrives`: only if it has not been redriven since; says False where it has. `ended_as`: Step Functions' word
        for a run that something outside of it ended, which no late word of the run's own may change.
        """
        change = ", ended = :yes"
        values: dict[str, Any] = {":yes": True}
        if ended_as:
            change, values = f"{change}, endedAs = :as", values | {":as": ended_as}
        if redrives is None:
            return self._update_control(run, change, values)
        condition = "attribute_not_exists(redrives) OR redrives <= :redrives"
        return self._update_control(run, change, values | {":redrives": redrives}, condition)

    def first_to_sum(self, run: str, redrives: int) -> bool:
        """Say whether nobody has summed up the run after so many redrives: what is counted is counted once."""
        condition = "attribute_not_exists(summed) OR summed < :redrives"
        return self._update_control(run, ", summed = :redrives", {":redrives": redrives}, condition)

    def put_result(self, run: str, result: BatchResult) -> None:
        """Put one batch part's ledger item; the same part overwrites itself, so a retry never counts twice.

        No item is written that workers share. The condition keeps out what comes between the look and the put.

        Raises:
            RunEnded: the run has ended meanwhile.

        """
        if self.control(run).over_for(result.redrives):
            raise RunEnded(run)
        item = {"run": run, "sk": part_key(result.batch, result.part), "ttl": self._ttl()} | result_as_item(result)
        condition = "attribute_not_exists(closed) OR closed < :redrives"
        if not self._put(item, condition, {":redrives": result.redrives}):
            raise RunEnded(run)

    def close_batches(self, run: str, parts: Iterable[tuple[str, int]], redrives: int = 0) -> None:
        """Refuse the next part of batches that never finished: (batch, the part that would come next)."""

        def close(batch: str, part: int) -> None:
            item = {"run": run, "sk": part_key(batch, part), "closed": redrives, "ttl": self._ttl()}
            self._put(item, "attribute_not_exists(sk) OR closed < :redrives", {":redrives": redrives})

        with ThreadPoolExecutor(CLOSERS) as pool:
            for done in [pool.submit(close, batch, part) for batch, part in parts]:
                done.result()

    def results(self, run: str) -> list[BatchResult]:
        """Return all that a run's batches came to, each part once."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#run = :run",
            ExpressionAttributeNames={"#run": "run"},
            ExpressionAttributeValues={":run": pack(run)},
            ConsistentRead=True,
        )
        items = (packed for page in pages for packed in page["Items"] if "batch" in packed)
        return current_parts(result_from_item(unpack_item(packed)) for packed in items)

    def _put(self, item: dict[str, Any], condition: str = "", values: dict[str, Any] | None = None) -> bool:
        """Put an item; says False where the condition does not hold."""
        only: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        if values:
            only["ExpressionAttributeValues"] = pack_item(values)
        try:
            self._dynamodb.put_item(TableName=self._table, Item=pack_item(item), **only)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _update_control(self, run: str, change: str, values: dict[str, Any], condition: str = "") -> bool:
        """Change the control item; says False where the condition does not hold."""
        only: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=pack_item({"run": run, "sk": CONTROL}),
                UpdateExpression=f"SET #ttl = :ttl {change}",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues=pack_item(values | {":ttl": self._ttl()}),
                **only,
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _ttl(self) -> int:
        return int(time.time()) + self._retention
