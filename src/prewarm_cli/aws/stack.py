"""A deployed stack: its outputs, and the value of its API key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prewarm_cli.aws.clients import DENIED, client, code_of, message_of, refused, unsent
from prewarm_cli.errors import CommandFailed

# What CloudFormation answers for a stack that does not exist (CloudFormation API Reference, "DescribeStacks").
NO_STACK = "ValidationError"
# API Gateway's answer for a key that does not exist.
NO_KEY = "NotFoundException"


@dataclass(frozen=True)
class Stack:
    """A stack's outputs; `function` is empty for a version without that output."""

    name: str
    region: str
    status: str
    url: str
    key_id: str
    function: str


def read_stack(name: str, region: str | None) -> Stack:
    """Return a stack's outputs (cloudformation:DescribeStacks).

    Raises:
        CommandFailed: there is no such stack, it is not one of this service, or AWS refuses the call.

    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

    cloudformation = client("cloudformation", region)
    region = str(cloudformation.meta.region_name)
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if code_of(error) == NO_STACK:
            hint = "check --stack, --region and the account of your AWS profile"
            raise CommandFailed(f"no stack {name} in {region}: {hint} ({message_of(error)})") from error
        raise refused(error, f"stack {name} in {region}", "cloudformation:DescribeStacks") from error
    except BotoCoreError as error:
        raise unsent(error, f"CloudFormation in {region}") from error
    outputs = {each.get("OutputKey"): str(each.get("OutputValue", "")) for each in found.get("Outputs", [])}
    status = str(found.get("StackStatus", ""))
    if not outputs.get("ApiUrl") or not outputs.get("ApiKeyId"):
        raise CommandFailed(
            f"stack {name} in {region} ({status}) has no outputs ApiUrl and ApiKeyId: it is not a stack of this "
            "service, or its deployment has not succeeded"
        )
    return Stack(name, region, status, outputs["ApiUrl"], outputs["ApiKeyId"], outputs.get("ApiFunctionArn", ""))


def read_key(stack: Stack) -> tuple[str, str]:
    """Return the value of the stack's API key, or "" and why it cannot be read (apigateway:GET).

    Raises:
        CommandFailed: AWS does not answer, or refuses the call for another reason than a missing right or key.

    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

    right = f"apigateway:GET on /apikeys/{stack.key_id}"
    try:
        key = client("apigateway", stack.region).get_api_key(apiKey=stack.key_id, includeValue=True)
    except ClientError as error:
        if code_of(error) in DENIED:
            return "", f"your AWS credentials lack the permission {right}"
        if code_of(error) == NO_KEY:
            return "", f"the stack's API key {stack.key_id} was deleted"
        raise refused(error, f"API key {stack.key_id}", right) from error
    except BotoCoreError as error:
        raise unsent(error, f"API Gateway in {stack.region}") from error
    if key.get("enabled") is False:
        return "", f"the stack's API key {stack.key_id} is disabled"
    value = str(key.get("value") or "")
    return value, "" if value else f"API Gateway did not return the value of API key {stack.key_id}"
