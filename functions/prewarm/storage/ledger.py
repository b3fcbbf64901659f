"""The ledger in DynamoDB: the state of runs in progress. Only storage/ledger*, run_list and rate_lanes call DynamoDB.

The key is `run` and `sk`: `control` for the run's control item, `batch#part` for the result of one part of a batch.
A part is written once, by the attempt that it names. An item with `closed` takes the place of a late part, which is
then refused. The value of `closed` is the run's number of redrives at that time; a worker of a later redrive may
still write. Attempts that are working are listed in a partition of their own, `RUN#open`, which no status reads.
"""

import math
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from prewarm.results.batch_result import BatchResult
from prewarm.results.chain import current_parts
from prewarm.storage.ledger_items import (
    CONTROL,
    Control,
    Stored,
    pack,
    pack_item,
    part_key,
    result_as_item,
    result_from_item,
    unpack_item,
)
from prewarm.storage.ledger_ranges import LedgerRanges
from prewarm.storage.run_list import RunList

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY_SECONDS = 86_400
# Batches that are closed in parallel.
CLOSE_THREADS = 16
# A part of a batch is written if it does not exist, if only an earlier redrive was closed, or over a part of a
# version without attempts, whose workers did so too.
_FREE = "attribute_not_exists(sk) OR closed < :redrives"
_FREE_OR_UNOWNED = f"{_FREE} OR (attribute_not_exists(attempt) AND attribute_not_exists(closed))"


# A run is opened once for each redrive; a control item without a count is that of a run cancelled before its plan.
_UNOPENED = (
    "attribute_not_exists(sk) OR redrives < :redrives OR (attribute_not_exists(redrives) AND :none < :redrives)"
)


