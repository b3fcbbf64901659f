"""The one module that speaks to SNS."""

import boto3

from aggregate.notification import Notice


def publish(topic: str, notice: Notice) -> None:
    """Send a notice to the topic's subscribers."""
    boto3.client("sns").publish(TopicArn=topic, Subject=notice.subject, Message=notice.message)
