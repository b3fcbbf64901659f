"""`prewarm pops`: what is known of CloudFront's edge locations, and how to find out more."""

import csv
import io
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from prewarm.catalogue import Pop, catalogue, distance_km
from prewarm.request.pop_selection import expand
from prewarm_cli.command import AsJson, command
from prewarm_cli.errors import CommandFailed

app = typer.Typer(help="What is known of CloudFront's edge locations (POPs); alone, it lists them.")
DATA = Path("functions/prewarm/data")
FIELDS = ("id", "city", "country", "priceClass", "confidence", "newestSeen")
# On a narrow terminal fewer of them, rather than all of them in shreds.
NARROW_COLUMNS, NARROW_FIELDS = 70, 3


def _row(pop: Pop) -> dict[str, str]:
    place = pop.location
    values = (pop.id, place.city, place.country, place.price_class, pop.confidence, pop.newest_seen)
    return dict(zip(FIELDS, values, strict=True))


@app.callback(invoke_without_command=True)
@command()
def pops(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the POPs where no other command is given."""
    if context.invoked_subcommand is None:
        _print(list(catalogue().pops.values()), as_json=as_json)
    elif as_json:
        raise CommandFailed(f"write --json after the command: prewarm pops {context.invoked_subcommand} --json")


@app.command("list")
@command()
def list_pops(
    region: Annotated[list[str] | None, typer.Option(help="Only those of a region, such as apac.")] = None,
    country: Annotated[list[str] | None, typer.Option(help="Only those of a country, such as de.")] = None,
    location: Annotated[list[str] | None, typer.Option(help="Only those of an airport code, such as NRT.")] = None,
    *,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """List the POPs of the catalogue.

    Examples:
      prewarm pops list --country jp
      prewarm pops list --region eu --csv
    """
    known = catalogue()
    chosen = set(known.pops)
    for kind, names in (("region", region), ("country", country)):
        if names:
            found, problems = expand(kind, names, known)
            if problems:
                raise CommandFailed("; ".join(problem.sentence() for problem in problems))
            chosen &= set(found)
    codes = {code.upper() for code in location or []}
    if unknown := codes - known.locations.keys():
        raise CommandFailed(f"no location {', '.join(sorted(unknown))} is known")
    found_pops = [pop for pop in known.pops.values() if pop.id in chosen and (not codes or pop.id[:3] in codes)]
    _print(found_pops, as_json=as_json, as_csv=as_csv)


def _print(found: list[Pop], *, as_json: bool, as_csv: bool = False) -> None:
    """Print POPs as a table, as JSON or as CSV."""
    rows = [_row(pop) for pop in found]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    elif as_csv:
        text = io.StringIO()
        writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        typer.echo(text.getvalue(), nl=False)
    else:
        # Imported here, as are others below: `prewarm --help` need not wait for them.
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        console = Console()
        fields = FIELDS if console.width >= NARROW_COLUMNS else FIELDS[:NARROW_FIELDS]
        table = Table()
        for name in fields:
            # An id is there to be copied: it is never cut.
            longest = max((len(row["id"]) for row in rows), default=0) if name == "id" else None
            table.add_column(name, overflow="fold", no_wrap=name == "id", min_width=longest)
        for row in rows:
            table.add_row(*(row[name] for name in fields))
        console.print(table)
        typer.echo(f"{len(rows)} POPs")


@app.command()
@command()
def show(
    pop_id: Annotated[str, typer.Argument(metavar="POP", help="A POP id, such as NRT57-P3.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show what is known of one POP.

    Examples:
      prewarm pops show NRT57-P3
    """
    known = catalogue()
    found, problems = expand("pop", [pop_id], known)
    if problems:
        raise CommandFailed(problems[0].sentence())
    pop = known.pops[found[0]]
    cache = known.regional_cache_of(pop.id)
    lines = _row(pop) | {
        "latitude": str(pop.location.latitude),
        "longitude": str(pop.location.longitude),
        "priceRegion": pop.location.price_region,
        "regionalCache": f"{cache} ({distance_km(pop.location, known.locations[cache]):.0f} km away; assumed)",
    }
    if as_json:
        typer.echo(json.dumps(lines, ensure_ascii=False))
        return
    for name, value in lines.items():
        typer.echo(f"{name:14} {value}")


@app.command()
@command()
def refresh(
    *,
    distribution: Annotated[str, typer.Option(help="A distribution of yours, such as d111abcdef8.cloudfront.net.")],
    nameserver: Annotated[
        str, typer.Option(envvar="PREWARM_NAMESERVERS", help="address[:port], …; else the system's.")
    ] = "",
    rate: Annotated[int, typer.Option(min=1, max=5000, help="DNS questions a second.")] = 200,
    concurrency: Annotated[int, typer.Option(min=1, max=1000, help="DNS questions at once.")] = 64,
    location: Annotated[list[str] | None, typer.Option(help="Only those of an airport code.")] = None,
    highest: Annotated[int, typer.Option(min=1, max=20, help="Highest last number tried, the 3 of NRT57-P3.")] = 12,
    known_only: Annotated[bool, typer.Option("--known-only", help="Ask for the catalogue's ids alone.")] = False,
    output: Annotated[Path, typer.Option(help="Where the new pops.csv goes.")] = DATA / "pops.csv",
    as_json: AsJson = False,
) -> None:
    """Ask DNS for every POP id that may exist, and write the catalogue anew with what appeared and what vanished.

    Examples:
      prewarm pops refresh --distribution d111abcdef8.cloudfront.net --location NRT
    """
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    from prewarm.errors import BrokenSetting  # noqa: PLC0415
    from prewarm.settings import nameservers_of  # noqa: PLC0415
    from tools.pop_scan import Scan, candidates, write_catalogue  # noqa: PLC0415

    try:
        nameservers = nameservers_of(nameserver)
    except BrokenSetting as error:
        raise CommandFailed(f"--nameserver: {str(error).partition(': ')[2]}") from error
    known = catalogue()
    codes = [code.upper() for code in location or []]
    names = candidates(known, codes, highest, known_only=known_only)
    scan = Scan(distribution.strip().lower(), nameservers, rate, concurrency)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("asking DNS", total=len(names))
        try:
            found = scan.run(names, lambda: bar.advance(task))
        except ValueError as error:
            raise CommandFailed(str(error)) from error
    appeared, vanished = write_catalogue(output, known, found)
    if as_json:
        counts = {"asked": len(names), "resolve": len(found.there), "unanswered": len(found.silent)}
        typer.echo(json.dumps(counts | {"appeared": appeared, "vanished": vanished, "output": str(output)}))
        return
    typer.echo(f"{len(found.there)} of {len(names)} names resolve; {len(found.silent)} were not answered for")
    for words, ids in (("appeared", appeared), ("vanished", vanished)):
        typer.echo(f"{len(ids)} {words}{': ' if ids else ''}{' '.join(ids)}")
    typer.echo(f"written: {output}")


@app.command()
@command()
def networks(
    *,
    source: Annotated[str, typer.Option("--from", help="AWS's ip-ranges.json: a file, or an https address.")] = (
        "https://ip-ranges.amazonaws.com/ip-ranges.json"
    ),
    output: Annotated[Path, typer.Option(help="Where the networks go.")] = DATA / "edge_networks.json",
    as_json: AsJson = False,
) -> None:
    """Take CloudFront's networks from AWS's published list: no address outside of them is ever connected to.

    Examples:
      prewarm pops networks --from ip-ranges.json
    """
    import requests  # noqa: PLC0415

    from tools.pop_scan import write_networks  # noqa: PLC0415

    try:
        if source.startswith("https://"):
            response = requests.get(source, timeout=30)
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
