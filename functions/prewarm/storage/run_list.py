"""The list of runs in DynamoDB: one item per run, found by time, label and host.

Next to ledger.py this is the only module that calls DynamoDB; both use one table. No run's name contains a `#`, so
these partitions collide with none of the ledger's:

- `#runs#2026-11`: the runs of a month, one item each; the sort key is the start's time and the run's name
- `#label#LABEL` and `#host#HOST`: the same sort keys, without attributes
- RUN, `listed`: where the run's item is; written once, so that all writers use the same one
"""

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prewarm.errors import TransientError
from prewarm.storage.ledger_items import pack, pack_item, unpack_item
from prewarm.storage.run_items import HOSTS_INDEXED, LISTED, host_key, label_key, month_key, months_back, sort_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY_SECONDS = 86_400
# Parallel writes of a run's hosts.
INDEX_THREADS = 8
# Keys of one BatchGetItem (DynamoDB API Reference), and tries for those that it leaves out.
BATCH_KEYS, BATCH_TRIES = 100, 5
# Items that a filtered query evaluates at once, and months that one page looks through.
EVALUATED, MONTHS_READ = 1_000, 36


@dataclass(frozen=True, slots=True)
class Window:
    """The sort keys from `first` to before `last`, by default all."""

    first: str = "0"
    last: str = "9999"


@dataclass(frozen=True, slots=True)
class RunPage:
    """Run items, newest first, and the sort key after which the next page begins; None after the last."""

    items: list[dict[str, Any]]
    after: str | None


