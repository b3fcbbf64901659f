"""Project the demand of yesterday's URLs onto a new list, as a deploy changes names.

A new URL takes the demand, by POP, of the first of these that the logs have: itself; the URLs of its host whose path
is the same without hashes, numbers and query; the mean of the URLs of its host with its extension; the mean of its
host.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from prewarm.request.url_parser import parse_url
from prewarm_cli.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from duckdb import DuckDBPyConnection

# Parts of a path that a build changes: runs of letters and digits with a digit in them (hashes in hexadecimal and
# base 32, versions), then hashes of letters only, which stand before the extension: of mixed case, or of eight
# upper-case letters as esbuild writes them.
MACROS = (
    "CREATE OR REPLACE MACRO host_of(url) AS split_part(url, '/', 3)",
    (
        "CREATE OR REPLACE MACRO path_of(url) AS split_part(substr(url, length(split_part(url, '/', 3)) "
        "+ position('://' IN url) + 3), '?', 1)"
    ),
    (
        "CREATE OR REPLACE MACRO pattern_of(url) AS regexp_replace(regexp_replace(path_of(url), "
        "'[A-Za-z]*[0-9][A-Za-z0-9]*', '#', 'g'), "
        "'([-._])(?:[A-Za-z_#]*(?:[a-z][A-Z]|[A-Z][A-Z][a-z])[A-Za-z_#]*|[A-Z]{8}|#)"
        "([-_#][A-Za-z_#-]*)?(\\.[a-z#]+)$', "
        "'\\1#\\3')"
    ),
    "CREATE OR REPLACE MACRO extension_of(url) AS lower(regexp_extract(path_of(url), '\\.([A-Za-z0-9]+)$', 1))",
)
BY = {1: "a path that differs in hashes and numbers", 2: "the extension", 3: "the host"}


def new_urls(lines: Iterable[str], name: str) -> list[str]:
    """Return the URLs of a list in the form in which they are fetched, each once; # begins a comment line.

    Raises:
        CommandFailed: a line is not a URL that can be warmed, or there is none.

    """
    found: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            found.setdefault(parse_url(text).fetch)
        except ValueError as error:
            raise CommandFailed(f"--urls: {name}:{number}: {error}") from error
    if not found:
        raise CommandFailed(f"--urls: {name} has no URL; write one per line")
    return list(found)


def project(connection: DuckDBPyConnection, urls: list[str], folder: Path) -> dict[str, int]:
    """Replace the table `demand` by the demand of new URLs; return how many took theirs from where.

    The keys are `themselves`, the values of `BY`, and `nothing`: such a URL has no counterpart and no target.
    """
    path = folder / "new_urls.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([url] for url in urls)
    for macro in MACROS:
        connection.execute(macro)
    connection.execute(
        "CREATE TABLE listed AS SELECT url, host_of(url) AS host, pattern_of(url) AS pattern, "
        "extension_of(url) AS extension FROM read_csv($path, header=false, auto_detect=false, quote='\"', "
        "escape='\"', delim=',', columns={'url': 'VARCHAR'})",
        {"path": str(path)},
    )
    path.unlink()
    # Only hosts of the list can match.
    connection.execute(
        "CREATE TABLE old AS SELECT url, host_of(url) AS host, pattern_of(url) AS pattern, "
        "extension_of(url) AS extension, pop, requests, bytes FROM demand "
        "WHERE host_of(url) IN (SELECT host FROM listed)"
    )
    connection.execute(
        "CREATE TABLE matched AS SELECT url, host, pattern, extension, CASE "
        "WHEN url IN (SELECT url FROM old) THEN 0 "
        "WHEN (host, pattern) IN (SELECT (host, pattern) FROM old) THEN 1 "
        "WHEN extension <> '' AND (host, extension) IN (SELECT (host, extension) FROM old) THEN 2 "
        "WHEN host IN (SELECT host FROM old) THEN 3 END AS level FROM listed"
    )
    # By path, as many new URLs as there are share the demand of the old ones; by extension and host it is the mean of
    # the old ones, since a new file is one among many.
    parts = [
        (
            "SELECT n.url, o.pop, CAST(o.requests AS DOUBLE) AS requests, o.bytes FROM matched n "
            "JOIN old o USING (url) WHERE n.level = 0"
        ),
        (
            "SELECT n.url, o.pop, o.requests / s.names, o.bytes FROM matched n "
            "JOIN (SELECT host, pattern, pop, sum(requests) AS requests, max(bytes) AS bytes FROM old "
            "GROUP BY ALL) o "
            "ON n.host = o.host AND n.pattern = o.pattern "
            "JOIN (SELECT host, pattern, count(*) AS names FROM matched WHERE level = 1 GROUP BY ALL) s "
            "ON n.host = s.host AND n.pattern = s.pattern WHERE n.level = 1"
        ),
        _means("extension", 2),
        _means("host", 3),
    ]
    connection.execute(
        "CREATE OR REPLACE TABLE demand AS SELECT url, pop, "
        "CAST(greatest(1, round(p.requests)) AS BIGINT) AS requests, "
        f"CAST(bytes AS BIGINT) AS bytes FROM ({' UNION ALL '.join(parts)}) AS p "
        # Among many old files a mean may be less than half a request at each POP; the URL keeps the busiest of them.
        "QUALIFY p.requests >= 0.5 OR row_number() OVER (PARTITION BY url ORDER BY p.requests DESC, pop) = 1"
    )
    rows = connection.execute("SELECT coalesce(level, 4), count(*) FROM matched GROUP BY 1 ORDER BY 1").fetchall()
    names = {0: "themselves", **BY, 4: "nothing"}
    for table in ("listed", "old", "matched"):
        connection.execute(f"DROP TABLE {table}")
    return {names[level]: int(count) for level, count in rows}


def _means(level: str, number: int) -> str:
    """Return the query of the mean demand by POP of the old URLs of a host, or of an extension in it."""
    keys = "host" if level == "host" else "host, extension"
    same = " AND ".join(f"n.{key} = o.{key}" for key in keys.split(", "))
    counted = " AND ".join(f"n.{key} = c.{key}" for key in keys.split(", "))
    return (
        f"SELECT n.url, o.pop, o.requests / c.names, o.bytes FROM matched n "
        f"JOIN (SELECT {keys}, pop, sum(requests) AS requests, avg(bytes) AS bytes FROM old GROUP BY {keys}, pop) o "
        f"ON {same} JOIN (SELECT {keys}, count(DISTINCT url) AS names FROM old GROUP BY {keys}) c ON {counted} "
        f"WHERE n.level = {number}"
    )
