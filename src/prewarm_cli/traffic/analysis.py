"""The steps of `prewarm traffic`: read the logs, judge the URLs, project, rank, and return the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.damage import Damage
from prewarm_cli.traffic.demand import judge, summed
from prewarm_cli.traffic.joining import scans
from prewarm_cli.traffic.log_files import LogFile, NotALog, Shape, local_files, shape_of, within
from prewarm_cli.traffic.projection import project
from prewarm_cli.traffic.ranking import CURVE, Ranking
from prewarm_cli.traffic.results import CATEGORIES, Result
from prewarm_cli.traffic.scan import Scanner, connect, first_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from prewarm_cli.traffic.selection import Selection


@dataclass(frozen=True, slots=True)
class Work:
    """What to read and what to select: local paths, S3 addresses or a table of Athena; sizes in bytes."""

    paths: tuple[Path, ...]
    addresses: tuple[str, ...]
    selection: Selection
    memory_mb: int
    disk: int
    fields: tuple[str, ...] = ()
    athena: str | None = None
    workgroup: str = "primary"
    cover: float = 95.0
    most_pairs: int | None = None
    urls: tuple[str, ...] = ()


def analyse(work: Work, folder: Path) -> Result:
    """Return the demand in the logs; the folder takes downloads and what exceeds the memory.

    Raises:
        CommandFailed: the logs cannot be read, or show no demand.

    """
    connection = connect(folder, work.memory_mb)
    try:
        return _analyse(connection, work, folder)
    except duckdb.Error as error:
        if isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException):
            raise CommandFailed(
                f"memory or disk is full: {first_line(error)}; raise --memory or free disk"
            ) from error
        raise


def _analyse(connection: duckdb.DuckDBPyConnection, work: Work, folder: Path) -> Result:
    damage, missing, files, pruned = Damage(), {}, 0, 0
    if work.athena:
        from prewarm_cli.traffic import athena  # noqa: PLC0415 - boto3 takes half a second

        database, _ = athena.table_of(work.athena)
        sql = athena.query(work.athena, work.selection)
        athena.load(connection, athena.run(sql, database, work.workgroup, folder))
    else:
        scanner = Scanner(connection, work.selection, damage, folder)
        if work.addresses:
            files, pruned = _scan_s3(scanner, work, damage, folder)
        kept, left = _local(work)
        _scan_all(scanner, kept, work, damage, folder)
        files, pruned = files + len(kept), pruned + left
        missing = scanner.missing
    demand = summed(connection)
    judge(connection, work.selection, demand, folder)
    projected = project(connection, list(work.urls), folder) if work.urls else {}
    ranking = Ranking(connection)
    if not ranking.pairs:
        raise CommandFailed(_no_demand(demand.lines, files, pruned, demand.not_kept, damage, projected))
    pairs = ranking.pairs_for(work.cover)
    if work.most_pairs is not None:
        pairs = min(pairs, work.most_pairs)
    sizes = [*((percent, ranking.pairs_for(percent)) for percent in CURVE), (None, pairs), (100.0, ranking.pairs)]
    *curve, cover, whole = ranking.coverages(sizes)
    return Result(
        demand, damage, ranking, cover, whole, curve, files, pruned, work.cover, work.selection.sampling_rate,
        missing, projected, ranking.top("pop", 10_000),
    )  # fmt: skip


def _local(work: Work) -> tuple[list[LogFile], int]:
    found = local_files(work.paths)
    kept = [file for file in found if within(file.name, work.selection.since, work.selection.until)]
    return kept, len(found) - len(kept)


def _scan_s3(scanner: Scanner, work: Work, damage: Damage, folder: Path) -> tuple[int, int]:
    """Scan the logs in S3; return the number of objects, and of those outside of the period."""
    from prewarm_cli.traffic import s3_logs  # noqa: PLC0415 - boto3 takes half a second

    objects: dict[s3_logs.LogObject, None] = {}
    pruned = 0
    for address in work.addresses:
        found, left = s3_logs.objects(address, work.selection.since, work.selection.until)
        objects |= dict.fromkeys(found)
        pruned += left
    for batch in s3_logs.batches(objects, folder, work.disk):
        _scan_all(scanner, batch, work, damage, folder)
    return len(objects), pruned


def _scan_all(scanner: Scanner, files: Sequence[LogFile], work: Work, damage: Damage, folder: Path) -> None:
    """Scan files, those of one shape together."""
    shapes: dict[Shape, list[LogFile]] = {}
    for file in files:
        try:
            shape = shape_of(file, work.fields)
        except NotALog as error:
            damage.files[file.name] = f"not a log: {error}"
            continue
        if shape is None:
            continue
        if shape.headerless and work.selection.sampling_rate is None:
            raise CommandFailed(
                f"{file.name}: a log without #Fields is a real-time log, a sample of the requests; pass "
                "--sampling-rate with the percentage of its configuration (100 for all requests)"
            )
        shapes.setdefault(shape, []).append(file)
    for shape, same in shapes.items():
        for one, part in scans(shape, same, folder, damage):
            scanner.scan(one, part)


def _no_demand(
    lines: int, files: int, pruned: int, counts: dict[str, int], damage: Damage, projected: dict[str, int]
) -> str:
    """Return why there is nothing to warm."""
    reasons = [f"{counts[name]:,} {text}" for name, text in CATEGORIES.items() if counts.get(name)]
    if pruned:
        reasons.append(f"{pruned:,}files skipped, because their names are of other hours")
    if damage.lines:
        reasons.append(f"{damage.lines:,} damaged lines, such as {', '.join(damage.examples[:3])}")
    reasons += [f"{name}: {reason}" for name, reason in list(damage.files.items())[:3]]
    if projected:
        reasons.append("the logs have no URL that resembles those in --urls")
    detail = f": {'; '.join(reasons)}" if reasons else ""
    return f"no demand in {lines:,} lines of {files:,} files{detail}; check --host, --since and the logs"
