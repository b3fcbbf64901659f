"""The steps of `prewarm traffic`: read the logs, judge the URLs, project, rank, and return the result."""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

from prewarm.counted import count_of
from prewarm_cli.errors import CommandFailed
from prewarm_cli.failure_reasons import file_reason
from prewarm_cli.traffic.damage import Damage
from prewarm_cli.traffic.demand import REASONS, judge, summed
from prewarm_cli.traffic.joining import scans
from prewarm_cli.traffic.log_files import LogFile, NotALog, Shape, shape_of
from prewarm_cli.traffic.log_search import local_files, within
from prewarm_cli.traffic.projection import project
from prewarm_cli.traffic.ranking import CURVE, Ranking
from prewarm_cli.traffic.results import CATEGORIES, Result
from prewarm_cli.traffic.scan import Scanner, connect, first_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from prewarm_cli.traffic.demand import Demand
    from prewarm_cli.traffic.selection import Selection

# Signs of a pattern in DuckDB's names of files.
PATTERN_SIGNS = frozenset("*?[{")


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
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise CommandFailed(
                f"{folder.parent}: {file_reason(error)}; pass a smaller --disk, or set TMPDIR to a larger disk"
            ) from error
        raise CommandFailed(f"{error.filename or folder}: {file_reason(error)}") from error


def _analyse(connection: duckdb.DuckDBPyConnection, work: Work, folder: Path) -> Result:
    damage, missing, files, pruned, has_samples = Damage(), {}, 0, 0, False
    if work.athena:
        from prewarm_cli.traffic import athena  # noqa: PLC0415 - boto3 takes half a second

        database, _ = athena.table_of(work.athena)
        sql = athena.query(work.athena, work.selection)
        damage.lines = athena.load(connection, athena.run(sql, database, work.workgroup, folder))
    else:
        scanner = Scanner(connection, work.selection, damage, folder)
        if work.addresses:
            files, pruned = _scan_s3(scanner, work, damage, folder)
        kept, left = _local(work)
        _scan_all(scanner, kept, work, damage, folder)
        files, pruned = files + len(kept), pruned + left
        missing, has_samples = scanner.missing, scanner.has_samples
    demand = summed(connection)
    judge(connection, work.selection, demand, folder)
    projected = project(connection, list(work.urls), folder) if work.urls else {}
    ranking = Ranking(connection)
    if not ranking.pairs:
        raise CommandFailed(_no_demand(demand, files, pruned, damage, projected))
    pairs = ranking.pairs_for(work.cover)
    if work.most_pairs is not None:
        pairs = min(pairs, work.most_pairs)
    sizes = [*((percent, ranking.pairs_for(percent)) for percent in CURVE), (None, pairs), (100.0, ranking.pairs)]
    *curve, cover, whole = ranking.coverages(sizes)
    rate = work.selection.sampling_rate
    return Result(
        demand, damage, ranking, cover, whole, curve, files, pruned, work.cover, rate if has_samples else None,
        missing, projected, ranking.top("pop", 10_000), rate_unused=rate is not None and not has_samples,
    )  # fmt: skip


def _local(work: Work) -> tuple[list[LogFile], int]:
    found = local_files(work.paths)
    since, until = work.selection.since, work.selection.until
    kept = [file for file in found if within(file.name, since, until, file.given)]
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
        except OSError as error:
            raise CommandFailed(f"{file.name}: {file_reason(error)}") from error
        if shape is None:
            continue
        if shape.headerless and work.selection.sampling_rate is None:
            raise CommandFailed(
                f"{file.name}: a log without #Fields is a real-time log, a sample of the requests; pass "
                "--sampling-rate with the percentage of its configuration (100 for all requests)"
            )
        shapes.setdefault(shape, []).append(_exact(file, folder))
    for shape, same in shapes.items():
        for one, part in scans(shape, same, folder, damage):
            scanner.scan(one, part)


def _exact(file: LogFile, folder: Path) -> LogFile:
    """Return a file under a path that DuckDB does not take for a pattern, which other files may match."""
    if PATTERN_SIGNS.isdisjoint(str(file.path)):
        return file
    status = file.path.stat()
    link = folder / f"linked{status.st_dev}-{status.st_ino}"
    link.symlink_to(file.path.absolute())
    return replace(file, path=link)


def _no_demand(demand: Demand, files: int, pruned: int, damage: Damage, projected: dict[str, int]) -> str:
    """Return why there is nothing to warm."""
    counts = demand.not_kept
    reasons = [f"{counts[name]:,} {text}" for name, text in CATEGORIES.items() if counts.get(name)]
    reasons += [
        f"{count_of(left.urls, 'URL')}: {REASONS[reason]}" for reason, left in sorted(demand.left_out.items())
    ]
    if pruned:
        reasons.append(f"{pruned:,}files skipped, because their names are of other hours")
    if damage.lines:
        such = f", such as {', '.join(damage.examples[:3])}" if damage.examples else ""
        reasons.append(f"{damage.lines:,} damaged lines{such}")
    reasons += [f"{name}: {reason}" for name, reason in list(damage.files.items())[:3]]
    if projected:
        reasons.append("the logs have no URL that resembles those in --urls")
    detail = f": {'; '.join(reasons)}" if reasons else ""
    return f"no demand in {demand.lines:,} lines of {files:,} files{detail}; check --host, --since and the logs"
