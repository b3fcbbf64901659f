"""`prewarm traffic`: read access logs, and write the pairs of URL and POP that viewers request."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prewarm_cli.command import AsJson, command
from prewarm_cli.errors import CommandFailed
from prewarm_cli.failure_reasons import file_reason
from prewarm_cli.options.request_input import stdin_of
from prewarm_cli.output.files import check_writable, is_same_file, is_stdout, output_file
from prewarm_cli.output.redaction import redact_urls
from prewarm_cli.output.terminal import columns, wrap
from prewarm_cli.traffic.options import LogOptions, log_options_of, selection_of
from prewarm_cli.traffic.selection import Selection  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prewarm_cli.traffic.results import Result


@command("traffic", logs=log_options_of, selection=selection_of)
def traffic(
    *,
    logs: LogOptions,
    selection: Selection,
    cover: Annotated[
        float,
        typer.Option(metavar="PERCENT", help="Select the smallest set of pairs with this share of the requests."),
    ] = 95.0,
    most_pairs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Maximum number of pairs; the busiest are selected.")
    ] = None,
    urls: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Project the demand onto these URLs, one per line, for a deploy that changes names; - reads stdin.",
        ),
    ] = None,
    pops: Annotated[
        bool,
        typer.Option(
            "--pops", help="Print only the POPs that together receive --cover percent of the requests, one per line."
        ),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the CSV of targets to this file.")
    ] = None,
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="With --athena: print the query without running it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read CloudFront access logs, and write the pairs of URL and POP that viewers request.

    If stdout is not a terminal, it receives the CSV of targets, and the tables go to stderr. Client addresses are
    never read into the result.

    Examples:
      prewarm traffic logs/ --host www.example.com --output targets.csv
      prewarm traffic s3://my-logs/cdn/ --since 2026-11-01 --until 2026-11-08 --cover 90 --output targets.csv
      prewarm traffic --athena default.cloudfront_logs --since 2026-11-01 --print-sql
    """
    if not 0 < cover <= 100:  # noqa: PLR2004 - percent
        raise CommandFailed(f"--cover: must be above 0 and at most 100, got {cover:g}")
    if print_sql:
        if not logs.athena:
            raise CommandFailed("--print-sql: shows the query of --athena DATABASE.TABLE, which is missing")
        from prewarm_cli.traffic import athena  # noqa: PLC0415 - the extra

        print(athena.query(logs.athena, selection))
        return
    if output is not None and is_stdout(output):
        output = Path("-")
    if as_json and str(output) == "-":
        raise CommandFailed("--json and --output -: both write to stdout; pass a file to --output")
    if output is not None and str(output) != "-":
        _check_output(output, logs, urls)
    from prewarm_cli.traffic.analysis import Work, analyse  # noqa: PLC0415 - the extra, after bad input

    work = Work(
        paths=logs.paths, addresses=logs.addresses, selection=selection, memory_mb=logs.memory_mb,
        disk=logs.disk, fields=logs.fields, athena=logs.athena, workgroup=logs.workgroup, cover=cover,
        most_pairs=most_pairs, urls=_urls(urls),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="prewarm-traffic-") as folder:
        result = analyse(work, Path(folder))
        _write(result, output, pops=pops, as_json=as_json)


def _write(result: Result, output: Path | None, *, pops: bool, as_json: bool) -> None:
    """Write CSV, JSON, POPs and tables to where the options and stdout say."""
    from prewarm_cli.traffic import results  # noqa: PLC0415 - the extra

    piped = not sys.stdout.isatty()
    if output is not None and str(output) != "-":
        with _replaced(output) as file:
            results.write_csv(result, file)
    if as_json:
        print(json.dumps(results.as_json(result, pops=pops), indent=2))
        return
    if pops:
        print("\n".join(results.covering_pops(result)))
    elif str(output) == "-" or (output is None and piped):
        results.write_csv(result, sys.stdout)
        sys.stdout.flush()
    to_stderr = pops or str(output) == "-" or (output is None and piped)
    _print(results.text_lines(result), sys.stderr if to_stderr else sys.stdout)
    if output is not None and str(output) != "-":
        _print([f"wrote {output}: {result.cover.pairs:,} pairs"], sys.stdout)


def _check_output(output: Path, logs: LogOptions, urls: Path | None) -> None:
    """Check before the logs are read that the output can be written, and replaces nothing that is read.

    An earlier CSV of targets among the logs may be replaced.

    Raises:
        CommandFailed: it cannot, or it is one of the logs (also by a link), or the file of --urls.

    """
    from prewarm_cli.traffic.log_files import TARGETS  # noqa: PLC0415 - needed with --output only
    from prewarm_cli.traffic.log_search import local_files  # noqa: PLC0415

    check_writable("--output", output)
    if urls is not None and is_same_file(output, urls):
        raise CommandFailed(f"--output: {output} is the file of --urls; name another file")
    if not output.is_file():
        return
    try:
        with output.open("rb") as opened:
            is_targets = opened.read(len(TARGETS)) == TARGETS.encode()
        is_log = not is_targets and any(output.samefile(file.path) for file in local_files(logs.paths))
    except OSError as error:
        raise CommandFailed(f"--output: {output}: {file_reason(error)}") from error
    if is_log:
        raise CommandFailed(f"--output: {output} is one of the logs; name another file")


def _print(lines: Any, stream: Any) -> None:  # noqa: ANN401 - iterables and streams of any kind
    from prewarm_cli.traffic.results import printable  # noqa: PLC0415

    width = columns(stream)
    for line in lines:
        print("\n".join(wrap(redact_urls(printable(line)), width)), file=stream)


@contextlib.contextmanager
def _replaced(path: Path) -> Iterator[Any]:
    """Yield a file that takes the place of `path` once it is whole; see `output_file`.

    Raises:
        CommandFailed: it cannot be written.

    """
    try:
        with output_file(path, "w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise CommandFailed(f"--output: {path}: {file_reason(error)}") from error


def _urls(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    from prewarm_cli.traffic.projection import new_urls  # noqa: PLC0415 - the extra

    try:
        text = stdin_of("--urls").read() if str(path) == "-" else path.read_text(encoding="utf-8")
        text = text.removeprefix("\ufeff")
    except (OSError, UnicodeError) as error:
        raise CommandFailed(f"--urls: {path}: {file_reason(error)}") from error
    return tuple(new_urls(text.splitlines(), str(path)))