class RunList:
    """The items of all runs."""

    def __init__(self, client: "DynamoDBClient", table: str, retention_days: int) -> None:
        self._dynamodb, self._table = client, table
        self._retention = retention_days * DAY_SECONDS

    def start(self, run: str, facts: dict[str, Any], started_at: dt.datetime | None = None) -> None:
        """List a run that starts; a second call for the same run only adds what is missing.

        `facts`: attributes of run_items.start_facts. `started_at`: now by default.
        """
        key = sort_key(run, started_at or dt.datetime.now(dt.UTC))
        place = {"run": run, "sk": LISTED, "at": key, "ttl": self._ttl()}
        if not self._put(place, "attribute_not_exists(sk)"):
            key = self._place_of(run) or key
        self._update(key, facts | {"name": run}, only_missing=True)
        self._index(key, [label_key(facts["label"])] if facts.get("label") else [])
        self._index(key, map(host_key, facts.get("hosts", [])))

    def plan(self, run: str, facts: dict[str, Any], hosts: Sequence[str]) -> None:
        """Add what is known once a run is planned; `hosts`: all of its URLs' hosts."""
        if key := self._place_of(run):
            self._update(key, facts)
            self._index(key, map(host_key, hosts[:HOSTS_INDEXED]))

    def end(self, run: str, facts: dict[str, Any], redrives: int | None = 0) -> None:
        """Add how a run ended, unless it has been redriven since; None: whatever its redrives.

        A run that an earlier version started is not listed, and stays so.
        """
        if key := self._place_of(run):
            condition = "attribute_not_exists(redrives) OR redrives <= :redrives"
            if redrives is None:
                self._update(key, facts)
            else:
                self._update(key, facts, condition=condition, values={":redrives": redrives})

    def reopen(self, run: str, redrives: int) -> None:
        """Remove how a run ended, since it is redriven; the second call for the same redrive has no effect."""
        if key := self._place_of(run):
            condition = "attribute_not_exists(redrives) OR redrives < :redrives"
            change = "SET redrives = :redrives REMOVE #state, endedAt, #error"
            names = {"#state": "state", "#error": "error"}
            self._change(key, change, names, {":redrives": redrives}, condition)

    def page_of(self, run: str) -> str:
        """Return the address of a run's page; empty for a run that was not started by the API."""
        if not (key := self._place_of(run)):
            return ""
        # GetItem, since the functions that end a run may not call BatchGetItem.
        item = pack_item({"run": month_key(key), "sk": key})
        found = self._dynamodb.get_item(TableName=self._table, Key=item, ConsistentRead=True).get("Item")
        api_url = unpack_item(found).get("apiUrl", "") if found else ""
        return f"{api_url}/#/run/{run}" if api_url else ""

    def listed(self, runs: Sequence[str]) -> set[str]:
        """Return those of the runs that have an item; at most 100 are asked for."""
        found = self._get_all([{"run": run, "sk": LISTED} for run in runs])
        return {item["run"] for item in found}

    def months(self, window: Window, state: str, after: str | None, limit: int, oldest: dt.date) -> RunPage:
        """Return a page of the runs of a window, newest first.

        Args:
            window: the sort keys to return.
            state: only runs that ended so, and those whose end is not recorded; empty for all.
            after: where the previous page ended.
            limit: the most items.
            oldest: no item is older than this day.

        """
        items: list[dict[str, Any]] = []
        until = min(window.last, after or window.last)
        newest = min(until[:7], f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=1):%Y-%m}")
        first = max(window.first[:7], f"{oldest:%Y-%m}")
        for read, month in enumerate(months_back(newest, first)):
            if read == MONTHS_READ:
                return RunPage(items, f"{month}~")
            found, following = self._query(month_key(month), window, state, after, limit - len(items))
            items += found
            if following is not None:
                return RunPage(items, following)
            if len(items) >= limit:
                return RunPage(items, items[-1]["sk"])
        return RunPage(items, None)

    def indexed(self, partition: str, window: Window, after: str | None, limit: int) -> RunPage:
        """Return a page of the runs of a label or host, newest first; `partition`: label_key or host_key."""
        found, following = self._query(partition, window, "", after, limit)
        keys = [{"run": month_key(each["sk"]), "sk": each["sk"]} for each in found]
        items = sorted(self._get_all(keys), key=lambda item: str(item["sk"]), reverse=True)
        return RunPage(items, following)

    def also_in(self, partition: str, keys: Sequence[str]) -> set[str]:
        """Return those of the sort keys that a label or host has too."""
        return {item["sk"] for item in self._get_all([{"run": partition, "sk": key} for key in keys])}

    def _query(
        self, partition: str, window: Window, state: str, after: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return up to `limit` items of a partition, newest first, and where the next page begins."""
        below = min(window.last, after) if after else window.last
        options: dict[str, Any] = {"Limit": EVALUATED if state else limit + 1}
        names, values = {"#run": "run"}, {":run": partition, ":first": window.first, ":below": below}
        if state:
            options["FilterExpression"] = "attribute_not_exists(#state) OR #state = :state"
            names, values = names | {"#state": "state"}, values | {":state": state}
        found: list[dict[str, Any]] = []
        while True:
            page = self._dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="#run = :run AND sk BETWEEN :first AND :below",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=pack_item(values),
                ScanIndexForward=False,
                ConsistentRead=True,
                **options,
            )
            found += [item for each in page["Items"] if (item := unpack_item(each))["sk"] != below]
            if len(found) > limit:
                return found[:limit], str(found[limit - 1]["sk"])
            if "LastEvaluatedKey" not in page:
                return found, None
            if state:
                # A page of the caller ends here too: thousands of runs in other states are passed by several pages.
                return found, str(page["LastEvaluatedKey"]["sk"]["S"])
            options["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _get_all(self, keys: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        """Return the items with these keys that exist, in any order.

        Raises:
            TransientError: DynamoDB throttles the reads.

        """
        found: list[dict[str, Any]] = []
        for start in range(0, len(keys), BATCH_KEYS):
            asked: Any = {self._table: {"Keys": [pack_item(key) for key in keys[start : start + BATCH_KEYS]]}}
            asked[self._table]["ConsistentRead"] = True
            for tries in range(BATCH_TRIES):
                time.sleep(0.05 * tries)
                answer = self._dynamodb.batch_get_item(RequestItems=asked)
                found += [unpack_item(item) for item in answer["Responses"].get(self._table, [])]
                asked = answer.get("UnprocessedKeys")
                if not asked:
                    break
            else:
                raise TransientError("read the list of runs: DynamoDB left keys out", throttled=True)
        return found

    def _place_of(self, run: str) -> str | None:
        key = pack_item({"run": run, "sk": LISTED})
        item = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return None if item is None else str(unpack_item(item)["at"])

    def _index(self, key: str, partitions: Iterable[str]) -> None:
        items = [{"run": partition, "sk": key, "ttl": self._ttl()} for partition in partitions]
        if len(items) == 1:
            self._put(items[0])
        elif items:
            with ThreadPoolExecutor(INDEX_THREADS) as pool:
                list(pool.map(self._put, items))

    def _put(self, item: dict[str, Any], condition: str = "") -> bool:
        options: Any = {"ConditionExpression": condition} if condition else {}
        try:
            self._dynamodb.put_item(TableName=self._table, Item=pack_item(item), **options)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _update(
        self,
        key: str,
        facts: dict[str, Any],
        *,
        only_missing: bool = False,
        condition: str = "",
        values: dict[str, Any] | None = None,
    ) -> None:
        """Set attributes of a run's item, which is created if necessary."""
        names = {f"#n{number}": name for number, name in enumerate(facts)}
        new = {f":v{number}": value for number, value in enumerate(facts.values())}
        pairs = zip(names, new, strict=True)
        parts = [f"{n} = if_not_exists({n}, {v})" if only_missing else f"{n} = {v}" for n, v in pairs]
        self._change(key, f"SET {', '.join(parts)}", names, new | (values or {}), condition)

    def _change(self, key: str, change: str, names: dict[str, str], values: dict[str, Any], condition: str) -> None:
        options: Any = {"ConditionExpression": condition} if condition else {}
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=pack_item({"run": month_key(key), "sk": key}),
                UpdateExpression=change.replace("SET ", "SET #ttl = :ttl, ", 1),
                ExpressionAttributeNames=names | {"#ttl": "ttl"},
                ExpressionAttributeValues=pack_item(values) | {":ttl": pack(self._ttl())},
                **options,
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return

    def _ttl(self) -> int:
        return int(time.time()) + self._retention
