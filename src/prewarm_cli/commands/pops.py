"""`prewarm pops`: list and show the CloudFront edge locations in the catalogue."""

import csv
import io
import json
from dataclasses import replace
from typing import Annotated

import typer

from prewarm.catalogue import Pop, catalogue, distance_km
from prewarm.errors import Problem
from prewarm.request.pop_selection import expand
from prewarm_cli.command import AsJson, command
from prewarm_cli.errors import CommandFailed
from prewarm_cli.output.help import HelpCommand, HelpGroup
from prewarm_cli.output.terminal import columns, echo, fits, table

app = typer.Typer(
    cls=HelpGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="List or show the CloudFront edge locations (POPs) in the catalogue.",
)
FIELDS = ("id", "city", "country", "priceClass", "confidence", "newestSeen")
HEADINGS = {"priceClass": "PRICE CLASS", "newestSeen": "LAST SEEN"}


def _row(pop: Pop) -> dict[str, str]:
    place = pop.location
    values = (pop.id, place.city, place.country, place.price_class, pop.confidence, pop.newest_seen)
    return dict(zip(FIELDS, values, strict=True))


@app.callback(invoke_without_command=True)
@command()
def pops(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List all POPs if there is no subcommand."""
    if context.invoked_subcommand is None:
        _print(list(catalogue().pops.values()), as_json=as_json)
    elif as_json:
        raise CommandFailed(f"--json must follow the subcommand: prewarm pops {context.invoked_subcommand} --json")


@app.command("list", cls=HelpCommand)
@command()
def list_pops(
    region: Annotated[list[str] | None, typer.Option(help="List only the POPs in a region, such as apac.")] = None,
    country: Annotated[list[str] | None, typer.Option(help="List only the POPs in a country, such as de.")] = None,
    location: Annotated[
        list[str] | None, typer.Option(help="List only the POPs at an airport code, such as NRT.")
    ] = None,
    *,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """List the POPs in the catalogue.

    Examples:
      prewarm pops list --country jp
      prewarm pops list --region eu --csv
    """
    if as_json and as_csv:
        raise CommandFailed("--json and --csv cannot be combined: pass one of them")
    atlas = catalogue()
    selected = set(atlas.pops)
    for kind, names in (("region", region), ("country", country)):
        if names:
            pop_ids, problems = expand(kind, names, atlas)
            if problems:
                raise CommandFailed("; ".join(f"--{kind}: {_without_field(problem)}" for problem in problems))
            selected &= set(pop_ids)
    codes = {code.upper() for code in location or []}
    if unknown := codes - atlas.locations.keys():
        raise CommandFailed(f"--location: not in the catalogue: {', '.join(sorted(unknown))}")
    in_location = [pop for pop in atlas.pops.values() if not codes or pop.id[:3] in codes]
    _print([pop for pop in in_location if pop.id in selected], as_json=as_json, as_csv=as_csv)


def _without_field(problem: Problem) -> str:
    """Return a problem without the field of the API's request, which the command does not have."""
    return replace(problem, field="").sentence()


def _print(listed: list[Pop], *, as_json: bool, as_csv: bool = False) -> None:
    """Print POPs as a table, as JSON or as CSV."""
    rows = [_row(pop) for pop in listed]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    elif as_csv:
        text = io.StringIO()
        writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        typer.echo(text.getvalue(), nl=False)
    else:
        echo(_table(rows, columns()))
        typer.echo(f"{len(rows)} POPs")


def _table(rows: list[dict[str, str]], width: int | None) -> list[str]:
    """Return a table of as many fields as fit; the id is never left out or cut, so that it can be copied."""
    for count in range(len(FIELDS), 0, -1):
        fields = FIELDS[:count]
        lines = table(
            [HEADINGS.get(name, name.upper()) for name in fields], ([row[name] for name in fields] for row in rows)
        )
        if fits(lines, width):
            break
    return lines


@app.command(cls=HelpCommand)
@command()
def show(
    pop_id: Annotated[str, typer.Argument(metavar="POP", help="A POP id, such as NRT57-P3.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show the catalogue's entry for one POP.

    Examples:
      prewarm pops show NRT57-P3
    """
    atlas = catalogue()
    pop_ids, problems = expand("pop", [pop_id], atlas)
    if problems:
        raise CommandFailed(f"POP: {_without_field(problems[0])}")
    pop = atlas.pops[pop_ids[0]]
    cache = atlas.regional_cache_of(pop.id)
    lines = _row(pop) | {
        "latitude": str(pop.location.latitude),
        "longitude": str(pop.location.longitude),
        "priceRegion": pop.location.price_region,
        "regionalCache": f"{cache} ({distance_km(pop.location, atlas.locations[cache]):.0f} km away; assumed)",
    }
    if as_json:
        typer.echo(json.dumps(lines, ensure_ascii=False))
        return
    for name, value in lines.items():
        typer.echo(f"{name:14} {value}")
