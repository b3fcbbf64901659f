"""The lanes of a run's rate in DynamoDB: the next free slot of each, in one item in a partition of its own.

A worker leases the slots that follow by one conditional update (warm/rate_grid.py says when a slot is). The item is
`RUN#rate`, `slots`, with an attribute for each lane that was used; no status reads it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from prewarm.http_date import epoch_seconds
from prewarm.storage.ledger_items import pack_item, unpack_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY_SECONDS = 86_400
LANE = "lane"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a worker asks for: `count` slots of a lane, or only a look at all lanes where `count` is 0.

    With `restart` the slots begin at `least`, if the lane's next one is lower (nothing was leased lately); otherwise
    they begin at the lane's next one, if it is between `least` and `most`.
    """

    lane: int = 0
    count: int = 0
    least: int = 0
    most: int = 0
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the ledger answered: the first slot of the lease (None: there is none), and the next slot of each lane.

    `failed`: it did not answer, or refused. `sent` and `received` in monotonic seconds; `date`: the response's own
    time in epoch seconds, None without one.
    """

    ask: Ask
    sent: float
    received: float
    first: int | None = None
    lanes: Mapping[int, int] = field(default_factory=dict)
    date: float | None = None
    failed: bool = False


class RateLanes:
    """The lanes of one run."""

    def __init__(self, client: "DynamoDBClient", table: str, run: str, retention_days: int) -> None:
        self._dynamodb, self._table = client, table
        self._key = pack_item({"run": f"{run}#rate", "sk": "slots"})
        self._retention = retention_days * DAY_SECONDS

    def answer(self, ask: Ask) -> Answer:
        """Ask the ledger; a failure is an answer too, because a worker continues without it."""
        sent = time.monotonic()
        response: dict[str, Any]
        try:
            response = self._take(ask) if ask.count else self._look()
            packed = response.get("Attributes") or response.get("Item") or {}
            refused = False
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                return Answer(ask, sent, time.monotonic(), failed=True)
            response = dict(error.response)
            packed, refused = response.get("Item", {}), True
        except Exception:  # noqa: BLE001 - whatever it is (a response cut off, too): the worker has its fixed share
            return Answer(ask, sent, time.monotonic(), failed=True)
        received = time.monotonic()
        item = unpack_item(packed)
        lanes = {int(name.removeprefix(LANE)): number for name, number in item.items() if name.startswith(LANE)}
        first = lanes[ask.lane] - ask.count if ask.count and not refused else None
        date = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        return Answer(ask, sent, received, first, lanes, epoch_seconds(date))

    def _look(self) -> dict[str, Any]:
        return dict(self._dynamodb.get_item(TableName=self._table, Key=self._key, ConsistentRead=True))

    def _take(self, ask: Ask) -> dict[str, Any]:
        values = {":ttl": int(time.time()) + self._retention, ":least": ask.least}
        if ask.restart:
            change, condition = ":next", "attribute_not_exists(#lane) OR #lane < :least"
            values[":next"] = ask.least + ask.count
        else:
            change, condition = "#lane + :count", "#lane BETWEEN :least AND :most"
            values |= {":count": ask.count, ":most": ask.most}
        response = self._dynamodb.update_item(
            TableName=self._table,
            Key=self._key,
            UpdateExpression=f"SET #lane = {change}, #ttl = :ttl",
            ConditionExpression=condition,
            ExpressionAttributeNames={"#lane": f"{LANE}{ask.lane}", "#ttl": "ttl"},
            ExpressionAttributeValues=pack_item(values),
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return dict(response)
