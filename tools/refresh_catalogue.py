"""Update the shipped data: `make catalogue` asks DNS for POP ids, `make networks` reads AWS's list of networks.

    python -m tools.refresh_catalogue pops --distribution d111abcdef8.cloudfront.net
    python -m tools.refresh_catalogue networks --from ip-ranges.json

Both write to functions/prewarm/data; review the difference with git before you commit it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import requests
import typer
from rich.console import Console
from rich.progress import Progress

from prewarm.catalogue import catalogue
from prewarm.errors import BrokenSetting
from prewarm.settings import nameservers_of
from prewarm_cli.command import AsJson, command
from prewarm_cli.errors import CommandFailed
from tools.pop_scan import Scan, candidates, write_catalogue, write_networks

DATA = Path(__file__).resolve().parents[1] / "functions" / "prewarm" / "data"
IP_RANGES = "https://ip-ranges.amazonaws.com/ip-ranges.json"
TIMEOUT_SECONDS = 30

app = typer.Typer(help="Update the shipped POP catalogue and CloudFront's networks.", no_args_is_help=True)


@app.command("pops")
@command()
def refresh_pops(
    *,
    distribution: Annotated[str, typer.Option(help="A distribution you own, such as d111abcdef8.cloudfront.net.")],
    nameserver: Annotated[
        str, typer.Option(envvar="PREWARM_NAMESERVERS", help="address[:port], …; the system's by default.")
    ] = "",
    rate: Annotated[int, typer.Option(min=1, max=5000, help="DNS queries per second.")] = 200,
    concurrency: Annotated[int, typer.Option(min=1, max=1000, help="Concurrent DNS queries.")] = 64,
    location: Annotated[list[str] | None, typer.Option(help="Query only the POPs of an airport code.")] = None,
    highest: Annotated[int, typer.Option(min=1, max=20, help="Highest last number tried, the 3 of NRT57-P3.")] = 12,
    known_only: Annotated[bool, typer.Option("--known-only", help="Query only the ids of the catalogue.")] = False,
    output: Annotated[Path, typer.Option(help="Where to write pops.csv.")] = DATA / "pops.csv",
    as_json: AsJson = False,
) -> None:
    """Query DNS for every POP id that may exist, and write the catalogue with what appeared and what vanished."""
    try:
        nameservers = nameservers_of(nameserver)
    except BrokenSetting as error:
        raise CommandFailed(f"--nameserver: {str(error).partition(': ')[2]}") from error
    atlas = catalogue()
    codes = [code.upper() for code in location or []]
    names = candidates(atlas, codes, highest, known_only=known_only)
    scan = Scan(distribution.strip().lower(), nameservers, rate, concurrency)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("querying DNS", total=len(names))
        try:
            result = scan.run(names, lambda: bar.advance(task))
        except ValueError as error:
            raise CommandFailed(str(error)) from error
    appeared, vanished = write_catalogue(output, atlas, result)
    if as_json:
        counts = {"asked": len(names), "resolve": len(result.present), "unanswered": len(result.unanswered)}
        typer.echo(json.dumps(counts | {"appeared": appeared, "vanished": vanished, "output": str(output)}))
        return
    typer.echo(f"{len(result.present)} of {len(names)} names resolve; {len(result.unanswered)} were not answered")
    for change, ids in (("appeared", appeared), ("vanished", vanished)):
        typer.echo(f"{len(ids)} {change}{': ' if ids else ''}{' '.join(ids)}")
    typer.echo(f"written: {output}")


@app.command()
@command()
def networks(
    *,
    source: Annotated[
        str, typer.Option("--from", help="AWS's ip-ranges.json: a file, or an https address.")
    ] = IP_RANGES,
    output: Annotated[Path, typer.Option(help="Where to write the networks.")] = DATA / "edge_networks.json",
    as_json: AsJson = False,
) -> None:
    """Write CloudFront's networks from AWS's published list; workers connect to no address outside of them."""
    try:
        if source.startswith("https://"):
            response = requests.get(source, timeout=TIMEOUT_SECONDS)
            response.raise_for_status()
            document: Any = response.json()
        else:
            document = json.loads(Path(source).read_text(encoding="utf-8"))
        count = write_networks(output, document)
    except (OSError, ValueError, requests.RequestException) as error:
        raise CommandFailed(f"{source}: {error}") from error
    if as_json:
        typer.echo(json.dumps({"networks": count, "createDate": document["createDate"], "output": str(output)}))
        return
    typer.echo(f"{count} networks of {document['createDate'][:10]} written: {output}")


if __name__ == "__main__":
    app()
