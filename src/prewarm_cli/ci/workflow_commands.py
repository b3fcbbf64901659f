"""Workflow commands of GitHub Actions, which the runner reads from stdout and stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prewarm_cli.output.redaction import redact_urls

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_github(environment: Mapping[str, str]) -> bool:
    """Return whether this is a step of a workflow."""
    return environment.get("GITHUB_ACTIONS") == "true"


def escape_data(text: str) -> str:
    """Return the text of a workflow command, as the toolkit escapes it: otherwise a line break would end it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Return the value of a workflow command's property: `:` and `,` would end it."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


def command(kind: str, title: str, text: str) -> str:
    """Return a workflow command that makes an annotation, without secrets of URLs.

    `kind` is error, warning or notice.
    """
    return f"::{kind} title={escape_property(title)}::{escape_data(redact_urls(text))}"
