"""The fields of CloudFront's access logs, and the SQL that reads them. Pure.

Sources: CloudFront Developer Guide, "Standard logging reference", "Configure standard logging (v2)", "Use real-time
access logs". Three things differ between the kinds of logs:

- the viewer's Host is `x-host-header` in standard logs, whose `cs(Host)` is the distribution's domain; in real-time
  logs it is `cs-host`, and `x-host-header` is the distribution's domain;
- real-time logs have the query in `cs-uri-stem` too;
- the time is `date` and `time`, or `timestamp` in seconds (real-time), or `timestamp(ms)`.

SQL contains names of this module, positions and quoted identifiers, never a text of a log or of an option.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prewarm.targets_csv import MOST_COUNT
from prewarm_cli.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POP_FIELD = "x-edge-location"
# Field names by what they say, in the order in which they are preferred.
HOST_FIELDS = ("cs-host", "x-host-header", "cs(host)")
STEM, QUERY, METHOD, STATUS = "cs-uri-stem", "cs-uri-query", "cs-method", "sc-status"
BYTES, PROTOCOL, RANGE_END = "sc-bytes", "cs-protocol", "sc-range-end"
AGENT_FIELDS = ("cs(user-agent)", "cs-user-agent")
DATE, TIME, SECONDS, MILLISECONDS = "date", "time", "timestamp", "timestamp(ms)"
# Parquet has underscores where the other formats have hyphens and brackets (Athena User Guide, "Create a table for
# CloudFront logs in Athena using manual partitioning with Parquet").
PARQUET_NAMES = {"cs_host": "cs(host)", "cs_user_agent": "cs(user-agent)", "timestamp_ms": MILLISECONDS}
KNOWN = frozenset(
    {POP_FIELD, *HOST_FIELDS, *AGENT_FIELDS, STEM, QUERY, METHOD, STATUS, BYTES, PROTOCOL, RANGE_END, DATE, TIME}
    | {SECONDS, MILLISECONDS, "c-ip", "x-edge-result-type", "x-edge-request-id", "time-taken", "cs-bytes"}
)
# The casts that the time of standard logs needs more than once.
CASTS = {"log_day": (DATE, "DATE"), "log_time": (TIME, "TIME")}
# Seconds of the years 2000 to 2999: other times are damage, and conversions of them may fail.
FIRST_SECOND, LAST_SECOND = 946_684_800, 32_503_679_999


@dataclass(frozen=True, slots=True)
class Fields:
    """SQL expressions of one log's values, as text; None where the log lacks the field.

    `casts`: expressions by the names under which `time` uses them.
    """

    pop: str
    host: str | None
    stem: str
    query: str | None
    method: str | None
    status: str | None
    bytes: str | None
    range_end: str | None
    protocol: str | None
    agent: str | None
    time: str | None
    casts: dict[str, str] = field(default_factory=dict)

    def missing(self) -> list[str]:
        """Return what the log cannot say, in words that complete "the logs lack …"."""
        parts = {
            "the User-Agent (cs(User-Agent)), so requests of this service count as demand": self.agent,
            "the method (cs-method), so every method counts as GET": self.method,
            "the status (sc-status), so errors count as demand": self.status,
            "the bytes (sc-bytes), so sizes and transfer are unknown": self.bytes,
            "the protocol (cs-protocol), so every URL is https": self.protocol,
            "the time (date and time), so the period is unknown": self.time,
            "the query string (cs-uri-query), so URLs have none": self.query,
        }
        return [text for text, expression in parts.items() if expression is None]


def canonical(name: str, *, parquet: bool = False) -> str:
    """Return a field's name in lower case, with the spelling of the other formats if it is a Parquet column."""
    lower = name.strip().lower()
    if not parquet:
        return lower
    return PARQUET_NAMES.get(lower, lower if lower == MILLISECONDS else lower.replace("_", "-"))


def text_of(column: str, kind: str) -> str:
    """Return the SQL of a Parquet column as the text that the other formats have.

    `kind`: its type in DuckDB. Dates, times and numbers have types of their own where logs were converted.
    """
    name, value_of = canonical(column, parquet=True), identifier(column)
    if kind.startswith("TIMESTAMP"):
        # Without a zone: DuckDB's conversion of those with one needs an extension.
        moment = f"make_timestamp(epoch_us({value_of}))"
        value_of = {
            DATE: f"CAST({moment} AS DATE)",
            TIME: f"CAST({moment} AS TIME)",
            SECONDS: f"epoch_us({moment}) / 1e6",
            MILLISECONDS: f"epoch_ms({moment})",
        }.get(name, value_of)
    elif kind == "TIME WITH TIME ZONE":
        value_of = f"CAST({value_of} AS TIME)"
    elif kind in {"FLOAT", "DOUBLE"} or kind.startswith("DECIMAL"):
        # Whole numbers, since a column with empty values has become one of fractions.
        return f"regexp_replace(CAST({value_of} AS VARCHAR), '[.]0+$', '')"
    return f"CAST({value_of} AS VARCHAR)"


