"""The smallest set of pairs that carries a share of the requests, and the curve of all shares."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prewarm.catalogue import catalogue
from prewarm.planning.batching import MAX_TARGETS_PER_BATCH
from prewarm.planning.cost import Work, estimate, price_region

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from duckdb import DuckDBPyConnection

# The shares of the curve, in percent of the requests.
CURVE = (50.0, 80.0, 90.0, 95.0, 99.0)
CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Coverage:
    """The first pairs of the ranking: the share they were asked for, and what they are.

    `percent` is None for a set that --most-pairs limits; `share` is the percentage that they carry.
    """

    percent: float | None
    pairs: int
    urls: int
    pops: int
    requests: int
    share: float
    dollars: float


class Ranking:
    """The pairs in the order of their requests, in the table `ranked` that this makes of `demand`.

    Pairs of as many requests are in an order that the same logs always give.
    """

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._connection = connection
        connection.execute("SET preserve_insertion_order = true")
        connection.execute(
            "CREATE TABLE ranked AS SELECT url, pop, requests, bytes FROM demand "
            "ORDER BY requests DESC, hash(url), url, pop"
        )
        connection.execute("DROP TABLE demand")
        self._steps = [
            (int(requests), int(pairs))
            for requests, pairs in connection.execute(
                "SELECT requests, count(*) FROM ranked GROUP BY requests ORDER BY requests DESC"
            ).fetchall()
        ]
        self.pairs = sum(pairs for _, pairs in self._steps)
        self.requests = sum(requests * pairs for requests, pairs in self._steps)

    def pairs_for(self, percent: float) -> int:
        """Return the smallest number of pairs that carries a percentage of the requests."""
        # Rounded up in whole requests, and one at least; the tolerance keeps 95 % of 100 at 95.
        needed = max(1, math.ceil(self.requests * percent / 100 - 1e-9 * self.requests))
        if percent >= 100:  # noqa: PLR2004 - percent; the tolerance may be some requests
            return self.pairs
        pairs = carried = 0
        for requests, count in self._steps:
            if carried >= needed:
                break
            taken = min(count, math.ceil((needed - carried) / requests))
            pairs, carried = pairs + taken, carried + taken * requests
        return pairs

    def requests_of(self, pairs: int) -> int:
        """Return the requests that the first pairs carry."""
        carried = 0
        for requests, count in self._steps:
            taken = min(count, pairs)
            carried, pairs = carried + taken * requests, pairs - taken
        return carried

    def coverages(self, sizes: Iterable[tuple[float | None, int]]) -> list[Coverage]:
        """Return what each first part of the ranking is: percentages with their numbers of pairs."""
        wanted = list(sizes)
        if not wanted:
            return []
        firsts = ", ".join("count(*) FILTER (first < ?)" for _ in wanted)
        urls = self._connection.execute(
            f"SELECT {firsts} FROM (SELECT min(rowid) AS first FROM ranked GROUP BY url)",
            [pairs for _, pairs in wanted],
        ).fetchall()[0]
        return [self._coverage(percent, pairs, count) for (percent, pairs), count in zip(wanted, urls, strict=True)]

    def _coverage(self, percent: float | None, pairs: int, urls: int) -> Coverage:
        by_pop = self._connection.execute(
            "SELECT pop, count(*), count(*) FILTER (starts_with(url, 'http:')), sum(bytes) FROM ranked "
            "WHERE rowid < ? GROUP BY pop",
            [pairs],
        ).fetchall()
        carried = self.requests_of(pairs)
        share = 100 * carried / self.requests if self.requests else 0.0
        counts = Counter({pop: int(count) for pop, count, _, _ in by_pop})
        sizes = Counter({pop: int(size or 0) for pop, _, _, size in by_pop})
        plain = sum(int(count) for _, _, count, _ in by_pop) / pairs if pairs else 0.0
        return Coverage(percent, pairs, urls, len(by_pop), carried, share, dollars(counts, sizes, urls, plain))

    def rectangle(self, of: Coverage) -> tuple[int, float]:
        """Return the targets and the dollars of all URLs of a coverage through all its POPs."""
        mean = self._connection.execute(
            "SELECT avg(size) FROM (SELECT max(bytes) AS size FROM ranked WHERE rowid < ? GROUP BY url)", [of.pairs]
        ).fetchall()[0][0]
        pops = [row[0] for row in self._connection.execute(
            "SELECT DISTINCT pop FROM ranked WHERE rowid < ?", [of.pairs]).fetchall()]  # fmt: skip
        counts = Counter(dict.fromkeys(pops, of.urls))
        sizes = Counter({pop: math.ceil(count * (mean or 0)) for pop, count in counts.items()})
        return of.urls * of.pops, dollars(counts, sizes, of.urls, 0.0)

    def first(self, pairs: int) -> Iterator[tuple[str, str, int, int]]:
        """Yield the first pairs: URL, POP, requests, bytes."""
        for chunk in self._chunks("url, pop, requests, bytes", pairs):
            yield from chunk

    def lines(self, pairs: int) -> Iterator[str]:
        """Yield texts of many lines of CSV: the first pairs with their requests and bytes."""
        # DuckDB writes lines in a fifth of the time of Python's writer.
        quoted = " OR ".join(f"contains(url, {sign})" for sign in ("','", "'\"'", "E'\\n'", "E'\\r'"))
        url = f"CASE WHEN {quoted} THEN '\"' || replace(url, '\"', '\"\"') || '\"' ELSE url END"
        for chunk in self._chunks(f"({url}) || ',' || pop || ',' || requests || ',' || bytes || E'\\n'", pairs):
            yield "".join([line for (line,) in chunk])

    def _chunks(self, columns: str, pairs: int) -> Iterator[list[tuple[Any, ...]]]:
        # The rows are in the table's order, because it is the order in which they were inserted.
        rows = self._connection.cursor().execute(f"SELECT {columns} FROM ranked WHERE rowid < ?", [pairs])
        while chunk := rows.fetchmany(CHUNK):
            yield chunk

    def top(self, column: str, count: int) -> list[tuple[str, int]]:
        """Return the POPs or the URLs with the most requests; `column` is `pop` or `url`."""
        if column not in {"pop", "url"}:
            raise ValueError(column)
        rows = self._connection.execute(
            f"SELECT {column}, sum(requests) AS n FROM ranked GROUP BY {column} "
            f"ORDER BY n DESC, {column} LIMIT {int(count)}"
        ).fetchall()
        return [(name, int(requests)) for name, requests in rows]


def dollars(pairs: Counter[str], sizes: Counter[str], urls: int, plain_http: float) -> float:
    """Return what a run of these pairs costs, by POP, with a proof of each URL and each POP.

    The proofs are spread over the POPs as the pairs are.
    """
    total = sum(pairs.values())
    if not total:
        return 0.0
    proofs = min(1.0, max(urls, len(pairs)) / total)
    fetches: Counter[str] = Counter()
    transfer: Counter[str] = Counter()
    atlas = catalogue()
    for pop, count in pairs.items():
        region = price_region(pop, atlas)
        fetches[region] += math.ceil(count * (1 + proofs))
        transfer[region] += math.ceil(sizes[pop] * (1 + proofs))
    work = Work(fetches, plain_http, transfer, batches=math.ceil(total / MAX_TARGETS_PER_BATCH), stages=1)
    return estimate(work).dollars
