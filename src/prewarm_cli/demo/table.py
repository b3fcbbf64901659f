"""The demo's table of a run's URLs, each with its state and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prewarm_cli.output.terminal import fits, table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

STYLES = {"warm": "green", "failed": "red", "in progress": "dim"}


def url_table(status: dict[str, Any], width: int | None, shown: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield a table of a status's URLs with their states and outcomes, line by line, each with its style.

    The reasons of the URLs in `shown` were printed before. No URL is divided: on a terminal that is too narrow for
    the table, reasons are below their URL.
    """
    failures = {entry["url"]: entry for entry in status["failures"]}
    states = [(url, "warm") for url in status["successUrl"]]
    states += [(url, "in progress") for url in status["inProgressUrl"]]
    states += [(url, "failed") for url in status["failedUrl"]]
    reasons = {
        url: entry.get("what") or ", ".join(f"{name} at {count} POPs" for name, count in entry["reasons"].items())
        for url, entry in failures.items()
        if url not in shown
    }
    header = ("STATE", "URL", "REASONS" if reasons else "")
    lines = table(header, [(state, url, reasons.get(url, "")) for url, state in states])
    if fits(lines, width):
        yield lines[0], ""
        yield from ((line, STYLES[state]) for line, (_, state) in zip(lines[1:], states, strict=True))
        return
    for url, state in states:
        yield f"{state:11}  {url}", STYLES[state]
        if url in reasons:
            yield f"{'':11}  {reasons[url]}", STYLES[state]
