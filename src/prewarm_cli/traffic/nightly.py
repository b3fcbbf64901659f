"""The query of the nightly example: Athena writes its result as a list of targets that the service reads.

It shares records and categories with the query of `prewarm traffic --athena`, and cuts the pairs at a share of the
requests by window functions. `${…}` are parameters that CloudFormation fills in; their patterns in
examples/nightly-traffic/template.yaml admit no quote. `python -m tools.nightly_query` writes the query there.
"""

from __future__ import annotations

from prewarm_cli.traffic.athena import judged
from prewarm_cli.traffic.demand import LABEL
from prewarm_cli.traffic.log_encoding import literal
from prewarm_cli.traffic.records import DEMAND
from prewarm_cli.traffic.selection import Selection

# The last whole days: CloudFront may deliver a day's logs until the end of the next.
DAYS = (
    "CAST(\"date\" AS varchar) >= CAST(CAST(current_date - INTERVAL '${Days}' DAY AS date) AS varchar) "
    'AND CAST("date" AS varchar) < CAST(current_date AS varchar)'
)
HOSTS = "'${Hosts}' <> '' AND NOT contains(split('${Hosts}', ','), host)"
AGENT = "'${ExcludeAgent}' <> '' AND strpos(lower(agent), lower('${ExcludeAgent}')) > 0"
# URLs that the service takes; a list with another one would be refused as a whole.
SIGNS = r"""(?:[A-Za-z0-9_~!$&()+,;=:@./'|\[\]-]|%[0-9A-Fa-f][0-9A-Fa-f])*"""
SITE = rf"(?:{LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?/{SIGNS}(?:\?(?:{SIGNS}|[?`{{}}^])*)?"
DOTS = r"(?i)/(?:\.|%2e){1,2}(?:[/?]|$)"
LONGEST_SITE, LONGEST_HOST = 8_000, 253


def query() -> str:
    """Return the query, whose result has the columns url, pop, requests and bytes, the busiest pairs first."""
    common = judged(
        '"${Database}"."${Table}"', f"\n    WHERE {DAYS}", Selection(), more=[(HOSTS, "host"), (AGENT, "own")]
    )
    fits = (
        f"length(site) <= {LONGEST_SITE} AND length(split_part(site, '/', 1)) <= {LONGEST_HOST} "
        f"AND regexp_like(site, {literal('^' + SITE + '$')}) AND NOT regexp_like(site, {literal(DOTS)})"
    )
    return f"""{common}, pairs AS (
    SELECT
        host || path AS site,
        pop,
        count_if(status <> '404') AS requests,
        count_if(https) AS https,
        coalesce(max(CASE WHEN status = '200' THEN bytes END), 0) AS bytes,
        count_if(status = '200') AS whole,
        count_if(status = '206') AS partial,
        max(CASE WHEN status <> '404' THEN moment END) AS last_ok,
        max(CASE WHEN status = '404' THEN moment END) AS last_gone
    FROM judged
    WHERE category = '{DEMAND}'
    GROUP BY host || path, pop
), sites AS (
    SELECT
        site,
        CASE WHEN sum(https) > 0 THEN 'https://' ELSE 'http://' END || site AS url,
        max(bytes) AS largest
    FROM pairs
    WHERE {fits}
    GROUP BY site
    HAVING NOT (sum(whole) = 0 AND sum(partial) > 0)
        AND NOT bool_and(last_gone IS NOT NULL AND (last_ok IS NULL OR last_gone > last_ok))
), ranked AS (
    SELECT
        sites.url AS url,
        pairs.pop AS pop,
        pairs.requests AS requests,
        CASE WHEN pairs.bytes > 0 THEN pairs.bytes ELSE sites.largest END AS bytes,
        row_number() OVER (ORDER BY pairs.requests DESC, sites.url, pairs.pop) AS place,
        sum(pairs.requests) OVER (
            ORDER BY pairs.requests DESC, sites.url, pairs.pop ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS carried,
        sum(pairs.requests) OVER () AS everything
    FROM pairs
    INNER JOIN sites ON sites.site = pairs.site
    WHERE pairs.requests > 0
)
SELECT url, pop, requests, bytes
FROM ranked
WHERE (carried - requests) * 100 < everything * ${{Cover}} AND place <= ${{MostPairs}}
ORDER BY place"""
