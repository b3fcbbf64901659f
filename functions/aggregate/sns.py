"""Publish notifications to SNS. This is the only module that calls SNS."""

import boto3

from aggregate.notification import Notification


def publish(topic: str, notification: Notification) -> None:
    """Publish a notification to the topic."""
    boto3.client("sns").publish(TopicArn=topic, Subject=notification.subject, Message=notification.message)
