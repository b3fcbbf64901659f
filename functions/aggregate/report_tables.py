"""Tables of the report's page, and those about the run's sources. Pure."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from prewarm.planning.source_documents import CACHE, INVALIDATED, ORIGIN, S3

DOCUMENT_ORIGINS = {
    ORIGIN: "the origin",
    INVALIDATED: "an edge, after the run invalidated it",
    CACHE: "a cache: it may be older than the site",
    S3: "S3",
}


def table(name: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table that is scrollable by keyboard; columns of numbers, except the first, are right-aligned."""

    def cell(index: int, text: str) -> str:
        kind = "n" if index and text[:1].isdigit() else "url" if "://" in text else ""
        return f'<td class="{kind}">{escape(text)}</td>'

    all_rows = list(rows)
    right = [index > 0 and all(row[index][:1].isdigit() for row in all_rows) for index in range(len(heads))]
    head = "".join(
        f'<th scope=col class="{"n" if right[index] else ""}">{escape(text)}</th>' for index, text in enumerate(heads)
    )
    body = "".join(f"<tr>{''.join(cell(i, text) for i, text in enumerate(row))}</tr>" for row in all_rows)
    region = f'<div class=scroll tabindex=0 role=region aria-label="{escape(name)}">'
    return f"{region}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def left_out(sources: Sequence[dict[str, Any]]) -> Iterable[str]:
    """Yield what the run left out of its sources."""
    rows = [
        (source["source"], f"{each['count']:,}", "skipped" if each["skipped"] else "left out", each["reason"],
         ", ".join(each["examples"]))
        for source in sources
        for each in source["leftOut"]
    ]  # fmt: skip
    if rows:
        heads = ("Source", "Entries", "", "Reason", "Such as")
        yield "<h2>Not taken from the sources</h2>" + table("Not taken from the sources", heads, rows)


def documents(sources: Sequence[dict[str, Any]]) -> Iterable[str]:
    """Yield the documents that the run read, with their cache headers."""
    rows = [
        (source["source"], each["url"], each["xCache"], "" if each["age"] is None else f"{each['age']:,} s",
         DOCUMENT_ORIGINS[each["origin"]])
        for source in sources
        for each in source.get("documents", ())
    ]  # fmt: skip
    rows += [
        (source["source"], f"and {more:,} more", "", "", "")
        for source in sources
        if (more := source.get("documentsRead", 0) - len(source.get("documents", ())))
    ]
    if rows:
        heads = ("Source", "Document", "X-Cache", "Age", "From")
        yield "<h2>Documents of the sources</h2>" + table("Documents of the sources", heads, rows)
