"""Options of `prewarm traffic`: where the logs are, and what of them counts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from prewarm_cli.errors import CommandFailed
from prewarm_cli.traffic.log_fields import named_fields
from prewarm_cli.traffic.selection import Selection, agents_of, host_of, moment, pattern_of
from prewarm_cli.traffic.sizes import memory_mb, size_of

LOGS, SELECTION = "Logs", "What counts"


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Where the logs are, and what may be used to read them."""

    paths: tuple[Path, ...]
    addresses: tuple[str, ...]
    athena: str | None
    workgroup: str
    fields: tuple[str, ...]
    memory_mb: int
    disk: int


def log_options_of(
    *,
    log: Annotated[
        list[str] | None, typer.Argument(metavar="LOG", help="Log files, folders, or s3://bucket/prefix.")
    ] = None,
    athena: Annotated[
        str | None,
        typer.Option(
            metavar="DATABASE.TABLE",
            help="Query a table of logs in Athena, and read its result.",
            rich_help_panel=LOGS,
        ),
    ] = None,
    workgroup: Annotated[
        str, typer.Option(metavar="NAME", help="Athena's workgroup.", rich_help_panel=LOGS)
    ] = "primary",
    fields: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,…",
            help="The fields of logs without a #Fields line (real-time logs), in order.",
            rich_help_panel=LOGS,
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Memory to use, such as 2GB (default: half of this machine's, at most 4 GB).",
            rich_help_panel=LOGS,
        ),
    ] = None,
    disk: Annotated[
        str,
        typer.Option(
            metavar="SIZE", help="Disk space for logs from S3, which are downloaded in parts.", rich_help_panel=LOGS
        ),
    ] = "10GB",
) -> LogOptions:
    """Return the sources of logs."""
    texts = log or []
    if not all(map(str.strip, texts)):
        raise CommandFailed("LOG: is empty; pass files, folders or s3://bucket/prefix")
    addresses = tuple(text for text in texts if text.startswith("s3://"))
    paths = tuple(Path(text) for text in texts if not text.startswith("s3://"))
    if athena and texts:
        raise CommandFailed("--athena: reads a table; leave out the files, folders and addresses")
    if not athena and not texts:
        raise CommandFailed("no logs: pass files, folders, s3://bucket/prefix or --athena DATABASE.TABLE")
    return LogOptions(
        paths,
        addresses,
        athena,
        workgroup,
        named_fields(fields.split(",")) if fields is not None else (),
        memory_mb(memory),
        size_of("--disk", disk),
    )


def selection_of(
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Count requests from this time on (UTC).", rich_help_panel=SELECTION),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Count requests before this time (UTC).", rich_help_panel=SELECTION),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Count only requests for this host, and assume it if the logs lack the host. Repeatable.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Keep URLs whose path and query match, such as '/img/*'. Repeatable.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Leave out URLs whose path and query match. Repeatable.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    exclude_agent: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="Count requests whose User-Agent contains this as your own, not as demand. Repeatable.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
    sampling_rate: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", help="The sampling rate of real-time logs.", rich_help_panel=SELECTION),
    ] = None,
    separate_protocols: Annotated[
        bool,
        typer.Option(
            "--separate-protocols",
            help="Count a URL's http and https requests separately, for cache keys with CloudFront-Forwarded-Proto.",
            rich_help_panel=SELECTION,
        ),
    ] = False,
    ranges_as_whole: Annotated[
        bool,
        typer.Option(
            "--ranges-as-whole",
            help="Warm whole objects that were seen only as ranges (206).",
            rich_help_panel=SELECTION,
        ),
    ] = False,
    max_bytes: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Leave out larger objects; keep ranges (206) that end before it. Pass it to the run too.",
            rich_help_panel=SELECTION,
        ),
    ] = None,
) -> Selection:
    """Return what of the logs counts."""
    begin, end = moment("--since", since), moment("--until", until)
    if begin and end and begin >= end:
        raise CommandFailed(f"--until: {until!r} is not after --since {since!r}")
    if sampling_rate is not None and not 1 <= sampling_rate <= 100:  # noqa: PLR2004 - percent
        raise CommandFailed(f"--sampling-rate: must be from 1 to 100 percent, got {sampling_rate:g}")
    return Selection(
        begin,
        end,
        tuple(dict.fromkeys(map(host_of, host or []))),
        tuple(pattern_of("--include", each) for each in include or []),
        tuple(pattern_of("--exclude", each) for each in exclude or []),
        agents_of(exclude_agent or []),
        sampling_rate,
        separate_protocols,
        ranges_as_whole,
        size_of("--max-bytes", max_bytes) if max_bytes is not None else None,
    )
