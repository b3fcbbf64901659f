"""The SQL of a log's records: their values, why each is demand or not, and their counts by URL and POP. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prewarm.catalogue import POP_PATTERN
from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.log_encoding import decoded, encode_as_logged
from prewarm_cli.traffic.log_fields import POP_FIELD, host_of, is_https, path_of, whole_number

if TYPE_CHECKING:
    from prewarm_cli.traffic.log_fields import Fields
    from prewarm_cli.traffic.selection import Selection

DEMAND, DAMAGED = "demand", "damaged"
# Statuses that show demand for a cacheable object, and 404, which shows that a URL is out of date.
STATUSES = ("200", "206", "304", "404")


def insert_statement(
    fields: Fields, selection: Selection, relation: str, parameters: dict[str, Any], *, weighted: bool
) -> str:
    """Return the statement that adds a relation's records to `seen`; it fills in the parameters.

    The records are grouped by their values as the log has them, so that what takes time is done once for a group:
    2 million lines have half a million groups.
    """
    weight = 100.0 / selection.sampling_rate if weighted and selection.sampling_rate else 1.0
    site = f"{host_of('host')} || path"
    if selection.separate_protocols:
        site = f"(CASE WHEN https THEN 'https://' ELSE 'http://' END) || {site}"
    demand = f"category = '{DEMAND}'"
    return f"""
INSERT INTO seen
SELECT category, CASE WHEN {demand} THEN {decoded("raw")} ELSE '' END AS site,
    CASE WHEN category IN ('{DEMAND}', 'pop', '{DAMAGED}') THEN place ELSE '' END AS pop,
    lines, CASE WHEN status = '404' THEN 0 ELSE lines * {weight!r} END AS requests,
    CASE WHEN https THEN lines ELSE 0 END AS https, CASE WHEN status = '200' THEN coalesce(bytes, 0) ELSE 0 END,
    CASE WHEN status = '200' THEN lines ELSE 0 END, CASE WHEN status = '206' THEN lines ELSE 0 END,
    CASE WHEN status = '404' THEN lines ELSE 0 END, coalesce(reach, 0),
    CASE WHEN status <> '404' THEN last_time END, CASE WHEN status = '404' THEN last_time END, first_time, last_time
FROM (
    SELECT *, {_category_of_group()} AS category, {site} AS raw
    FROM (
        SELECT status, https, host, path, place, count(*) AS lines, max(bytes) AS bytes,
            max(reach) AS reach, min(moment) AS first_time, max(moment) AS last_time
        FROM (
            SELECT bytes, reach, moment, CASE WHEN {demand} THEN status ELSE category END AS status,
                {demand} AND {is_https("protocol")} AS https,
                CASE WHEN {demand} THEN host ELSE '' END AS host, CASE WHEN {demand} THEN path ELSE '' END AS path,
                CASE WHEN {demand} THEN pop WHEN category = '{DAMAGED}' THEN file_name ELSE '' END AS place
            FROM {_records(fields, selection, relation, parameters)}
        )
        GROUP BY status, https, host, path, place
    )
)"""


def damaged_statement(fields: Fields, selection: Selection, relation: str, parameters: dict[str, Any]) -> str:
    """Return the query of `file_name` of a relation's damaged records; it fills in the parameters."""
    records = _records(fields, selection, relation, parameters)
    return f"SELECT file_name FROM {records} WHERE category = '{DAMAGED}' ORDER BY file_name"


def _records(fields: Fields, selection: Selection, relation: str, parameters: dict[str, Any]) -> str:
    """Return the subquery of a relation's records with their categories."""
    host = fields.host
    if host is None:
        if len(selection.hosts) != 1:
            raise CommandFailed(
                "the logs lack the host (x-host-header or cs(Host)); pass it as --host www.example.com, once"
            )
        parameters["host"] = selection.hosts[0]
        host = "$host"
    time, status = fields.time or "CAST(NULL AS TIMESTAMP)", fields.status or "'200'"
    if fields.time is None and (selection.since or selection.until):
        raise CommandFailed("the logs have no date and time, which --since and --until need; leave those out")
    size, end = (whole_number(each) if each else "CAST(NULL AS BIGINT)" for each in (fields.bytes, fields.range_end))
    casts = "".join(f"{expression} AS {name}, " for name, expression in fields.casts.items())
    return f"""(
    SELECT *, {_category(fields, selection, parameters)} AS category
    FROM (
        SELECT {fields.pop} AS pop, {host} AS host, {path_of(fields)} AS path, {time} AS moment, {status} AS status,
            {fields.protocol or "'https'"} AS protocol, {fields.method or "'GET'"} AS method,
            {fields.agent or "''"} AS agent, file_name, {size} AS bytes, {end} + 1 AS reach
        FROM (SELECT {casts}* FROM {relation})
    )
)"""


def _category(fields: Fields, selection: Selection, parameters: dict[str, Any]) -> str:
    """Return the SQL of why a record is not demand, or `demand`."""
    # The usual statuses need no regular expression, which would take a tenth of the time.
    odd = f"CASE WHEN status IN ({', '.join(map(repr, STATUSES))}) THEN false ELSE "
    odd += "NOT coalesce(regexp_full_match(status, '[0-9]{3}'), false) END"
    damaged = ["pop IS NULL", "host IS NULL", "path IS NULL", odd]
    damaged += ["moment IS NULL"] if fields.time else []
    cases = [(f"pop = '{POP_FIELD}'", "header"), (" OR ".join(damaged), DAMAGED)]
    for name, sign, limit in (("since", "<", selection.since), ("until", ">=", selection.until)):
        if limit:
            parameters[name] = limit
            cases.append((f"moment {sign} ${name}", "period"))
    if selection.hosts:
        # A viewer may send the name with its final dot; the URL of both is the same.
        parameters["hosts"] = [*selection.hosts, *(f"{host}." for host in selection.hosts)]
        cases.append((f"NOT list_contains($hosts, {host_of('host')})", "host"))
    if fields.agent:
        agents = [encode_as_logged(agent).lower() for agent in selection.agents]
        parameters |= {f"agent{number}": agent for number, agent in enumerate(agents)}
        cases.append((" OR ".join(_has_agent(number, agent) for number, agent in enumerate(agents)), "own"))
    cases.append(("method <> 'GET'", "method"))
    cases.append((f"status NOT IN ({', '.join(map(repr, STATUSES))})", "status"))
    lines = " ".join(f"WHEN {condition} THEN '{name}'" for condition, name in cases)
    return f"CASE {lines} ELSE '{DEMAND}' END"


def _has_agent(number: int, agent: str) -> str:
    """Return the condition that the User-Agent contains the text of a parameter, in lower case."""
    contained = f"contains(lower(agent), $agent{number})"
    # Few browsers have a hyphen, and lower case of all of them takes five times as long as this test.
    return f"(contains(agent, '-') AND {contained})" if "-" in agent else contained


def _category_of_group() -> str:
    """Return the SQL of a group's category: that of its records, unless the path or the POP of demand is invalid.

    A group of demand has its status, another one its category in the place of it.
    """
    return (
        f"CASE WHEN status NOT IN ({', '.join(map(repr, STATUSES))}) THEN status "
        f"WHEN NOT starts_with(path, '/') THEN 'url' "
        f"WHEN NOT regexp_full_match(place, '{POP_PATTERN.pattern}') THEN 'pop' ELSE '{DEMAND}' END"
    )
