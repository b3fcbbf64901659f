"""GitLab CI: a collapsible section of the job's log around a wait, and the run's page as a link of the job."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# GitLab Docs, "CI/CD job logs": the escape sequences are part of the markers.
ERASE = "\x1b[0K"
SECTION = "prewarm"


def is_gitlab(environment: Mapping[str, str]) -> bool:
    """Return whether this is a GitLab job."""
    return environment.get("GITLAB_CI") == "true"


def section_start(title: str, time: float) -> str:
    """Return the line that begins a section of the log."""
    return f"{ERASE}section_start:{time:.0f}:{SECTION}\r{ERASE}{title}"


def section_end(time: float) -> str:
    """Return the line that ends the section."""
    return f"{ERASE}section_end:{time:.0f}:{SECTION}\r{ERASE}"


def annotations_report(run: str, page: str) -> dict[str, Any]:
    """Return an annotations report: its links are shown on the job's page (GitLab Docs, "artifacts:reports")."""
    return {"CloudFront Prewarm": [{"external_link": {"label": f"Run {run}", "url": page}}]}


def annotations_json(run: str, page: str) -> str:
    """Return the report as the text of its file."""
    return json.dumps(annotations_report(run, page)) + "\n"
