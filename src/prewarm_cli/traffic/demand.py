"""From the counts of the logs to ranked pairs: what cannot be warmed is left out, the rest is put in order.

Tables, in the order in which they are made: `seen` (scan.py), `objects` (one row per URL), `judged` (URLs that are
refused, excluded or written in another form), `demand` (URL, POP, requests, bytes), `ranked` (the same, in order:
its row number is the rank). Python holds no pair; DuckDB moves to the disk what exceeds its memory.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prewarm.request.path_pattern import PathPattern
from prewarm.request.url_parser import parse_url
from prewarm_cli.traffic.log_encoding import literal
from prewarm_cli.traffic.records import DEMAND

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from prewarm_cli.traffic.selection import Selection

CHUNK = 20_000
EXAMPLES = 5
# URLs that parse_url returns as they are; RE2 has no possessive quantifiers, so this is its pattern written again. An
# encoded dot (`%2E`) may be a dot segment, which parse_url decides.
LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
TAIL = "(?:[A-Za-z0-9_~!$&()+,;=:@./-]|%(?:[013-9A-Fa-f][0-9A-Fa-f]|2[0-9A-DFa-df]))*"
PLAIN = rf"https?://(?:{LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?/{TAIL}(?:\?{TAIL})?"
LONGEST_PLAIN = 8_000

# Why URLs with demand are left out, in words.
REASONS = {
    "gone": "out of date: the last response of every POP was a 404",
    "ranges": "seen only as ranges (206): pass --ranges-as-whole or --max-bytes to warm them",
    "size": "larger than --max-bytes",
    "refused": "URLs that cannot be warmed",
    "pattern": "left out by --include or --exclude",
}


@dataclass
class LeftOut:
    """URLs with demand that are not targets, for one reason: their number, requests and first examples."""

    urls: int
    requests: int
    examples: list[str]


@dataclass
class Demand:
    """What the logs say: lines by category, demand and its period, URLs left out by reason."""

    lines: int
    categories: dict[str, int]
    requests: int
    since: datetime | None
    until: datetime | None
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    odd_pops: list[str] = field(default_factory=list)
    not_kept: dict[str, int] = field(default_factory=dict)


def summed(connection: DuckDBPyConnection) -> Demand:
    """Return the counts of all records that were read, and merge those of several scans."""
    rows = connection.execute("SELECT category, sum(lines), sum(requests) FROM seen GROUP BY category").fetchall()
    lines = {category: int(count) for category, count, _ in rows if category != "header"}
    requests = next((int(count) for category, _, count in rows if category == DEMAND), 0)
    first, last = connection.execute(
        "SELECT min(first_time), max(last_time) FROM seen WHERE category = ?", [DEMAND]
    ).fetchall()[0]
    pops = connection.execute("SELECT DISTINCT pop FROM seen WHERE category = 'pop' ORDER BY pop LIMIT 20").fetchall()
    not_kept = {name: count for name, count in lines.items() if name != DEMAND}
    return Demand(
        sum(lines.values()), lines, requests, first, last, odd_pops=[row[0] for row in pops], not_kept=not_kept
    )


def judge(connection: DuckDBPyConnection, selection: Selection, demand: Demand, folder: Path) -> None:
    """Make `demand` of `seen`; record in `demand.left_out` what is not a target."""
    connection.execute(
        "CREATE TABLE merged AS SELECT site, pop, CAST(round(sum(requests)) AS BIGINT) AS requests, "
        "sum(https) AS https, max(bytes) AS bytes, sum(whole) AS whole, sum(partial) AS partial, "
        "sum(gone) AS gone, max(reach) AS reach, "
        "sum(gone) > 0 AND (sum(requests) = 0 OR coalesce(max(last_gone) > max(last_ok), false)) AS is_gone "
        f"FROM seen WHERE category = '{DEMAND}' GROUP BY site, pop"
    )
    connection.execute("DROP TABLE seen")
    scheme = (
        "" if selection.separate_protocols else "(CASE WHEN sum(https) > 0 THEN 'https://' ELSE 'http://' END) || "
    )
    kept = "true" if selection.ranges_as_whole else "coalesce(max(reach) BETWEEN 1 AND $max_bytes, false)"
    connection.execute(
        f"CREATE TABLE objects AS SELECT site, {scheme}site AS url, sum(requests) AS requests, max(bytes) AS bytes, "
        "CASE WHEN bool_and(is_gone) THEN 'gone' "
        f"WHEN sum(whole) = 0 AND sum(partial) > 0 AND NOT {kept} THEN 'ranges' "
        "WHEN max(bytes) > $max_bytes THEN 'size' END AS reason FROM merged GROUP BY site",
        {"max_bytes": selection.max_bytes},
    )
    _judge_urls(connection, selection, folder)
    named = (
        "SELECT o.url, o.requests, coalesce(o.reason, j.reason) AS why FROM objects o LEFT JOIN judged j USING (url)"
    )
    for reason, urls, requests in connection.execute(
        f"SELECT why, count(*), sum(requests) FROM ({named}) WHERE why IS NOT NULL GROUP BY why"
    ).fetchall():
        examples = connection.execute(
            f"SELECT url FROM ({named}) WHERE why = ? ORDER BY requests DESC, url LIMIT {EXAMPLES}",
            [reason],
        ).fetchall()
        demand.left_out[reason] = LeftOut(int(urls), int(requests), [row[0] for row in examples])
    connection.execute(
        "CREATE TABLE demand AS SELECT coalesce(j.fetched, o.url) AS url, m.pop AS pop, m.requests AS requests, "
        "CASE WHEN m.bytes > 0 THEN m.bytes ELSE o.bytes END AS bytes "
        "FROM merged m JOIN objects o USING (site) LEFT JOIN judged j USING (url) "
        "WHERE o.reason IS NULL AND j.reason IS NULL AND m.requests > 0"
    )
    respelled = connection.execute("SELECT count(fetched) FROM judged").fetchall()[0][0]
    if respelled:
        # Two spellings of a URL may be fetched in one form.
        connection.execute(
            "CREATE OR REPLACE TABLE demand AS SELECT url, pop, CAST(sum(requests) AS BIGINT) AS requests, "
            "max(bytes) AS bytes FROM demand GROUP BY url, pop"
        )
    connection.execute("DROP TABLE merged")


def is_plain(url: str) -> str:
    """Return the SQL condition that parse_url returns a URL as it is; it is false for some of these too."""
    return (
        f"regexp_full_match({url}, {literal(PLAIN)}) AND NOT contains({url}, '/.') AND NOT contains({url}, '--') "
        f"AND length({url}) <= {LONGEST_PLAIN} AND length(split_part({url}, '/', 3)) <= 253"
    )


def _judge_urls(connection: DuckDBPyConnection, selection: Selection, folder: Path) -> None:
    """Make `judged`: URLs that the parser refuses or writes in another form, or that the patterns leave out."""
    include = [PathPattern(pattern) for pattern in selection.include]
    exclude = [PathPattern(pattern) for pattern in selection.exclude]
    rows = connection.cursor().execute(
        f"SELECT url FROM objects WHERE reason IS NULL AND ($all OR NOT ({is_plain('url')}))",
        {"all": bool(include or exclude)},
    )
    path = folder / "judged.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        while chunk := rows.fetchmany(CHUNK):
            for (url,) in chunk:
                try:
                    parsed = parse_url(url)
                except ValueError:
                    writer.writerow((url, "refused", ""))
                    continue
                if (include and not any(each.matches(parsed) for each in include)) or any(
                    each.matches(parsed) for each in exclude
                ):
                    writer.writerow((url, "pattern", ""))
                elif parsed.fetch != url:
                    writer.writerow((url, "", parsed.fetch))
    connection.execute(
        "CREATE TABLE judged AS SELECT url, nullif(reason, '') AS reason, nullif(fetched, '') AS fetched "
        "FROM read_csv($path, header=false, auto_detect=false, quote='\"', escape='\"', delim=',', "
        "max_line_size=4000000, columns={'url': 'VARCHAR', 'reason': 'VARCHAR', 'fetched': 'VARCHAR'})",
        {"path": str(path)},
    )
    path.unlink()
