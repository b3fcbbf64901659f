"""The acceptance report of `prewarm doctor`: an anonymised page that you can attach to an issue."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from prewarm_cli.doctor.anonymise import Anonymiser
from prewarm_cli.errors import CommandFailed
from prewarm_cli.failure_reasons import file_reason
from prewarm_cli.output.files import output_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from prewarm.diagnosis import Row

# arn:PARTITION:states:REGION:ACCOUNT:stateMachine:STACK-prewarm
ARN_FIELDS = 7
# The name that every guide uses; it is also the project's.
DEFAULT_STACK = "cloudfront-prewarm"
FOOTER = (
    "Accounts, hosts, addresses, keys and names are replaced; the same placeholder always stands for the same value. "
    "Read the page before you send it."
)
HEADER = ("check", "result", "observed", "meaning", "action", "seconds")


def anonymiser_for(api_url: str, api_key: str, url: str | None, state_machine_arn: str = "") -> Anonymiser:
    """Return an anonymiser that knows the values of this call: API, key, account, stack, and the parts of the URL."""
    known = [("url", url or ""), ("api", api_url), ("key", api_key)]
    for address, kind in ((api_url, "api"), (url or "", "site")):
        parts = urlsplit(address)
        known += [(f"{kind}-host", parts.netloc), (f"{kind}-host", parts.hostname or ""), ("path", parts.path)]
    fields = state_machine_arn.split(":")
    if len(fields) == ARN_FIELDS:
        stack = fields[-1].removesuffix("-prewarm")
        known += [("account", fields[4]), *([("stack", stack)] if stack != DEFAULT_STACK else [])]
    return Anonymiser(known)


def report_text(rows: Sequence[Row], summary: dict[str, Any], anonymiser: Anonymiser) -> str:
    """Return the page: versions and totals, then one line of a table for each check. Identifiers are replaced."""
    facts = {**summary, "python": platform.python_version(), "system": platform.system()}
    lines = ["# CloudFront Prewarm: acceptance report", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items() if value is not None]
    lines += ["", f"| {' | '.join(HEADER)} |", "|---" * len(HEADER) + "|"]
    for row in rows:
        texts = (row.check, row.result, row.detail, row.meaning, row.action or "-", f"{row.seconds:.1f}")
        lines.append(f"| {' | '.join(_cell(anonymiser.text(text)) for text in texts)} |")
    lines += ["", FOOTER]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Return a text as a cell of a Markdown table: one line, without the table's own separator."""
    return " ".join(text.split()).replace("|", "\\|")


def write_report(path: Path, text: str) -> None:
    """Write the page, readable only by you until you share it.

    Raises:
        CommandFailed: the file cannot be written.

    """
    try:
        with output_file(path, "w", private=True, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CommandFailed(f"--report {path}: {file_reason(error)}") from error
