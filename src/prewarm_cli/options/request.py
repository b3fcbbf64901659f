"""A request from the command line: every field of the API's request has an option."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from prewarm_cli.errors import CommandFailed
from prewarm_cli.options.request_input import STDIN, headers_of, read_request, read_urls, source

WHAT, HOW, WHERE = "What is warmed", "How it is warmed", "Where it is warmed"
# Options that are a field of the request as they are.
PLAIN = (
    "cf_domain",
    "user_agent",
    "invalidate",
    "verify",
    "timeout_minutes",
    "max_concurrency",
    "max_rps",
    "staged",
    "fail_on",
    "min_warm_percent",
    "max_bytes",
    "allow_unknown_pops",
    "dry_run",
)


def request_of(  # noqa: C901 - one option after the other
    *,
    urls: Annotated[list[str] | None, typer.Argument(metavar="URL", help="URLs to warm.")] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="A file of URLs, one a line, with comments after #; - is stdin. Repeat it for more.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    request_file: Annotated[
        Path | None,
        typer.Option(
            "--request",
            metavar="FILE",
            help="A file with the request as the API takes it (JSON); - is stdin. Options override its fields.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    url_list_s3: Annotated[
        list[str] | None,
        typer.Option(metavar="S3-ADDRESS", help="A list of URLs in S3: s3://bucket/key.", rich_help_panel=WHAT),
    ] = None,
    sitemap: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="A sitemap's URL, or the JSON of a source with include, exclude or since.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    manifest: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="An HLS or DASH manifest's URL, or the JSON of a source with renditions or max_segments.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    cf_domain: Annotated[
        str | None,
        typer.Option(metavar="DOMAIN", help="Warm only URLs of this distribution.", rich_help_panel=WHAT),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A region: apac au ca sa eu jp us me af mx, or all. Repeat it for more, or separate by commas.",
            rich_help_panel=WHERE,
        ),
    ] = None,
    country: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A country, such as india or IN.", rich_help_panel=WHERE),
    ] = None,
    pop: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A POP, such as ATL56-C1.", rich_help_panel=WHERE)
    ] = None,
    allow_unknown_pops: Annotated[
        bool | None,
        typer.Option(
            "--allow-unknown-pops/--no-allow-unknown-pops",
            help="Take POPs that the catalogue does not know.",
            rich_help_panel=WHERE,
        ),
    ] = None,
    accept_encoding: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VALUE",
            help='A variant to warm: an Accept-Encoding value, such as "br, gzip" or identity. Repeat it for more.',
            rich_help_panel=HOW,
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:VALUE",
            help="A request header, for caches that vary on it. A secret belongs into a --request file: the command "
            "line can be seen in the list of processes.",
            rich_help_panel=HOW,
        ),
    ] = None,
    user_agent: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The User-Agent that the edge sees.", rich_help_panel=HOW)
    ] = None,
    invalidate: Annotated[
        bool | None,
        typer.Option(
            "--invalidate/--no-invalidate", help="Invalidate the URLs first, wait, then warm.", rich_help_panel=HOW
        ),
    ] = None,
    verify: Annotated[
        Literal["none", "sample", "all"] | None,
        typer.Option(help="Prove by a second fetch that the POP kept it.", rich_help_panel=HOW),
    ] = None,
    timeout_minutes: Annotated[
        int | None, typer.Option(help="The run's time; what is not finished by then fails.", rich_help_panel=HOW)
    ] = None,
    max_concurrency: Annotated[int | None, typer.Option(help="Batches warmed at once.", rich_help_panel=HOW)] = None,
    max_rps: Annotated[
        float | None, typer.Option(help="Fetches a second of the whole run.", rich_help_panel=HOW)
    ] = None,
    staged: Annotated[
        bool | None,
        typer.Option(
            "--staged/--no-staged",
            help="First one POP per regional edge cache area, then the others.",
            rich_help_panel=HOW,
        ),
    ] = None,
    fail_on: Annotated[
        Literal["any", "none"] | None,
        typer.Option(help="none: the run ends green even when URLs failed.", rich_help_panel=HOW),
    ] = None,
    min_warm_percent: Annotated[
        float | None,
        typer.Option(help="How many percent of a URL's reachable targets must be warm.", rich_help_panel=HOW),
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option(help="Larger bodies fail as too_large.", rich_help_panel=HOW)
    ] = None,
    dry_run: Annotated[
        bool | None,
        typer.Option(
            "--dry-run/--no-dry-run",
            help="Tell what the run would do and cost, and warm nothing.",
            rich_help_panel=HOW,
        ),
    ] = None,
) -> dict[str, Any]:
    """Make a request of a file's fields and of the options, which override them.

    What the values may be is the API's to say: it tells all problems at once.

    Raises:
        CommandFailed: a file cannot be read, or the options contradict each other.

    """
    given = locals()
    if [*(file or []), request_file].count(STDIN) > 1:
        raise CommandFailed("stdin can be read once: give - to one of --file and --request")
    request = read_request(request_file) if request_file else {}
    if urls or file:
        request["url_list"] = [*(urls or []), *(url for path in file or [] for url in read_urls(path))]
        if not request["url_list"]:
            raise CommandFailed("there is no URL in " + " and ".join(str(path) for path in file or []))
    request |= {name: given[name] for name in PLAIN if given[name] is not None}
    if url_list_s3:
        request["url_list_s3"] = url_list_s3
    if accept_encoding:
        request["accept_encodings"] = accept_encoding
    for name in ("sitemap", "manifest"):
        if given[name]:
            request[name] = [source(text, name) for text in given[name]]
    if header:
        request["headers"] = headers_of(request.get("headers"), header)
    kinds = [name for name in ("region", "country", "pop") if given[name]]
    if len(kinds) > 1:
        raise CommandFailed(f"give {' or '.join('--' + kind for kind in kinds)}: a run has one kind of selection")
    if kinds:
        request.pop("target_type", None)
        names = [name.strip() for text in given[kinds[0]] for name in text.split(",") if name.strip()]
        request |= {"region_type": kinds[0], "region": names}
    elif not request_file:
        raise CommandFailed("where? Give --region, --country or --pop, such as --region apac")
    if not request_file and not any(request.get(name) for name in ("url_list", "url_list_s3", "sitemap", "manifest")):
        raise CommandFailed("what? Give URLs, --file, --sitemap, --manifest, --url-list-s3 or --request")
    return request
