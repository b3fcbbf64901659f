"""Options for every field of the API's request."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from prewarm_cli.options.build_request import build_request
from prewarm_cli.options.user_request import UserRequest

URLS, BEHAVIOUR, POPS = "URLs", "Warming", "POPs"


def request_of(
    *,
    urls: Annotated[list[str] | None, typer.Argument(metavar="URL", help="URLs to warm.")] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="A list of URLs: text with comments after #, CSV, JSON, or names separated by NUL; - reads stdin. "
            "Repeatable.",
            rich_help_panel=URLS,
        ),
    ] = None,
    request_file: Annotated[
        Path | None,
        typer.Option(
            "--request",
            metavar="FILE",
            help="A JSON file with the API's request body; - reads stdin. Options override its fields.",
            rich_help_panel=URLS,
        ),
    ] = None,
    url_list_s3: Annotated[
        list[str] | None,
        typer.Option(metavar="S3-URI", help="A list of URLs in S3: s3://bucket/key.", rich_help_panel=URLS),
    ] = None,
    targets: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A CSV of URL and POP pairs with their demand, as prewarm traffic writes it; - reads stdin.",
            rich_help_panel=URLS,
        ),
    ] = None,
    targets_s3: Annotated[
        str | None,
        typer.Option(metavar="S3-URI", help="A CSV for --targets in S3: s3://bucket/key.", rich_help_panel=URLS),
    ] = None,
    nearest: Annotated[
        bool | None,
        typer.Option(
            "--nearest/--no-nearest",
            help="Warm the pairs of a POP that cannot be reached at another POP of its location.",
            rich_help_panel=POPS,
        ),
    ] = None,
    sitemap: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="A sitemap's URL or s3:// address, or a source in JSON with include, exclude or since.",
            rich_help_panel=URLS,
        ),
    ] = None,
    manifest: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="An HLS or DASH manifest's URL, or a source in JSON with renditions or max_segments.",
            rich_help_panel=URLS,
        ),
    ] = None,
    strict_sources: Annotated[
        bool | None,
        typer.Option(
            "--strict-sources/--no-strict-sources",
            help="Reject a sitemap or manifest with an entry that cannot be warmed; --no-strict-sources: accept it "
            "even if more than half of its entries are skipped.",
            rich_help_panel=URLS,
        ),
    ] = None,
    cf_domain: Annotated[
        str | None,
        typer.Option(metavar="DOMAIN", help="Warm only URLs of this distribution.", rich_help_panel=URLS),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A region: apac au ca sa eu jp us me af mx, or all. Repeatable, or comma-separated.",
            rich_help_panel=POPS,
        ),
    ] = None,
    country: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A country, such as india or IN.", rich_help_panel=POPS),
    ] = None,
    pop: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A POP, such as ATL56-C1.", rich_help_panel=POPS)
    ] = None,
    allow_unknown_pops: Annotated[
        bool | None,
        typer.Option(
            "--allow-unknown-pops/--no-allow-unknown-pops",
            help="Accept POP ids that are not in the catalogue.",
            rich_help_panel=POPS,
        ),
    ] = None,
    accept_encoding: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VALUE",
            help='A variant to warm: an Accept-Encoding value, such as "br, gzip" or identity. Repeatable.',
            show_default="as browsers: br, gzip over https, gzip over http",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:VALUE",
            help="A request header, for cache keys that include it. Put secrets into a --request file: other users "
            "can read the command line in the process list.",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    user_agent: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The User-Agent header sent to the edge.", rich_help_panel=BEHAVIOUR),
    ] = None,
    invalidate: Annotated[
        bool | None,
        typer.Option(
            "--invalidate/--no-invalidate",
            help="Invalidate the URLs first and wait, then warm.",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    invalidate_path: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help='Invalidate this path pattern instead, such as "/assets/*". Repeatable; the stack must allow it.',
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    verify: Annotated[
        Literal["none", "sample", "all"] | None,
        typer.Option(
            help="Verify with a second fetch that the POP has cached the object.",
            show_default="sample",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    timeout_minutes: Annotated[
        int | None,
        typer.Option(
            help="Timeout of the run in minutes; unfinished targets fail.",
            show_default="300",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    max_concurrency: Annotated[
        int | None,
        typer.Option(
            help="Concurrency: batches warmed at the same time.", show_default="5", rich_help_panel=BEHAVIOUR
        ),
    ] = None,
    max_rps: Annotated[
        float | None,
        typer.Option(
            help="Requests per second of the whole run.", show_default="no limit", rich_help_panel=BEHAVIOUR
        ),
    ] = None,
    staged: Annotated[
        bool | None,
        typer.Option(
            "--staged/--no-staged",
            help="Warm one POP per regional edge cache first, then the others: fewer requests to the origin.",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    tier: Annotated[
        Literal["edge", "regional"] | None,
        typer.Option(
            help="regional: warm the regional edge caches only, through one POP of each area.",
            show_default="edge",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    fail_on: Annotated[
        Literal["any", "none"] | None,
        typer.Option(help="none: the run succeeds even if URLs fail.", show_default="any", rich_help_panel=BEHAVIOUR),
    ] = None,
    min_warm_percent: Annotated[
        float | None,
        typer.Option(
            help="Percentage of a URL's reachable targets that must be warm.",
            show_default="100 for POPs, else 95",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    max_bytes: Annotated[
        int | None,
        typer.Option(
            help="Bodies larger than this fail as too_large.", show_default="no limit", rich_help_panel=BEHAVIOUR
        ),
    ] = None,
    dry_run: Annotated[
        bool | None,
        typer.Option(
            "--dry-run/--no-dry-run",
            help="Print what the run would do and cost, without warming.",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="A name by which you find the run in `prewarm list`.",
            show_default="in CI: repository, commit and pipeline",
            rich_help_panel=BEHAVIOUR,
        ),
    ] = None,
) -> UserRequest:
    """Return a request made of a file's fields, overridden by the options.

    The values are left to the API to check, which returns all problems in one response.

    Raises:
        CommandFailed: a file cannot be read, or the options contradict each other.

    """
    return build_request(locals())
