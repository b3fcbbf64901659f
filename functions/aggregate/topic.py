"""The one module that speaks to SNS: who is told of ended runs, and the telling."""

import os
from dataclasses import dataclass

import boto3

from aggregate.notice import Notice


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which notices are wanted: the topic's ARN (empty: none), `all` or `failures`, and the API's URL for links."""

    topic: str
    kind: str
    api_url: str

    def of(self, status: str) -> bool:
        """Say whether a run that ended so is told of; `status` is Step Functions' word."""
        return bool(self.topic) and (self.kind == "all" or status != "SUCCEEDED")


def settings_of_notices() -> Wanted:
    """Read them from the environment."""
    return Wanted(
        topic=os.environ.get("PREWARM_NOTICES_TOPIC", ""),
        kind=os.environ.get("PREWARM_NOTICES", "failures"),
        api_url=os.environ.get("PREWARM_API_URL", ""),
    )


def publish(topic: str, notice: Notice) -> None:
    """Send a notice to the topic's subscribers."""
    boto3.client("sns").publish(TopicArn=topic, Subject=notice.subject, Message=notice.message)
