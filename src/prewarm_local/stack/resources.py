"""The resources of a template that the embedded stack runs, resolved: plain data that its other modules share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Function:
    """A Lambda function; `timeout` in seconds, `memory` in MB.

    `code` is the folder that Lambda unpacks.
    """

    logical_id: str
    name: str
    arn: str
    code: Path
    handler: str
    runtime: str
    timeout: int
    memory: int
    environment: dict[str, str]
    log_format: str


@dataclass(frozen=True)
class StateMachine:
    """A Step Functions state machine.

    `definition` is ASL as JSON text, with its substitutions applied.
    """

    logical_id: str
    name: str
    arn: str
    role: str
    definition: str


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket."""

    logical_id: str
    name: str


@dataclass(frozen=True)
class Table:
    """A DynamoDB table; `schema` holds parameters of CreateTable.

    `ttl_attribute` is None if items do not expire.
    """

    logical_id: str
    name: str
    schema: dict[str, Any]
    ttl_attribute: str | None


@dataclass(frozen=True)
class Rule:
    """An EventBridge rule: the pattern of its events, and its functions' ARNs."""

    pattern: Mapping[str, Any]
    targets: tuple[str, ...]