class Ledger(LedgerRanges):
    """The ledger of all runs: one table."""

    def __init__(self, client: "DynamoDBClient", table: str, retention_days: int, runs: RunList) -> None:
        self._dynamodb, self._table, self._runs = client, table, runs
        self._retention = retention_days * DAY_SECONDS

    def open_run(self, run: str, deadline: float, redrives: int = 0) -> bool:
        """Write the run's control item, which allows workers to write results; return whether the run is open.

        `deadline` is in epoch seconds. A redrive of ResolveTargets plans again and so resets the run's deadline. An
        item of the same start stays: another attempt has opened the run, or it was cancelled meanwhile.
        """
        item = {"run": run, "sk": CONTROL, "ended": False, "deadline": int(deadline), "redrives": redrives}
        values = {":redrives": redrives, ":none": 0}
        return self._put(item | {"ttl": self._ttl()}, _UNOPENED, values) or not self.control(run).ended

    def control(self, run: str) -> Control:
        """Return the run's control item; a run without one counts as ended."""
        key = pack_item({"run": run, "sk": CONTROL})
        packed = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        if packed is None:
            return Control(ended=True)
        item = unpack_item(packed)
        return Control(
            ended=item["ended"],
            open_hosts=item.get("openHosts", frozenset()),
            dark_pops=dict(entry.split() for entry in item.get("darkPops", ())),
            deadline=item.get("deadline", 0),
            redrives=item.get("redrives", 0),
            ended_as=item.get("endedAs", ""),
            invalidation=item.get("invalidation", {}),
            separate_pops=item.get("separatePops", frozenset()),
        )

    def control_after(self, run: str, redrives: int, seconds: float) -> Control:
        """Return the control item to a caller started after `redrives` redrives.

        The first caller after a redrive reopens the run with a new deadline, `seconds` from now.
        """
        control = self.control(run)
        if control.redrives >= redrives:
            return control
        self.reopen_run(run, time.time() + seconds, redrives)
        return self.control(run)

    def reopen_run(self, run: str, deadline: float, redrives: int) -> None:
        """Reopen a redriven run with a new deadline, and without overloaded hosts and dark POPs.

        They may have recovered. The second call for the same redrive has no effect.
        """
        values = {":no": False, ":deadline": int(deadline), ":redrives": redrives}
        change = ", ended = :no, deadline = :deadline, redrives = :redrives REMOVE openHosts, darkPops, endedAs"
        if self._update_control(run, change, values, "attribute_not_exists(redrives) OR redrives < :redrives"):
            self._runs.reopen(run, redrives)

    def note_invalidation(self, run: str, progress: dict[str, int]) -> None:
        """Record how far a run's invalidations are, for its status (Control.invalidation)."""
        self._update_control(run, ", invalidation = :progress", {":progress": progress})

    def add_open_host(self, run: str, host: str) -> None:
        """Record for all workers of the run that a host's origin is overloaded."""
        self._update_control(run, "ADD openHosts :hosts", {":hosts": frozenset({host})})

    def add_dark_pop(self, run: str, pop: str, outcome: str) -> None:
        """Record for all workers of the run that a POP does not respond; `outcome`: that of its last fetch."""
        self._update_control(run, "ADD darkPops :pops", {":pops": frozenset({f"{pop} {outcome}"})})

    def add_separate_pops(self, run: str, pops: frozenset[str]) -> None:
        """Record for the run's next workers that the addresses of these POPs have separate caches."""
        self._update_control(run, "ADD separatePops :pops", {":pops": pops})

    def end_run(self, run: str, redrives: int | None = None, ended_as: str = "") -> bool:
        """Mark the run as ended, so that its workers stop; return whether it was marked.

        `redrives`: mark it only if it has not been redriven more often since. `ended_as`: Step Functions' status of a
        run that was stopped or timed out; the run's own late result must not replace it.
        """
        change = ", ended = :yes"
        values: dict[str, Any] = {":yes": True}
        if ended_as:
            change, values = f"{change}, endedAs = :as", values | {":as": ended_as}
        if redrives is None:
            return self._update_control(run, change, values)
        condition = "attribute_not_exists(redrives) OR redrives <= :redrives"
        return self._update_control(run, change, values | {":redrives": redrives}, condition)

    def claim_run_metrics(self, run: str, redrives: int) -> bool:
        """Return whether the caller is the first after this redrive.

        Only the first caller emits the run's metrics.
        """
        condition = "attribute_not_exists(summed) OR summed < :redrives"
        return self._update_control(run, ", summed = :redrives", {":redrives": redrives}, condition)

    def stored_part(self, run: str, batch: str, part: int) -> Stored | None:
        """Return what the ledger has for a part of a batch, or None."""
        key = pack_item({"run": run, "sk": part_key(batch, part)})
        packed = self._dynamodb.get_item(
            TableName=self._table,
            Key=key,
            ConsistentRead=True,
            ProjectionExpression="sk, attempt, finished, closed",
        ).get("Item")
        return None if packed is None else Stored.from_item(unpack_item(packed))

    def put_result(self, run: str, result: BatchResult) -> Stored | None:
        """Write one batch part's item, once; return None, or what is stored in its place if it was not written.

        A write whose response was lost is repeated by the SDK: then the stored item is this attempt's own.
        """
        item = {"run": run, "sk": part_key(result.batch, result.part), "ttl": self._ttl()} | result_as_item(result)
        if self._put(item, _FREE_OR_UNOWNED, {":redrives": result.redrives}):
            return None
        stored = self.stored_part(run, result.batch, result.part)
        return None if stored is not None and stored.attempt == result.attempt != "" else stored or Stored()

    def close_batches(self, run: str, parts: Iterable[tuple[str, int]], redrives: int = 0) -> bool:
        """Refuse the next part of unfinished batches: pairs of batch and next part.

        Return whether all were closed; False means that a part was written first.
        """

        def close(batch: str, part: int) -> bool:
            item = {"run": run, "sk": part_key(batch, part), "closed": redrives, "ttl": self._ttl()}
            if self._put(item, _FREE, {":redrives": redrives}):
                return True
            stored = self.stored_part(run, batch, part)
            return stored is not None and stored.refuses(redrives)

        with ThreadPoolExecutor(CLOSE_THREADS) as pool:
            closing = [pool.submit(close, batch, part) for batch, part in parts]
        # Each result is read, so that an error is raised even after a batch that was not closed.
        closed = [each.result() for each in closing]
        return all(closed)

    def open_attempt(self, run: str, attempt: str, until: float) -> None:
        """List an attempt as working; `until` in epoch seconds, when its Lambda must have ended."""
        self._put({"run": _open_key(run), "sk": attempt, "until": math.ceil(until), "ttl": self._ttl()})

    def close_attempt(self, run: str, attempt: str) -> None:
        """Remove an attempt from the list of those that are working."""
        key = pack_item({"run": _open_key(run), "sk": attempt})
        self._dynamodb.delete_item(TableName=self._table, Key=key)

    def has_open_attempts(self, run: str) -> bool:
        """Return whether an attempt of the run may still be working."""
        now = time.time()
        return any(unpack_item(item)["until"] > now for item in self._query(_open_key(run)))

    def results(self, run: str) -> list[BatchResult]:
        """Return the results of a run's batches that count (chain.current_parts), in order of batch and part."""
        items = (packed for packed in self._query(run) if "batch" in packed)
        return current_parts(result_from_item(unpack_item(packed)) for packed in items)

    def _query(self, partition: str) -> Iterator[dict[str, Any]]:
        """Yield all items of a partition, packed."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#run = :run",
            ExpressionAttributeNames={"#run": "run"},
            ExpressionAttributeValues={":run": pack(partition)},
            ConsistentRead=True,
        )
        for page in pages:
            yield from page["Items"]

    def _put(self, item: dict[str, Any], condition: str = "", values: dict[str, Any] | None = None) -> bool:
        """Put an item; return whether the condition was met."""
        options: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        if values:
            options["ExpressionAttributeValues"] = pack_item(values)
        try:
            self._dynamodb.put_item(TableName=self._table, Item=pack_item(item), **options)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _update_control(self, run: str, change: str, values: dict[str, Any], condition: str = "") -> bool:
        """Update the control item; return whether the condition was met."""
        options: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=pack_item({"run": run, "sk": CONTROL}),
                UpdateExpression=f"SET #ttl = :ttl {change}",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues=pack_item(values | {":ttl": self._ttl()}),
                **options,
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _ttl(self) -> int:
        return int(time.time()) + self._retention


def _open_key(run: str) -> str:
    """Return the partition of a run's working attempts; no execution's name contains a `#`."""
    return f"{run}#open"
