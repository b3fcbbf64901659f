"""Read the parts of a run's batches in ranges of sort keys; ledger.py reads all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prewarm.storage.ledger_items import item_bytes, pack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# The first and the last sort key of a range, both included.
KeyRange = tuple[str, str]


@dataclass(frozen=True, slots=True)
class PartsRead:
    """Packed items of parts, and the sort key after which the reading stopped; empty if it reached the end."""

    items: list[dict[str, Any]]
    stopped_at: str = ""


class LedgerRanges:
    """Reads ranges of the parts of a run's batches."""

    _dynamodb: "DynamoDBClient"
    _table: str

    def parts_in(self, run: str, ranges: Sequence[KeyRange], enough_bytes: float) -> PartsRead:
        """Return the items of parts in these ranges, read in their order until they have `enough_bytes`.

        A page of a query has at most 1 MB (DynamoDB Developer Guide, "Paginating table query results"), and no
        further page is read once there is enough: at most a page more than `enough_bytes` is read.
        """
        items: list[dict[str, Any]] = []
        size = 0
        for number, (low, high) in enumerate(ranges, start=1):
            for page in self._pages(run, low, high):
                # Closing items have no result, but are read too.
                items += [packed for packed in page["Items"] if "batch" in packed]
                size += sum(map(item_bytes, page["Items"]))
                more = page.get("LastEvaluatedKey")
                if size >= enough_bytes and (more or number < len(ranges)):
                    return PartsRead(items, more["sk"]["S"] if more else high)
        return PartsRead(items)

    def _pages(self, run: str, low: str, high: str) -> Iterator[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#run = :run AND sk BETWEEN :low AND :high",
            ExpressionAttributeNames={"#run": "run"},
            ExpressionAttributeValues={":run": pack(run), ":low": pack(low), ":high": pack(high)},
            ConsistentRead=True,
        )
        # The client's types name a page's keys more narrowly than they are used here.
        yield from pages  # type: ignore[misc]