def fields_of(columns: Mapping[str, str], *, real_time: bool, source: str) -> Fields:
    """Return the expressions of a log whose canonical field names map to SQL expressions of VARCHAR.

    `real_time`: the query may be part of the stem; `source` names the file in the error.

    Raises:
        CommandFailed: the log lacks the POP or the path.

    """
    if lacking := [name for name in (POP_FIELD, STEM) if name not in columns]:
        raise CommandFailed(
            f"{source}: its fields lack {' and '.join(lacking)}; add {'it' if len(lacking) == 1 else 'them'} to the "
            "fields of the distribution's logs, or correct --fields"
        )
    host = f"coalesce({', '.join(value(columns[name]) for name in HOST_FIELDS if name in columns)})"
    query = columns.get(QUERY)
    agents = [columns[name] for name in AGENT_FIELDS if name in columns]
    return Fields(
        pop=value(columns[POP_FIELD]),
        host=host if host != "coalesce()" else None,
        stem=columns[STEM],
        # Real-time logs without the field have the query in the stem.
        query=value(query) if query else "NULL" if real_time else None,
        method=columns.get(METHOD),
        status=columns.get(STATUS),
        bytes=columns.get(BYTES),
        range_end=columns.get(RANGE_END),
        protocol=columns.get(PROTOCOL),
        agent=agents[0] if agents else None,
        time=_time(columns),
        casts={name: f"try_cast({columns[of]} AS {kind})" for name, (of, kind) in CASTS.items()}
        if _has_clock(columns)
        else {},
    )


def value(expression: str) -> str:
    """Return the SQL of a value that is NULL where the log has a hyphen or nothing."""
    return f"nullif(nullif({expression}, '-'), '')"


def host_of(expression: str) -> str:
    """Return the SQL of a host in lower case, without its port."""
    # Few hosts have a port, and dividing them all takes as long as the path and the query.
    return f"lower(CASE WHEN contains({expression}, ':') THEN split_part({expression}, ':', 1) ELSE {expression} END)"


def is_https(protocol: str) -> str:
    """Return the SQL that is true unless the log says `http` or `ws`, in DuckDB's and in Athena's dialect."""
    return f"coalesce({protocol} NOT IN ('http', 'ws'), true)"


def whole_number(expression: str, most: int = MOST_COUNT) -> str:
    """Return the SQL of a number, in DuckDB's and in Athena's dialect; NULL for other texts and numbers out of range.

    The limit is that of the CSV of targets: a damaged number would have the service refuse the whole list.
    """
    # A hyphen is the usual value of some fields, and a cast that fails takes ten times as long as one that does not.
    number = f"TRY_CAST(nullif({expression}, '-') AS BIGINT)"
    return f"(CASE WHEN {number} BETWEEN 0 AND {most} THEN {number} END)"


def path_of(fields: Fields) -> str:
    """Return the SQL of path and query, as the log has them."""
    path = fields.stem
    if fields.query:
        path = (
            f"(CASE WHEN {fields.query} IS NULL OR contains({path}, '?') THEN {path} "
            f"ELSE {path} || '?' || {fields.query} END)"
        )
    return path


def identifier(name: str) -> str:
    """Return a name as a quoted identifier of standard SQL."""
    return '"' + name.replace('"', '""') + '"'


def _has_clock(columns: Mapping[str, str]) -> bool:
    return DATE in columns and TIME in columns


def _time(columns: Mapping[str, str]) -> str | None:
    if _has_clock(columns):
        day, clock = columns[DATE], columns[TIME]
        # A cast accepts shorter times, as a cut value has, other zones, and years that no other code accepts. What it
        # gives back as it was is right; this takes half of the time of patterns.
        return (
            f"(CASE WHEN CAST(log_day AS VARCHAR) = {day} "
            "AND log_day BETWEEN DATE '2000-01-01' AND DATE '2999-12-31' "
            f"AND (CASE WHEN CAST(log_time AS VARCHAR) = {clock} THEN true "
            f"ELSE regexp_full_match({clock}, '..:..:..[.][0-9]+') END) THEN log_day + log_time END)"
        )
    for name, factor in ((SECONDS, 1), (MILLISECONDS, 1000)):
        if name in columns:
            number = f"try_cast({columns[name]} AS DOUBLE)"
            whole = f"{number} BETWEEN {FIRST_SECOND * factor} AND {LAST_SECOND * factor}"
            return f"make_timestamp(CAST(CASE WHEN {whole} THEN {number} * {1_000_000 // factor} END AS BIGINT))"
    return None


def named_fields(names: Sequence[str]) -> tuple[str, ...]:
    """Return the field names of --fields, checked.

    Raises:
        CommandFailed: a name appears twice, or none is a field of CloudFront's logs.

    """
    fields = tuple(canonical(name) for name in names if name.strip())
    if twice := sorted({name for name in fields if fields.count(name) > 1}):
        raise CommandFailed(f"--fields: {', '.join(twice)} appears twice; list each field once, in the logs' order")
    if not KNOWN.intersection(fields):
        raise CommandFailed(
            f"--fields: {', '.join(names)!r} has no field of CloudFront's logs; use names such as {POP_FIELD},{STEM}"
        )
    return fields
